import { expect, it } from "vitest";
import { judgeAll } from "../perf/crowd.ts";

const LIMIT_MS = 2000;

it("200 contracts are judged on 50 candidates within 2 s", () => {
  const first = judgeAll();
  const best = first.ms < LIMIT_MS ? first.ms : Math.min(first.ms, judgeAll().ms);
  expect(best).toBeLessThan(LIMIT_MS);
  const { ready = 0, "not-ready": notReady = 0 } = first.verdicts;
  expect(ready + notReady).toBe(200 * 50);
  expect(Math.min(ready, notReady)).toBeGreaterThan(2000);
});
