import { type Box, EMPTY_BOX, isStormy, newsAt } from "../alert/box.ts";
import { allWithheld, epochOf, nextReminder, reminderDelay } from "../alert/reminder.ts";
import type { StoppedAlert } from "../alert/alert.ts";
import type { Draft } from "../alert/compose.ts";
import type { Alerted, Amendment, SentAlert } from "../gate/amendment/amendment.ts";
import { alertKey } from "../gate/decision/reason.ts";
import type { Mode, State } from "../gate/state.ts";
import { findAmendment } from "../gate/update.ts";
import { asksSomebody } from "../gate/watch/watched.ts";

/** Why a connector has ended by itself. `handedOver`: another instance runs it now. */
export type Stop = Pick<StoppedAlert, "code" | "message" | "next" | "position"> & { readonly handedOver: boolean };

/** That people were told of a stop: since when it is so, when last (both ISO 8601), how often reminded. */
export interface StopTold {
  readonly code: string;
  readonly message: string;
  readonly position: string | undefined;
  readonly since: string;
  readonly time: string;
  readonly reminders: number;
}

/** Keeps it over restarts; without it a connector that stops again and again tells of it each time. */
export interface StopMemory {
  read(): Promise<StopTold | undefined>;
  write(told: StopTold): Promise<void>;
}

/** What is to be told of one connector, and what was. */
export interface ConnectorNews {
  readonly connector: string;
  readonly mode: Mode;
  readonly memory: StopMemory;
  /** When this began: for what was told nobody knows when. Milliseconds. */
  readonly started: number;
  box: Box;
  /** Of the last commit. */
  state: State | undefined;
  /** Tells the running session what was sent, so that it is recorded. */
  onSent: ((sent: SentAlert) => void) | undefined;
  /** By amendment: alerts that were sent and are not in the recorded state yet. */
  readonly sent: Map<string, Alerted>;
  /** By amendment: alerts that Slack refused; tried again with the next reminder, or at the next start. */
  readonly refused: Map<string, Alerted>;
  stop: { readonly stop: Stop; readonly since: string; readonly told: StopTold | undefined } | undefined;
  /** The last stop people were told of in this process. */
  stopTold: StopTold | undefined;
  /** Counts stops and commits: a stop that was lifted before it was read up is none. */
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
    stop: undefined,
    stopTold: undefined,
    turn: 0,
  };
}

/** When it has something to say. */
export function speaksAt(news: ConnectorNews): number | undefined {
  const { box, stop, started } = news;
  const reminder = isStormy(box) ? undefined : nextReminder(reminded(news), started);
  const times = [newsAt(box), reminder, stop && stopAt(stop)].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** What is withheld, as far as people know of it and nothing newer is to be told. */
export function reminded({ mode, state, sent, refused, box, stop }: ConnectorNews): readonly Amendment[] {
  if (state === undefined || stop !== undefined) return [];
  return allWithheld(state)
    .filter((amendment) => !box.news.has(amendment.id) && (mode === "guard" || asksSomebody(amendment)))
    .map((amendment) => {
      const alerted = sent.get(amendment.id) ?? refused.get(amendment.id);
      return alerted === undefined ? amendment : { ...amendment, alerted };
    });
}

/** The news as they are now: what was withdrawn meanwhile, or is known already, is none. */
export function current({ box, state, sent }: ConnectorNews): readonly Amendment[] {
  return [...box.news.values()].flatMap((pending) => {
    const now = state === undefined ? undefined : findAmendment(state, pending.id)?.amendment;
    if (now === undefined) return pending.gate.kind === "released" ? pending : [];
    const known = sent.get(now.id) ?? now.alerted;
    return known?.key === alertKey(now) ? [] : now;
  });
}

/** What the state has of it needs no keeping. */
export function recorded(news: ConnectorNews, state: State): void {
  news.state = state;
  for (const [id, { key, time, reminders }] of news.sent) {
    const found = findAmendment(state, id)?.amendment;
    const { alerted } = found ?? {};
    const same = alerted?.key === key && alerted.time === time && alerted.reminders === reminders;
    if (found === undefined || same) news.sent.delete(id);
  }
}

/** Right away, or when the next reminder is due. */
export function stopAt({ told }: NonNullable<ConnectorNews["stop"]>): number {
  return told === undefined ? 0 : epochOf(told.time) + reminderDelay(told.reminders);
}

/** The same stop as before: after a restart it stands at the same place for the same reason. */
export function isSameStop(told: StopTold | undefined, stop: Stop): told is StopTold {
  if (told?.code !== stop.code || told.message !== stop.message) return false;
  return stop.position === undefined || stop.position === told.position;
}

export function stopDraft(
  { connector }: ConnectorNews,
  { stop, since, told }: NonNullable<ConnectorNews["stop"]>,
): Draft {
  const { handedOver, ...rest } = stop;
  const count = told === undefined ? 0 : told.reminders + 1;
  const reminder = count === 0 ? undefined : { count, next: reminderDelay(count) };
  const severity = handedOver ? "info" : "stopped";
  return { alert: { kind: "stopped", severity, connector, ...rest, since, reminder }, covers: [] };
}
