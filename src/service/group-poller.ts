import { setTimeout as sleep } from "node:timers/promises";
import type { GroupsSeen, GroupPoll } from "../gate/evidence/evidence.ts";
import type { Groups } from "../guard/outside.ts";

/**
 * Polls Kafka's consumer groups at an interval while at least one connector listens. There is one poll at a time, for
 * all connectors of the process. A poll costs each broker one request for the list of groups, and then two or three
 * per group.
 */

export interface GroupPoller extends Groups, AsyncDisposable {
  /** The result of the last poll; undefined before the first poll. */
  last(): GroupPoll | undefined;
}

export interface GroupPollerOptions {
  /** Polls the groups of these topics. Must end within a bounded time and never reject. */
  readonly poll: (topics: readonly string[]) => Promise<GroupsSeen>;
  readonly everyMs: number;
  readonly now: () => number;
}

interface Listener {
  readonly topics: () => readonly string[];
  readonly on: (result: GroupPoll) => void;
}

export function startGroupPoller({ poll, everyMs, now }: GroupPollerOptions): GroupPoller {
  const listeners = new Set<Listener>();
  const ended = new AbortController();
  const end = new Promise<undefined>((resolve) => ended.signal.addEventListener("abort", () => resolve(undefined)));
  let last: GroupPoll | undefined;
  let pause = new AbortController();
  /** Resolvers for the callers of `again`, called after the next poll. */
  let waiting: (() => void)[] = [];
  const wake = (): void => pause.abort();

  async function pollOnce(): Promise<void> {
    const callers = waiting;
    waiting = [];
    // Uses the time when the poll started, so that a change during the poll is attributed to the next poll.
    const at = now();
    const seen = await Promise.race([poll([...new Set([...listeners].flatMap(({ topics }) => topics()))]), end]);
    if (seen !== undefined) {
      last = { ...seen, at };
      for (const { on } of listeners) on(last);
    }
    for (const resolve of callers) resolve();
  }

  async function run(): Promise<void> {
    while (!ended.signal.aborted) {
      pause = new AbortController();
      if (listeners.size > 0) await pollOnce();
      if (waiting.length > 0) continue;
      await sleep(everyMs, undefined, { signal: AbortSignal.any([pause.signal, ended.signal]) }).catch(() => {}); // woken
    }
    for (const resolve of waiting) resolve();
  }

  const running = run();
  return {
    last: () => last,
    listen(topics, on) {
      const listener = { topics, on };
      listeners.add(listener);
      wake();
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    again() {
      if (ended.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        wake();
      });
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await running;
    },
  };
}
