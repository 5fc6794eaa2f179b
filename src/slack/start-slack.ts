import { drop, isStormy, newsAt, posted, put, weather } from "../alert/box.ts";
import { type Draft, newsDrafts, reminderDraft, type Scope, summaryDraft } from "../alert/compose.ts";
import { dueReminders, reminderDelay } from "../alert/reminder.ts";
import type { Amendment, Told } from "../gate/amendment.ts";
import { tellText } from "../gate/settle.ts";
import type { State } from "../gate/state.ts";
import {
  type ConnectorNews,
  connectorNews,
  current,
  isSameStop,
  recorded,
  reminded,
  speaksAt,
  type Stop,
  type StopMemory,
  stopAt,
  stopDraft,
} from "./connector-alerts.ts";
import { type Clock, openSender, type SlackLog } from "./sender.ts";
import type { Post } from "./webhook.ts";

export interface SlackOptions {
  readonly post: Post;
  readonly log: SlackLog;
  /** Live groups of a topic that no contract names. */
  readonly groupsNotNamed: (topic: string) => Promise<readonly string[]>;
  readonly clock: Clock;
}

/** What one connector has for people. Nothing of it waits or throws. */
export interface ConnectorAlerts {
  readonly tell: (amendment: Amendment, state: State) => void;
  readonly onTold: (then: (told: Told) => void) => void;
  /** The state of each commit. */
  readonly state: (state: State) => void;
  readonly stopped: (stop: Stop) => void;
}

