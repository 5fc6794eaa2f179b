import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `condition` gives something truthy and returns it. Throws after `deadline` ms naming `what`, with the
 * last error of the condition as cause: an error of it only means "not yet".
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
