import { type Box, EMPTY_BOX, isStormy, newsAt } from "../alert/box.ts";
import { epochOf, nextReminder, reminderDelay } from "../alert/reminder.ts";
import type { NoticeAbout, StoppedAlert } from "../alert/alert.ts";
import type { Draft } from "../alert/compose.ts";
import type { Alerted, Amendment, SentAlert } from "../gate/amendment/amendment.ts";
import { alertKey } from "../gate/decision/reason.ts";
import type { Mode, State } from "../gate/state.ts";
import { findAmendment, withheldOf } from "../gate/update.ts";
import { asksSomebody } from "../gate/watch/watched.ts";

/**
 * The news of one connector as plain data: what to alert people about, what they have been alerted about, and when the
 * next message is due. speaker.ts sends the messages, and start-slack.ts decides when.
 */

/** Why a connector stopped on its own, or why a topic halts. `handedOver`: another instance now runs the connector. */
export type Stop = Pick<StoppedAlert, "code" | "message" | "next" | "position"> & {
  /** The topic that halts; undefined if the whole connector stopped. */
  readonly topic: string | undefined;
  readonly handedOver: boolean;
};

/**
 * A stop that people were alerted about, with the time when it began, the time of the last message (both ISO 8601), and
 * the number of reminders.
 */
export interface ReportedStop extends Pick<Stop, "code" | "position"> {
  /** Also undefined in records of 0.1.0. */
  readonly topic: string | undefined;
  readonly since: string;
  readonly time: string;
  readonly reminders: number;
}

/**
 * Remembers a reported stop across restarts, so that a connector that stops repeatedly does not alert people each time.
 */
export interface StopMemory {
  read(): Promise<ReportedStop | undefined>;
  /** undefined: the stop is over. */
  write(stop: ReportedStop | undefined): Promise<void>;
}

export interface PendingNotice {
  readonly id: string;
  readonly about: NoticeAbout;
  readonly severity: "urgent" | "warn" | "info";
  readonly what: string;
  readonly next: string | undefined;
  readonly owner?: string | undefined;
  readonly reported: () => void;
}

/** What to alert people about for one connector, and what they have been alerted about. */
export interface ConnectorNews {
  readonly connector: string;
  readonly mode: Mode;
  readonly memory: StopMemory;
  /** When the process started, in milliseconds. Used if the time of an alert is unknown. */
  readonly started: number;
  box: Box;
  /** The state of the last commit. */
  state: State | undefined;
  /** Passes each sent alert to the running session, which records it. */
  onSent: ((sent: SentAlert) => void) | undefined;
  /** By amendment: alerts that were sent but are not in the recorded state yet. */
  readonly sent: Map<string, Alerted>;
  /** By amendment: alerts that Slack refused. They are tried again with the next reminder, or at the next start. */
  readonly refused: Map<string, Alerted>;
  /** Table notices that have not been sent to people yet. `reported` is called once they have been alerted. */
  notices: readonly PendingNotice[];
  stop: { readonly stop: Stop; readonly since: string; readonly reported: ReportedStop | undefined } | undefined;
  /** False while people have been alerted that nothing is published, although the connector has not stopped. */
  publishes: boolean;
  /** The last stop that people were alerted about in this process. */
  lastReported: ReportedStop | undefined;
  /** Counts stops and commits, to detect that a stop was resolved while its record was being read. */
  turn: number;
}

export function connectorNews(connector: string, mode: Mode, memory: StopMemory, started: number): ConnectorNews {
  return {
    connector,
    mode,
    memory,
    started,
    box: EMPTY_BOX,
    state: undefined,
    onSent: undefined,
    sent: new Map(),
    refused: new Map(),
    notices: [],
    stop: undefined,
    publishes: true,
    lastReported: undefined,
    turn: 0,
  };
}

/** When the next message of this connector is due; undefined if there is none. */
export function speaksAt(news: ConnectorNews): number | undefined {
  const { box, stop, started, notices } = news;
  const reminder = isStormy(box) ? undefined : nextReminder(reminded(news), started);
  const times = [notices.length > 0 ? 0 : undefined, newsAt(box), reminder, stop && stopAt(stop)].filter(
    (time) => time !== undefined,
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * Withheld amendments that people were alerted about and that have not changed since. `alerted` is set to their last
 * alert.
 */
export function reminded({ mode, state, sent, refused, box, stop }: ConnectorNews): readonly Amendment[] {
  if (state === undefined || stop !== undefined) return [];
  return allWithheld(state)
    .filter((amendment) => !box.news.has(amendment.id) && (mode === "guard" || asksSomebody(amendment)))
    .map((amendment) => {
      const alerted = sent.get(amendment.id) ?? refused.get(amendment.id);
      return alerted === undefined ? amendment : { ...amendment, alerted };
    });
}

/**
 * The pending news in its current form, without news that was withdrawn in the meantime or that people already know.
 */
export function current({ box, state, sent }: ConnectorNews): readonly Amendment[] {
  return [...box.news.values()].flatMap((pending) => {
    const now = state === undefined ? undefined : findAmendment(state, pending.id)?.amendment;
    if (now === undefined) return pending.gate.kind === "released" ? pending : [];
    const known = sent.get(now.id) ?? now.alerted;
    return known?.key === alertKey(now) ? [] : now;
  });
}

/** Stores a committed state, and forgets the sent alerts that it already contains. */
export function recorded(news: ConnectorNews, state: State): void {
  news.state = state;
  for (const [id, { key, time, reminders }] of news.sent) {
    const found = findAmendment(state, id)?.amendment;
    const { alerted } = found ?? {};
    const same = alerted?.key === key && alerted.time === time && alerted.reminders === reminders;
    if (found === undefined || same) news.sent.delete(id);
  }
}

/** When to alert people about the stop: immediately, or when the next reminder is due. */
export function stopAt({ reported }: NonNullable<ConnectorNews["stop"]>): number {
  return reported === undefined ? 0 : epochOf(reported.time) + reminderDelay(reported.reminders);
}

/** Whether a stop after a restart is the reported one: it has the same topic, position and code. */
export function isSameStop(reported: ReportedStop | undefined, stop: Stop): reported is ReportedStop {
  if (reported?.code !== stop.code) return false;
  if (reported.topic !== undefined && reported.topic !== stop.topic) return false;
  return stop.position === undefined || stop.position === reported.position;
}

export function stopDraft(
  { connector }: ConnectorNews,
  { stop, since, reported }: NonNullable<ConnectorNews["stop"]>,
): Draft {
  const { handedOver, topic: _, ...rest } = stop;
  const count = reported === undefined ? 0 : reported.reminders + 1;
  const reminder = count === 0 ? undefined : { count, next: reminderDelay(count) };
  const severity = handedOver ? "info" : "stopped";
  return { alert: { kind: "stopped", severity, connector, ...rest, since, reminder }, covers: [] };
}

/** Every amendment that a connector withholds. */
function allWithheld(state: State): readonly Amendment[] {
  return [...state.tables.values()].flatMap(withheldOf);
}
