import fc from "fast-check";
import { expect, test } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { isVisible, parseSnapshot } from "../../src/wal/snapshot.ts";

test.each([
  ["730:730:", { xmin: 730n, xmax: 730n, inProgress: new Set() }],
  ["10:20:10,14,15", { xmin: 10n, xmax: 20n, inProgress: new Set([10n, 14n, 15n]) }],
  ["4294967300:4294967301:", { xmin: 4294967300n, xmax: 4294967301n, inProgress: new Set() }],
])("%s is read", (text, snapshot) => {
  expect(parseSnapshot(text)).toEqual(snapshot);
});

test.each(["", "1:2", "1:2:3,", "1:2:a", "-1:2:", "1:2:3:4", " 1:2:"])("%j is refused", (text) => {
  expect(() => parseSnapshot(text)).toThrow(GuardError);
});

test.each([
  ["10:20:10,14", 9, true, "below xmin"],
  ["10:20:10,14", 10, false, "in progress"],
  ["10:20:10,14", 11, true, "finished"],
  ["10:20:10,14", 14, false, "in progress"],
  ["10:20:10,14", 20, false, "not started"],
  ["10:20:10,14", 21, false, "not started"],
  ["730:730:", 730, false, "streamed before it became visible"],
  ["4294967300:4294967300:", 3, true, "epoch 1, below"],
  ["4294967300:4294967300:", 4, false, "epoch 1, not started"],
  ["4294967300:4294967300:", 4294967295, true, "still epoch 0"],
  ["4294967290:4294967300:4294967295", 4294967295, false, "in progress across the wrap"],
  ["4294967290:4294967300:4294967295", 4294967294, true, "finished across the wrap"],
  ["1000:1000:", 4294967000, false, "before the first epoch: no such transaction"],
])("with %s transaction %d is visible: %s (%s)", (snapshot, xid, visible) => {
  expect(isVisible(parseSnapshot(snapshot), xid)).toBe(visible);
});

/** A snapshot in any epoch, with a 64-bit transaction near it. */
const near = fc
  .record({
    xmin: fc.bigInt({ min: 3n, max: 1n << 40n }),
    width: fc.bigInt({ min: 0n, max: 50n }),
    open: fc.uniqueArray(fc.bigInt({ min: 0n, max: 49n }), { maxLength: 8 }),
    distance: fc.oneof(fc.bigInt({ min: -60n, max: 60n }), fc.bigInt({ min: -(1n << 31n), max: (1n << 31n) - 1n })),
  })
  .map(({ xmin, width, open, distance }) => ({
    xmin,
    xmax: xmin + width,
    open: open.filter((offset) => offset < width).map((offset) => xmin + offset),
    xid: xmin + width + distance,
  }))
  .filter(({ xid }) => xid >= 0n);

test("32-bit ids give the same answer as 64-bit ids", () => {
  fc.assert(
    fc.property(near, ({ xmin, xmax, open, xid }) => {
      const plain = xid < xmin || (xid < xmax && !open.includes(xid));
      const snapshot = parseSnapshot(`${xmin}:${xmax}:${open.join(",")}`);
      expect(isVisible(snapshot, Number(xid & 0xffff_ffffn))).toBe(plain);
    }),
    { numRuns: 2000 },
  );
});
