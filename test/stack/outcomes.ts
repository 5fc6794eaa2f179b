import type { TestCase } from "vitest/node";

/** How many of the tests had which outcome. Tests that were skipped or did not run do not count as passed. */
export function outcomes(tests: readonly TestCase[]): string {
  if (tests.length === 0) return "not run";
  const count = (state: string) => tests.filter((test) => test.result().state === state).length;
  const parts = [
    [count("passed"), "passed"],
    [count("failed"), "failed"],
    [count("skipped"), "skipped"],
    [count("pending"), "not run"],
  ] as const;
  return parts.flatMap(([n, what]) => (n === 0 ? [] : [`${n} ${what}`])).join(", ");
}
