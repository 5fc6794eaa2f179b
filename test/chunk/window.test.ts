import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { MARK_PREFIX, markOf } from "../../src/chunk/mark.ts";
import { openWindow, seesAll, sift, touch } from "../../src/chunk/window.ts";
import { lsn } from "../../src/wal/lsn.ts";
import { parseSnapshot } from "../../src/wal/snapshot.ts";

interface Change {
  readonly keys: readonly string[];
  readonly incomplete: boolean;
}

describe("what a chunk may publish", () => {
  const cases: [string, readonly Change[], readonly number[], readonly number[]][] = [
    ["all rows when nothing changed", [], [0, 1, 2], []],
    ["no row that changed between the marks", [{ keys: ["b"], incomplete: false }], [0, 2], []],
    ["neither the old nor the new key of a row whose key changed", [{ keys: ["a", "c"], incomplete: false }], [1], []],
    ["all rows when only keys outside the chunk changed", [{ keys: ["z"], incomplete: false }], [0, 1, 2], []],
    [
      "not a row whose change left out a large value: it is read again",
      [{ keys: ["b"], incomplete: true }],
      [0, 2],
      [1],
    ],
    [
      "and then a change with it: not again",
      [
        { keys: ["b"], incomplete: true },
        { keys: ["b"], incomplete: false },
      ],
      [0, 2],
      [],
    ],
    [
      "with it and then a change without it: again",
      [
        { keys: ["b"], incomplete: false },
        { keys: ["b"], incomplete: true },
      ],
      [0, 2],
      [1],
    ],
  ];

  it.each(cases)("%s", (_, changes, publish, again) => {
    const window = openWindow("n", []);
    for (const { keys, incomplete } of changes) touch(window, keys, incomplete);
    expect(sift(window, ["a", "b", "c"])).toEqual({ publish, again });
  });

  const key: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c", "d");
  const change = fc.record({ keys: fc.array(key, { minLength: 1, maxLength: 2 }), incomplete: fc.boolean() });
  law.prop([fc.array(change), fc.uniqueArray(key)])(
    "no row that a change touched is published, every other one is",
    (changes, rows) => {
      const window = openWindow("n", []);
      for (const { keys, incomplete } of changes) touch(window, keys, incomplete);
      const { publish, again } = sift(window, rows);
      const touched = new Set(changes.flatMap(({ keys }) => keys));
      expect(publish.map((index) => rows[index])).toEqual(rows.filter((row) => !touched.has(row)));
      const lastOf = (row: string) => changes.findLast(({ keys }) => keys.includes(row));
      expect(again.map((index) => rows[index])).toEqual(rows.filter((row) => lastOf(row)?.incomplete));
    },
  );
});

describe("a window that touches very many keys", () => {
  it("is abandoned, and its chunk is read again", () => {
    const window = openWindow("n", []);
    for (let key = 0; key < 100_000; key++) touch(window, [String(key)], false);
    expect(window.spoiled).toBe(false);
    touch(window, ["one more"], true);
    expect(window.spoiled).toBe(true);
    for (let key = 0; key < 10; key++) touch(window, [String(key)], true);
    expect(window.touched.size + window.incomplete.size).toBeLessThan(5);
  });
});

describe("whether a chunk sees everything that was delivered before its window", () => {
  const cases: [string, readonly number[], string, boolean][] = [
    ["nothing was delivered", [], "10:10:", true],
    ["all transactions have finished", [7, 9], "10:10:", true],
    ["one transaction is not visible yet", [7, 10], "10:12:10", false],
    ["one transaction began after the snapshot", [12], "10:12:", false],
    ["one transaction has finished while others are in progress", [11], "10:12:10", true],
    ["across the epoch: 2^32 + 3 is transaction 3", [3], "4294967300:4294967300:", true],
    ["a transaction of the previous epoch has long finished", [4_294_967_290], "4294967300:4294967300:", true],
  ];

  it.each(cases)("%s", (_, delivered, snapshot, expected) => {
    expect(seesAll(openWindow("n", delivered), parseSnapshot(snapshot))).toBe(expected);
  });

  it("transactions delivered after the window opened do not count", () => {
    const delivered = new Set([7]);
    const window = openWindow("n", delivered);
    delivered.add(99);
    expect(window.before).toEqual([7]);
  });
});

describe("our marks in the log", () => {
  const message = (content: string, more: { prefix?: string; transactional?: boolean } = {}) => ({
    kind: "message" as const,
    transactional: true,
    lsn: lsn(1n),
    prefix: MARK_PREFIX,
    content: Buffer.from(content),
    ...more,
  });
  it.each([
    ["a low mark", message("low:abc"), { kind: "low", nonce: "abc" }],
    ["a high mark", message("high:abc"), { kind: "high", nonce: "abc" }],
    ["the mark of a transaction id", message("track"), undefined],
    ["another prefix", message("low:abc", { prefix: "other" }), undefined],
    ["not in a transaction, and so delivered too early", message("low:abc", { transactional: false }), undefined],
    ["no nonce", message("low"), undefined],
  ])("%s", (_, given, expected) => {
    expect(markOf(given)).toEqual(expected);
  });
});
