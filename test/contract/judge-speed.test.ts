import { expect, it } from "vitest";
import { CROWDS, type Crowd, judgeAll, parseTimes } from "../perf/crowd.ts";

const PAIRS = 200 * 50;

/**
 * 2 s of the processor's time. A machine that does other work needs more of that too, and also to parse schemas: so much
 * longer it may take. With the machine to itself a judgement takes a quarter of the time to parse its schema.
 */
function limitMs(): number {
  const parses = 400;
  return Math.max(2000, 0.5 * PAIRS * (parseTimes(parses).cpuMs / parses));
}

it.each(Object.entries<Crowd>(CROWDS))("200 contracts are judged on 50 candidates within 2 s: %s", (_, crowd) => {
  let { cpuMs, verdicts } = judgeAll(crowd);
  // A neighbour's burst is not ours.
  for (let again = 0; again < 3 && cpuMs >= 2000; again++) cpuMs = Math.min(cpuMs, judgeAll(crowd).cpuMs);
  expect(cpuMs).toBeLessThan(limitMs());
  const { ready = 0, "not-ready": notReady = 0 } = verdicts;
  expect(ready + notReady).toBe(PAIRS);
  expect(Math.min(ready, notReady)).toBeGreaterThan(2000);
});
