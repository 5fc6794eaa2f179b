import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `condition` returns something truthy, and returns that. An error of the condition means "not yet". After
 * `deadline` ms throws an error that names `what`, with the last error of the condition as its cause.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  deadline = 40_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadline;
  let cause: unknown;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
    try {
      const value = await condition();
      if (value) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`waited ${deadline} ms in vain until ${what}`, { cause });
    await sleep(pause);
  }
}
