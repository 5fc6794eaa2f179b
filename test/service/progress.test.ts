import { describe, expect, it, test } from "vitest";
import type { ChunkJob } from "../../src/chunk/job.ts";
import { progressOf, progressText, watchJobs } from "../../src/service/progress.ts";

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
    why: undefined,
    ...more,
  };
}

describe("progress is told", () => {
  test.each([
    [
      "with rate and time left",
      job(12_000),
      { at: 0, scanned: 0 },
      "12,000 of about 60,000 rows (20%), 1,200 rows/s, 40 s left",
    ],
    [
      "by what was read here, not before",
      job(32_000),
      { at: 0, scanned: 30_000 },
      "32,000 of about 60,000 rows (53%), 200 rows/s, 2 min left",
    ],
    ["before anything moved", job(0), { at: 10_000, scanned: 0 }, "0 of about 60,000 rows (0%)"],
    ["without statistics", job(500, { estimate: -1 }), { at: 0, scanned: 0 }, "500 rows, 50 rows/s"],
    ["beyond the estimate", job(70_000), { at: 0, scanned: 0 }, "70,000 of about 60,000 rows, 7,000 rows/s"],
    ["of a job that waits", job(100, { state: "waiting" }), { at: 0, scanned: 0 }, "100 of about 60,000 rows (0%)"],
    ["of a job not seen here", job(100), undefined, "100 of about 60,000 rows (0%)"],
  ])("%s", (_what, now, seen, text) => {
    expect(progressText(progressOf(now, seen, 10_000))).toBe(text);
  });
});

describe("watched jobs", () => {
  const watched = () => {
    const lines: string[] = [];
    return {
      lines,
      jobs: watchJobs({
        info: (_fields, message) => void lines.push(message),
        warn: (message) => void lines.push(message),
      }),
    };
  };

  it("are told of at their first step, then at most every 10 s", () => {
    const { lines, jobs } = watched();
    for (let at = 0; at <= 25_000; at += 250) jobs.note([job(at)], at);
    expect(lines).toEqual([
      "snapshot/shop.public.orders: 250 of about 60,000 rows (0%), 1,000 rows/s, 60 s left",
      "snapshot/shop.public.orders: 10,250 of about 60,000 rows (17%), 1,000 rows/s, 50 s left",
      "snapshot/shop.public.orders: 20,250 of about 60,000 rows (33%), 1,000 rows/s, 40 s left",
    ]);
  });

  it("do not count the time they waited for others", () => {
    const { lines, jobs } = watched();
    for (const at of [0, 50_000, 100_000]) jobs.note([job(0)], at);
    jobs.note([job(1_000)], 101_000);
    expect(lines).toEqual([expect.stringContaining("1,000 rows/s")]);
  });

  it("that wait for somebody or were refused are told of once, with the reason; those that are done are not", () => {
    const { lines, jobs } = watched();
    const why = {
      waiting: "about 9 rows: say all, or none",
      done: undefined,
      refused: "the table has no key",
    } as const;
    for (const state of ["waiting", "done", "refused"] as const) {
      for (const at of [0, 20_000]) jobs.note([job(at, { state, why: why[state] })], at);
    }
    expect(lines).toEqual([
      "snapshot/shop.public.orders: waiting: about 9 rows: say all, or none",
      "snapshot/shop.public.orders: refused: the table has no key",
    ]);
  });
});