export interface Slack extends AsyncDisposable {
  of(connector: string, memory: StopMemory): ConnectorAlerts;
  /**
   * Tells what waits and lets the connectors record it, 3 s at most; nothing is told after it. What is left is told at
   * the next start.
   */
  flush(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const GRACE_MS = 3000;
const GROUPS_MS = 5000;
const MEMORY_MS = 3000;
/** Looked again at least so often, should the clock be set. */
const TICK_MS = 600_000;
const FAULT_MS = 300_000;

/**
 * Tells people through one webhook, one message after the other beside the stream. What waits is kept by amendment and
 * put into words when it is sent, so an outage of Slack ends with few messages, as things are then.
 */
export function startSlack({ post, log, groupsNotNamed, clock }: SlackOptions): Slack {
  const sender = openSender(post, log, clock);
  const connectors: ConnectorNews[] = [];
  const reading = new Set<Promise<void>>();
  const ended = new AbortController();
  /** From now on only what waits. */
  const closed = new AbortController();
  let waiting = new AbortController();
  const wake = (): void => waiting.abort();

  async function run(): Promise<void> {
    while (!closed.signal.aborted) {
      await rest();
      if (!closed.signal.aborted && clock.now() >= sender.readyAt()) await round();
    }
  }

  /** Until somebody has something to say. */
  async function rest(): Promise<void> {
    waiting = new AbortController();
    const due = connectors.flatMap((news) => speaksAt(news) ?? []);
    const at = Math.max(sender.readyAt(), Math.min(clock.now() + TICK_MS, ...due));
    const ms = at - clock.now();
    if (ms > 0) await clock.sleep(ms, waiting.signal).catch(() => undefined); // woken
  }

  async function round(): Promise<void> {
    for (const news of connectors) {
      if (!(await speak(news).catch(failed))) return;
    }
  }

  /** A fault of ours must not end the alerts. */
  function failed(error: unknown): false {
    log.error({ reason: error instanceof Error ? error.name : "unknown" }, "alerts failed; trying again in a while");
    sender.pause(FAULT_MS);
    return false;
  }

  /** False: no more in this round. */
  async function speak(news: ConnectorNews): Promise<boolean> {
    if (news.stop !== undefined && stopAt(news.stop) <= clock.now() && !(await sayStop(news, news.stop))) return false;
    const at = newsAt(news.box);
    if (at !== undefined && (at <= clock.now() || closed.signal.aborted) && !(await sayNews(news))) return false;
    return closed.signal.aborted || isStormy(news.box) || (await sayReminder(news));
  }

  async function sayStop(news: ConnectorNews, stop: NonNullable<ConnectorNews["stop"]>): Promise<boolean> {
    const answer = await sender.say(stopDraft(news, stop).alert, ended.signal);
    if (answer === "later") return false;
    const { code, message, position } = stop.stop;
    const time = timeOf(clock.now());
    const reminders = stop.told === undefined ? 0 : stop.told.reminders + 1;
    const told = { code, message, position, since: stop.since, time, reminders };
    news.stop = { ...stop, told };
    if (answer === "posted") {
      await news.memory.write(told).catch(() => {
        log.warn(
          { connector: news.connector },
          "that people were told of the stop is not kept: they may hear it again",
        );
      });
    }
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
    // A storm that begins now collects first.
    if (news.box.storm && !wasStorm && !closed.signal.aborted) return true;
    for (const draft of news.box.storm ? [summaryDraft(scope, amendments)] : drafts) {
      if (!(await sayDraft(news, draft, () => 0, tellText))) return false;
      news.box = posted(news.box, clock.now());
    }
    return true;
  }

  async function sayReminder(news: ConnectorNews): Promise<boolean> {
    const due = dueReminders(reminded(news), news.started, clock.now());
    if (due.length === 0) return true;
    const counts = due.map(({ reminders }) => (reminders ?? 0) + 1);
    const reminder = { count: Math.max(...counts), next: reminderDelay(Math.min(...counts)) };
    const draft = reminderDraft(await scopeOf(news, due), due, reminder);
    if (draft === undefined) return true;
    return sayDraft(
      news,
      draft,
      (amendment) => (amendment.reminders ?? 0) + 1,
      (amendment) => amendment.told ?? tellText(amendment),
    );
  }

  /** Once Slack has it, the connector hears so. What Slack refuses is not tried again before the next start. */
  async function sayDraft(
    news: ConnectorNews,
    draft: Draft,
    reminders: (amendment: Amendment) => number,
    textOf: (amendment: Amendment) => string,
  ): Promise<boolean> {
    const answer = await sender.say(draft.alert, ended.signal);
    if (answer === "later") return false;
    const time = timeOf(clock.now());
    for (const amendment of draft.covers) {
      const pending = news.box.news.get(amendment.id);
      // What changed while the message was on its way is news still.
      if (pending === undefined || tellText(pending) === tellText(amendment)) {
        news.box = drop(news.box, [amendment.id]);
      }
      const told = { id: amendment.id, text: textOf(amendment), time, reminders: reminders(amendment) };
      if (answer === "refused") {
        news.refused.set(told.id, told);
        continue;
      }
      news.sent.set(told.id, told);
      news.hear?.(told);
    }
    return true;
  }

  async function scopeOf({ connector, state }: ConnectorNews, amendments: readonly Amendment[]): Promise<Scope> {
    const topics = [...new Set(amendments.map(({ topic }) => topic))];
    const found = Promise.all(topics.map(async (topic) => [topic, await groupsNotNamed(topic)] as const));
    const groups = await within(GROUPS_MS, found);
    const empty: State = { tables: new Map(), jobs: new Map(), contracts: new Map(), outcomes: new Map() };
    return { connector, state: state ?? empty, groupsNotNamed: new Map(groups) };
  }

  /** The promise's value; undefined when it fails or takes too long. */
  async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
    const done = new AbortController();
    const late = clock.sleep(ms, done.signal).catch(() => undefined);
    try {
      return (await Promise.race([promise, late])) ?? undefined;
    } catch {
      return undefined;
    } finally {
      done.abort();
    }
  }

  async function readStop(news: ConnectorNews, stop: Stop): Promise<void> {
    const told = await within(MEMORY_MS, news.memory.read());
    const same = isSameStop(told, stop);
    news.stop = { stop, since: same ? told.since : timeOf(clock.now()), told: same ? told : undefined };
    wake();
  }

  const running = run();
  let flushed: Promise<void> | undefined;
  let nothingOpen: (() => void) | undefined;
  const isOpen = (): boolean => connectors.some(({ sent, stop }) => stop === undefined && sent.size > 0);

  async function flushAll(): Promise<void> {
    closed.abort();
    wake();
    await running;
    await Promise.allSettled(reading);
    if (!ended.signal.aborted && clock.now() >= sender.readyAt()) await round();
    if (isOpen()) await new Promise<void>((resolve) => (nothingOpen = resolve));
  }

  async function flush(): Promise<void> {
    const done = new AbortController();
    const late = clock.sleep(GRACE_MS, done.signal).then(
      () => ended.abort(),
      () => undefined, // all was said
    );
    await Promise.race([flushAll(), late]);
    done.abort();
  }

  return {
    of(connector, memory) {
      const news = connectorNews(connector, memory, clock.now());
      connectors.push(news);
      return {
        tell(amendment, state) {
          news.state = state;
          const told = news.sent.get(amendment.id);
          if (told?.text === tellText(amendment)) {
            queueMicrotask(() => news.hear?.(told));
            return;
          }
          news.box = put(news.box, amendment, clock.now());
          wake();
        },
        onTold(then) {
          news.hear = then;
          for (const told of news.sent.values()) queueMicrotask(() => then(told));
        },
        state(state) {
          const first = news.state === undefined;
          // What streams again is not stopped any more.
          news.stop = undefined;
          recorded(news, state);
          if (first) wake();
          if (!isOpen()) nothingOpen?.();
        },
        stopped(stop) {
          const read = readStop(news, stop);
          reading.add(read);
          void read.finally(() => reading.delete(read));
        },
      };
    },
    flush: () => (flushed ??= flush()),
    [Symbol.asyncDispose]: () => (flushed ??= flush()),
  };
}

function timeOf(now: number): string {
  return new Date(now).toISOString();
}
