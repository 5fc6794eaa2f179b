import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { advance, type ChunkJob, type ChunkStep, newJob, nextJob, startOver } from "../../src/chunk/job.ts";
import { attnum } from "../../src/table/column.ts";

const JOB: ChunkJob = {
  id: "backfill/inventory.public.t/3",
  topic: "inventory.public.t",
  kind: "backfill",
  column: attnum(3),
  due: "not-null",
  cursor: undefined,
  again: [],
  rows: 0,
  scanned: 0,
  estimate: 10,
  state: "running",
  reason: undefined,
};
const STEP: ChunkStep = { published: 2, scanned: 3, last: ["3"], order: "1:23", done: false, again: [] };

describe("a job after a window", () => {
  const cases: [string, Partial<ChunkJob>, Partial<ChunkStep>, Partial<ChunkJob>][] = [
    ["a full range moves the cursor", {}, {}, { cursor: ["3"], rows: 2, scanned: 3, state: "running" }],
    ["the last range ends the job", { cursor: ["3"] }, { last: ["5"], done: true }, { cursor: ["5"], state: "done" }],
    [
      "an empty range ends the job and keeps the cursor",
      { cursor: ["5"] },
      { published: 0, scanned: 0, last: undefined, done: true },
      { cursor: ["5"], state: "done", rows: 0 },
    ],
    [
      "keys to read again keep the job running at the end of the table",
      {},
      { done: true, again: [["2"]] },
      { cursor: ["3"], again: [["2"]], state: "running" },
    ],
    [
      "keys that were read again do not move the cursor",
      { cursor: ["3"], again: [["2"]] },
      { last: undefined, done: true },
      { cursor: ["3"], again: [], state: "running" },
    ],
    [
      "a key that is touched while it is read again is read once more",
      { cursor: ["3"], again: [["2"], ["1"]] },
      { published: 1, again: [["2"]] },
      { cursor: ["3"], again: [["2"]], rows: 1 },
    ],
    ["counts add up", { rows: 7, scanned: 9 }, {}, { rows: 9, scanned: 12 }],
  ];

  it.each(cases)("%s", (_, job, step, expected) => {
    expect(advance({ ...JOB, ...job }, { ...STEP, ...step })).toMatchObject(expected);
  });

  law.prop([fc.array(fc.record({ rows: fc.nat({ max: 3 }), touched: fc.boolean() }), { maxLength: 20 })])(
    "a table is read to its end exactly once, including every key that had to be read again",
    (windows) => {
      const keys = Array.from({ length: 10 }, (_, index) => String(index));
      const published: string[] = [];
      let job = JOB;
      let reads = 0;
      for (let at = 0; job.state === "running"; at++) {
        const { rows = 3, touched = false } = windows[at] ?? {};
        const from = job.cursor === undefined ? 0 : keys.indexOf(job.cursor[0] ?? "") + 1;
        const range = keys.slice(from, from + rows + 1);
        const read = job.again.length > 0 ? job.again.flat() : range;
        const again = touched ? read.slice(0, 1) : [];
        published.push(...read.filter((key) => !again.includes(key)));
        const last = job.again.length > 0 || range.length === 0 ? undefined : [range.at(-1) ?? ""];
        const done = job.again.length === 0 && from + range.length === keys.length;
        job = advance(job, {
          published: read.length - again.length,
          scanned: read.length,
          last,
          order: "1:23",
          done,
          again: again.map((key) => [key]),
        });
        expect(++reads).toBeLessThan(100);
      }
      expect(published.toSorted()).toEqual(keys);
      expect(job.rows).toBe(keys.length);
    },
  );
});

describe("the next job", () => {
  const named = (id: string, more: Partial<ChunkJob> = {}): ChunkJob => ({ ...JOB, id, ...more });
  const cases: [string, readonly ChunkJob[], string | undefined][] = [
    ["none when there is no job", [], undefined],
    ["the first that is running", [named("a"), named("b")], "a"],
    ["a snapshot before a backfill", [named("a"), named("b", { kind: "snapshot" })], "b"],
    [
      "none when all wait, are done or are refused",
      [
        named("a", { state: "waiting" }),
        named("b", { state: "done", kind: "snapshot" }),
        named("c", { state: "refused" }),
      ],
      undefined,
    ],
  ];

  it.each(cases)("%s", (_, jobs, expected) => {
    expect(nextJob(jobs)?.id).toBe(expected);
  });
});

it("a job that starts over has no cursor, no order and no keys to read again", () => {
  const job = { ...newJob("snapshot/t", "t", "snapshot"), cursor: ["3"], order: "1:23", again: [["1"]], rows: 3 };
  expect(startOver(job)).toEqual({ ...job, cursor: undefined, order: undefined, again: [] });
});
