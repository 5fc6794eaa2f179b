import { expect, it } from "vitest";
import { CROWDS, type Crowd, judgeAll, parseTimes } from "../perf/crowd.ts";

const PAIRS = 200 * 50;

/**
 * 2 s of processor time, or more if the machine is busy with other work. How busy it is shows in the time to parse a
 * schema, four times as long as a judgement on an idle machine.
 */
function limitMs(): number {
  const parses = 400;
  return Math.max(2000, 0.5 * PAIRS * (parseTimes(parses).cpuMs / parses));
}

/** Of the wall clock: a machine that is busy with other work is tried four times. */
const TIMEOUT_MS = 240_000;

it.each(Object.entries<Crowd>(CROWDS))(
  "200 contracts are judged on 50 candidates within 2 s: %s",
  (_, crowd) => {
    let { cpuMs, verdicts } = judgeAll(crowd);
    // Try again in case other work was to blame.
    for (let again = 0; again < 3 && cpuMs >= 2000; again++) cpuMs = Math.min(cpuMs, judgeAll(crowd).cpuMs);
    expect(cpuMs).toBeLessThan(limitMs());
    const { ready = 0, "not-ready": notReady = 0 } = verdicts;
    expect(ready + notReady).toBe(PAIRS);
    expect(Math.min(ready, notReady)).toBeGreaterThan(2000);
  },
  TIMEOUT_MS,
);
