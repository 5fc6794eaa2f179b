import { put } from "../alert/box.ts";
import type { ErrorCode } from "../errors.ts";
import type { Amendment, SentAlert } from "../gate/amendment/amendment.ts";
import type { Mode, State } from "../gate/state.ts";
import {
  type ConnectorNews,
  connectorNews,
  isSameStop,
  type PendingNotice,
  recorded,
  speaksAt,
  type Stop,
  type StopMemory,
} from "./connector-news.ts";
import { type Clock, timeOf, within } from "./clock.ts";
import { openSender, type SlackLog } from "./sender.ts";
import { openSpeaker } from "./speaker.ts";
import type { Post } from "./webhook.ts";
import { alertKey } from "../gate/decision/reason.ts";

/**
 * Starts and stops the alerts to Slack. One loop serves all connectors of the process and waits until a connector's
 * next message is due.
 */

export interface SlackOptions {
  readonly post: Post;
  readonly log: SlackLog;
  /** Live groups of a topic that no contract names. */
  readonly groupsNotNamed: (topic: string) => Promise<readonly string[]>;
  readonly clock: Clock;
}

/** A connector's side of the alerts. None of these functions waits or throws. */
export interface ConnectorAlerts {
  readonly alert: (amendment: Amendment, state: State) => void;
  /** Calls `then` for each alert that was sent, until the next call replaces it. Never before this call returns. */
  readonly onSent: (then: (sent: SentAlert) => void) => void;
  /** Passes the state of each commit while the connector streams. */
  readonly state: (state: State) => void;
  readonly stopped: (stop: Stop) => void;
  /** Alerts people to news about a table; the same news is sent only once. Resolves once it was sent or refused. */
  readonly notice: (notice: Omit<PendingNotice, "reported">) => Promise<void>;
  /** Whether the connector publishes events, if it has not stopped. */
  readonly publishes: (publishes: boolean) => void;
  /** The connector works. If people were alerted that it stopped, they learn that this is over. */
  readonly works: () => void;
}

