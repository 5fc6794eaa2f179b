import type { Severity } from "../alert/alert.ts";
import { drop, isStormy, newsAt, posted, weather } from "../alert/box.ts";
import { type Draft, newsDrafts, reminderDraft, type Scope, summaryDraft } from "../alert/compose.ts";
import { dueReminders, reminderDelay } from "../alert/reminder.ts";
import type { Amendment } from "../gate/amendment/amendment.ts";
import { NO_EVIDENCE } from "../gate/evidence/evidence.ts";
import { alertKey } from "../gate/decision/reason.ts";
import type { State } from "../gate/state.ts";
import { type ConnectorNews, current, type PendingNotice, reminded, stopAt, stopDraft } from "./connector-news.ts";
import { type Clock, timeOf, within } from "./clock.ts";
import type { Sender, SlackLog } from "./sender.ts";

/** Sends the messages of one connector: first a stop, then news (as one summary during a storm), then reminders. */

export interface SpeakerOptions {
  readonly sender: Sender;
  readonly log: SlackLog;
  readonly groupsNotNamed: (topic: string) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** Once aborted, pending news is sent at once and no reminders are sent. */
  readonly closed: AbortSignal;
  /** Once aborted, no further attempts are made. */
  readonly ended: AbortSignal;
}

export interface Speaker {
  /** Sends what is due for one connector. Returns false if Slack accepts nothing at the moment. */
  speak(news: ConnectorNews): Promise<boolean>;
}

const GROUPS_MS = 5000;

const NOTICE_SEVERITIES = { urgent: "stopped", warn: "withheld", info: "info" } as const;

/** The highest severity of the notices. */
function severityOf(notices: readonly PendingNotice[]): Severity {
  const highest = (["urgent", "warn"] as const).find((one) => notices.some(({ severity }) => severity === one));
  return NOTICE_SEVERITIES[highest ?? "info"];
}

/** Turns a connector's news into messages, sends them, and records what people have been alerted about. */
export function openSpeaker({ sender, log, groupsNotNamed, clock, closed, ended }: SpeakerOptions): Speaker {
  async function speak(news: ConnectorNews): Promise<boolean> {
    if (news.stop !== undefined && stopAt(news.stop) <= clock.now() && !(await sayStop(news, news.stop))) return false;
    if (news.notices.length > 0 && !(await sayNotices(news))) return false;
    const at = newsAt(news.box);
    if (at !== undefined && (at <= clock.now() || closed.aborted) && !(await sayNews(news))) return false;
    return closed.aborted || isStormy(news.box) || (await sayReminder(news));
  }

  async function sayStop(news: ConnectorNews, stop: NonNullable<ConnectorNews["stop"]>): Promise<boolean> {
    const answer = await sender.say(stopDraft(news, stop).alert, ended);
    if (answer === "later") return false;
    const { code, topic, position } = stop.stop;
    const time = timeOf(clock.now());
    const reminders = stop.reported === undefined ? 0 : stop.reported.reminders + 1;
    const reported = { code, topic, position, since: stop.since, time, reminders };
    news.lastReported = reported;
    if (news.stop === stop) news.stop = { ...stop, reported };
    if (answer === "posted") {
      await news.memory.write(reported).catch(() => {
        log.warn({ connector: news.connector }, "the alert about the stop could not be recorded: it may be sent again");
      });
    }
    return true;
  }

  /** Sends all waiting notices in one message. Notices that Slack refuses are in the log. */
  async function sayNotices(news: ConnectorNews): Promise<boolean> {
    const { notices, connector } = news;
    const severity = severityOf(notices);
    const shown = notices.map(({ about, what, next, owner }) => ({ about, what, next, owner }));
    const answer = await sender.say({ kind: "notice", severity, connector, notices: shown }, ended);
    if (answer === "later") return false;
    news.notices = news.notices.filter((one) => !notices.includes(one));
    for (const { reported } of notices) reported();
    return true;
  }

  async function sayNews(news: ConnectorNews): Promise<boolean> {
    const amendments = current(news);
    const known = new Set(amendments.map(({ id }) => id));
    const gone = [...news.box.news.keys()].filter((id) => !known.has(id));
    news.box = drop(news.box, gone);
    if (amendments.length === 0) return true;
    const scope = await scopeOf(news, amendments);
    const drafts = newsDrafts(scope, amendments);
    const wasStorm = news.box.storm;
    news.box = weather(news.box, drafts.length, clock.now());
    // When a storm begins, news is collected first.
    if (news.box.storm && !wasStorm && !closed.aborted) return true;
    for (const draft of news.box.storm ? [summaryDraft(scope, amendments)] : drafts) {
      if (!(await sayDraft(news, draft, () => 0, alertKey))) return false;
      news.box = posted(news.box, clock.now());
    }
    return true;
  }

  async function sayReminder(news: ConnectorNews): Promise<boolean> {
    const due = dueReminders(reminded(news), news.started, clock.now());
    if (due.length === 0) return true;
    const counts = due.map(({ alerted }) => (alerted?.reminders ?? 0) + 1);
    const reminder = { count: Math.max(...counts), next: reminderDelay(Math.min(...counts)) };
    const draft = reminderDraft(await scopeOf(news, due), due, reminder);
    if (draft === undefined) return true;
    return sayDraft(
      news,
      draft,
      ({ alerted }) => (alerted?.reminders ?? 0) + 1,
      (amendment) => amendment.alerted?.key ?? alertKey(amendment),
    );
  }

  /**
   * Reports the alerts that Slack accepted to the connector. Alerts that Slack refuses are not tried again before the
   * next start.
   */
  async function sayDraft(
    news: ConnectorNews,
    draft: Draft,
    reminders: (amendment: Amendment) => number,
    keyOf: (amendment: Amendment) => string,
  ): Promise<boolean> {
    const answer = await sender.say(draft.alert, ended);
    if (answer === "later") return false;
    const time = timeOf(clock.now());
    for (const amendment of draft.covers) {
      const pending = news.box.news.get(amendment.id);
      // If the amendment changed while the message was being sent, it is still news.
      if (pending === undefined || alertKey(pending) === alertKey(amendment)) {
        news.box = drop(news.box, [amendment.id]);
      }
      const { id } = amendment;
      const alerted = { key: keyOf(amendment), time, reminders: reminders(amendment) };
      if (answer === "refused") {
        news.refused.set(id, alerted);
        continue;
      }
      news.sent.set(id, alerted);
      news.onSent?.({ id, alerted });
    }
    return true;
  }

  async function scopeOf(news: ConnectorNews, amendments: readonly Amendment[]): Promise<Scope> {
    const { connector, mode, state, stop } = news;
    const topics = [...new Set(amendments.map(({ topic }) => topic))];
    const found = Promise.all(topics.map(async (topic) => [topic, await groupsNotNamed(topic)] as const));
    const groups = await within(clock, GROUPS_MS, found);
    const empty: State = {
      tables: new Map(),
      jobs: new Map(),
      contracts: new Map(),
      outcomes: new Map(),
      evidence: NO_EVIDENCE,
    };
    const publishes = stop === undefined && news.publishes;
    return { connector, mode, state: state ?? empty, publishes, groupsNotNamed: new Map(groups) };
  }

  return { speak };
}
