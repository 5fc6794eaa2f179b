import { setTimeout as sleep } from "node:timers/promises";
import type { GroupsSeen, Look } from "../gate/evidence/evidence.ts";
import type { Groups } from "../guard/outside.ts";

export interface GroupsWatch extends Groups, AsyncDisposable {
  /** What the last look found; undefined: none yet. */
  last(): Look | undefined;
}

export interface WatchOptions {
  /** A look at these topics: bounded in time, and never rejects. */
  readonly look: (topics: readonly string[]) => Promise<GroupsSeen>;
  readonly everyMs: number;
  readonly now: () => number;
}

interface Listener {
  readonly topics: () => readonly string[];
  readonly on: (look: Look) => void;
}

/**
 * Looks at the groups every so often while somebody listens: one look at a time, for all connectors of the process. It
 * costs the brokers a request each for the list, one for each coordinator, and one for each group.
 */
export function watchGroups({ look, everyMs, now }: WatchOptions): GroupsWatch {
  const listeners = new Set<Listener>();
  const ended = new AbortController();
  const end = new Promise<undefined>((resolve) => ended.signal.addEventListener("abort", () => resolve(undefined)));
  let last: Look | undefined;
  let pause = new AbortController();
  /** Who waits for the next look. */
  let waiting: (() => void)[] = [];
  const wake = (): void => pause.abort();

  async function lookOnce(): Promise<void> {
    const told = waiting;
    waiting = [];
    // What moves while it looks is seen by the next one.
    const at = now();
    const seen = await Promise.race([look([...new Set([...listeners].flatMap(({ topics }) => topics()))]), end]);
    if (seen !== undefined) {
      last = { ...seen, at };
      for (const { on } of listeners) on(last);
    }
    for (const done of told) done();
  }

  async function run(): Promise<void> {
    while (!ended.signal.aborted) {
      pause = new AbortController();
      if (listeners.size > 0) await lookOnce();
      if (waiting.length > 0) continue;
      await sleep(everyMs, undefined, { signal: AbortSignal.any([pause.signal, ended.signal]) }).catch(() => {}); // woken
    }
    for (const done of waiting) done();
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
