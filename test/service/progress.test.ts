import { describe, expect, it, test } from "vitest";
import type { ChunkJob } from "../../src/chunk/job.ts";
import { progressOf, trackJobs } from "../../src/service/progress.ts";
import { renderProgress } from "../../src/words/progress.ts";

function job(scanned: number, more: Partial<ChunkJob> = {}): ChunkJob {
  return {
    id: "snapshot/shop.public.orders",
    topic: "shop.public.orders",
    kind: "snapshot",
    column: undefined,
    due: "all",
    cursor: undefined,
    again: [],
    rows: scanned,
    scanned,
    estimate: 60_000,
    state: "running",
    reason: undefined,
    ...more,
  };
}

describe("the progress of a job reads", () => {
  test.each([
    [
      "with its rate and the time left",
      job(12_000),
      { at: 0, scanned: 0 },
      "12,000 of about 60,000 rows (20%), 1,200 rows/s, 40 s left",
    ],
    [
      "by what this process has read",
      job(32_000),
      { at: 0, scanned: 30_000 },
      "32,000 of about 60,000 rows (53%), 200 rows/s, 2 min left",
    ],
    ["before its first step", job(0), { at: 10_000, scanned: 0 }, "0 of about 60,000 rows (0%)"],
    [
      "without statistics",
      job(500, { estimate: -1 }),
      { at: 0, scanned: 0 },
      "500 rows of an unknown number, 50 rows/s",
    ],
    ["of one row", job(1, { estimate: 1 }), { at: 0, scanned: 0 }, "1 of about 1 row"],
    ["with the first row of an unknown number", job(1, { estimate: -1 }), undefined, "1 row of an unknown number"],
    ["of one row a second", job(10, { estimate: -1 }), { at: 0, scanned: 0 }, "10 rows of an unknown number, 1 row/s"],
    ["beyond the estimate", job(70_000), { at: 0, scanned: 0 }, "70,000 of about 60,000 rows, 7,000 rows/s"],
    ["while it waits", job(100, { state: "waiting" }), { at: 0, scanned: 0 }, "100 of about 60,000 rows (0%)"],
    ["before this process works on it", job(100), undefined, "100 of about 60,000 rows (0%)"],
  ])("%s", (_what, now, seen, text) => {
    expect(renderProgress(progressOf(now, seen, 10_000))).toBe(text);
  });
});

describe("tracked jobs", () => {
  const tracked = () => {
    const lines: string[] = [];
    return {
      lines,
      jobs: trackJobs({
        info: (_fields, message) => void lines.push(message),
        warn: (message) => void lines.push(message),
      }),
    };
  };

  it("are logged at their first step, then at most every 10 s", () => {
    const { lines, jobs } = tracked();
    for (let at = 0; at <= 25_000; at += 250) jobs.update([job(at)], at);
    expect(lines).toEqual([
      "snapshot/shop.public.orders: 250 of about 60,000 rows (0%), 1,000 rows/s, 60 s left",
      "snapshot/shop.public.orders: 10,250 of about 60,000 rows (17%), 1,000 rows/s, 50 s left",
      "snapshot/shop.public.orders: 20,250 of about 60,000 rows (33%), 1,000 rows/s, 40 s left",
    ]);
  });

  it("do not count the time they were queued", () => {
    const { lines, jobs } = tracked();
    for (const at of [0, 50_000, 100_000]) jobs.update([job(0)], at);
    jobs.update([job(1_000)], 101_000);
    expect(lines).toEqual([expect.stringContaining("1,000 rows/s")]);
  });

  it("that wait for a person or were refused are logged once, with the reason; finished ones are not", () => {
    const { lines, jobs } = tracked();
    const reasons = {
      waiting: { kind: "too-many-rows", rows: 9, amendment: "t/3" },
      done: undefined,
      refused: { kind: "keyless" },
    } as const;
    for (const state of ["waiting", "done", "refused"] as const) {
      for (const at of [0, 20_000]) jobs.update([job(at, { state, reason: reasons[state] })], at);
    }
    expect(lines).toEqual([
      "snapshot/shop.public.orders: waiting: about 9 rows: start it with fieldgate release t/3 --backfill all, or decline it with none",
      "snapshot/shop.public.orders: refused: the table has no key",
    ]);
  });
});