export interface Slack extends AsyncDisposable {
  of(connector: string, mode: Mode, memory: StopMemory): ConnectorAlerts;
  /**
   * Sends the pending alerts and lets the connectors record them, within 3 s. No alert is sent afterwards. Alerts that
   * are left are sent at the next start.
   */
  flush(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const GRACE_MS = 3000;
const MEMORY_MS = 3000;
/** The longest time between two checks, in case the clock is changed. */
const TICK_MS = 600_000;
const FAULT_MS = 300_000;
/** Another instance runs the connector, so nothing was wrong with it. */
const TAKEN_OVER = "connector-taken" satisfies ErrorCode;

/**
 * Alerts people through one webhook, one message at a time, without delaying the stream. Pending news is kept by
 * amendment and worded only when it is sent. So after an outage of Slack there are few messages, and they are up to
 * date.
 */
export function startSlack({ post, log, groupsNotNamed, clock }: SlackOptions): Slack {
  const sender = openSender(post, log, clock);
  const ended = new AbortController();
  /** Once aborted, only pending alerts are sent. */
  const closed = new AbortController();
  const speaker = openSpeaker({ sender, log, groupsNotNamed, clock, closed: closed.signal, ended: ended.signal });
  const connectors: ConnectorNews[] = [];
  const reading = new Set<Promise<void>>();
  let waiting = new AbortController();
  const wake = (): void => waiting.abort();

  async function run(): Promise<void> {
    while (!closed.signal.aborted) {
      await rest();
      if (!closed.signal.aborted && clock.now() >= sender.readyAt()) await round();
    }
  }

  /** Waits until a connector has something to send. */
  async function rest(): Promise<void> {
    waiting = new AbortController();
    const due = connectors.flatMap((news) => speaksAt(news) ?? []);
    const at = Math.max(sender.readyAt(), Math.min(clock.now() + TICK_MS, ...due));
    const ms = at - clock.now();
    if (ms > 0) await clock.sleep(ms, waiting.signal).catch(() => undefined); // woken
  }

  async function round(): Promise<void> {
    for (const news of connectors) {
      if (!(await speaker.speak(news).catch(failed))) return;
    }
  }

  /** A bug in Fieldgate must not end the alerts. */
  function failed(error: unknown): false {
    log.error({ reason: error instanceof Error ? error.name : "unknown" }, "alerts failed; trying again in a while");
    sender.pause(FAULT_MS);
    return false;
  }

  async function readStop(news: ConnectorNews, stop: Stop): Promise<void> {
    news.turn += 1;
    const { turn } = news;
    const reported = news.lastReported ?? (await within(clock, MEMORY_MS, news.memory.read()));
    if (turn !== news.turn) return;
    const same = isSameStop(reported, stop);
    news.stop = { stop, since: same ? reported.since : timeOf(clock.now()), reported: same ? reported : undefined };
    wake();
  }

  /** Reports that a reported stop is over, also one of an earlier process. */
  async function endStop(news: ConnectorNews): Promise<void> {
    const reported = news.lastReported ?? (await within(clock, MEMORY_MS, news.memory.read()));
    if (reported === undefined || news.stop !== undefined) return;
    news.lastReported = undefined;
    const what = `it publishes again; it had been stopped since ${reported.since} (${reported.code})`;
    const over = {
      id: `stop-over/${reported.since}`,
      about: "flows-again",
      severity: "info",
      what,
      next: undefined,
    } as const;
    void (reported.code === TAKEN_OVER ? Promise.resolve() : add(news, over))
      .then(() => news.memory.write(undefined))
      .catch(() => {
        log.warn({ connector: news.connector }, "the end of the stop could not be recorded: it may be reported again");
      });
  }

  /** Resolves once people have been alerted. */
  function add(news: ConnectorNews, notice: Omit<PendingNotice, "reported">): Promise<void> {
    return new Promise((reported) => {
      news.notices = [...news.notices, { ...notice, reported }];
      wake();
    });
  }

  function track(work: Promise<void>): void {
    reading.add(work);
    void work.finally(() => reading.delete(work));
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
      () => undefined, // everything was sent
    );
    await Promise.race([flushAll(), late]);
    done.abort();
  }

  return {
    of(connector, mode, memory) {
      const news = connectorNews(connector, mode, memory, clock.now());
      connectors.push(news);
      const noticed = new Set<string>();
      return {
        alert(amendment, state) {
          news.state = state;
          news.box = put(news.box, amendment, clock.now());
          wake();
        },
        onSent(then) {
          news.onSent = then;
          for (const [id, alerted] of news.sent) queueMicrotask(() => then({ id, alerted }));
        },
        state(state) {
          const first = news.state === undefined;
          recorded(news, state);
          // The connector streams again, so whatever stopped it is fixed.
          news.stop = undefined;
          news.turn += 1;
          if (first) wake();
          if (!isOpen()) nothingOpen?.();
        },
        async notice(notice) {
          if (noticed.has(notice.id)) return;
          noticed.add(notice.id);
          await add(news, notice);
        },
        stopped: (stop) => track(readStop(news, stop)),
        publishes: (publishes) => void (news.publishes = publishes),
        works: () => track(endStop(news)),
      };
    },
    flush: () => (flushed ??= flush()),
    [Symbol.asyncDispose]: () => (flushed ??= flush()),
  };
}

/** Without a webhook, the log is the only alert, and it has already been written. */
export function withoutSlack(now: () => string): ConnectorAlerts {
  let onSent: ((sent: SentAlert) => void) | undefined;
  return {
    alert(amendment) {
      const sent = { id: amendment.id, alerted: { key: alertKey(amendment), time: now(), reminders: 0 } };
      queueMicrotask(() => onSent?.(sent));
    },
    onSent: (then) => (onSent = then),
    state: () => undefined,
    stopped: () => undefined,
    notice: async () => {},
    publishes: () => undefined,
    works: () => undefined,
  };
}
