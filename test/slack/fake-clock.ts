import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../src/slack/clock.ts";

export interface FakeClock extends Clock {
  /**
   * Lets this much time pass and wakes each sleeper at its time. What a sleeper does is finished before time continues.
   */
  pass(ms: number): Promise<void>;
}

export function fakeClock(start = Date.parse("2026-03-01T06:00:00.000Z")): FakeClock {
  let now = start;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  async function settle(): Promise<void> {
    for (let turns = 0; turns < 6; turns++) await turn();
  }
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve };
        const end = (): void => {
          sleepers.delete(sleeper);
          reject(new Error("aborted"));
        };
        if (signal.aborted) return end();
        sleepers.add(sleeper);
        signal.addEventListener("abort", end, { once: true });
      }),
    async pass(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const [next] = [...sleepers].sort((a, b) => a.at - b.at);
        if (next === undefined || next.at > until) break;
        now = Math.max(now, next.at);
        sleepers.delete(next);
        next.wake();
        await settle();
      }
      now = until;
    },
  };
}
