import fc from "fast-check";
import { expect, test } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { NULL_VALUE, readTuple, skipTuple, TEXT_VALUE, tupleFrom, tupleSlots } from "../../src/wal/tuple.ts";

test("a row is written as pgoutput writes it", () => {
  expect(tupleFrom(["7", null, Buffer.from("ü"), ""]).toString("latin1")).toBe(
    "\0\x04t\0\0\0\x017nt\0\0\0\x02\xc3\xbct\0\0\0\0",
  );
});

test("a row that was written is read back, at any offset", () => {
  const values = fc.array(fc.option(fc.string({ unit: "grapheme" }), { nil: null }));
  const around = fc.uint8Array({ maxLength: 9 });
  fc.assert(
    fc.property(values, around, around, (written, before, after) => {
      const row = tupleFrom(written);
      const bytes = Buffer.concat([before, row, after]);
      const slots = tupleSlots();
      const end = readTuple(bytes, before.length, slots);
      expect(end).toBe(before.length + row.length);
      expect(skipTuple(bytes, before.length)).toBe(end);
      const read = Array.from({ length: slots.count }, (_, i) =>
        slots.kind[i] === NULL_VALUE ? null : bytes.toString("utf8", slots.start[i], slots.end[i]),
      );
      expect(read).toEqual(written);
    }),
  );
});

test("slots are refilled from the start", () => {
  const slots = tupleSlots();
  readTuple(tupleFrom(["a", "b", "c"]), 0, slots);
  readTuple(tupleFrom(["x"]), 0, slots);
  expect([slots.count, slots.kind[0]]).toEqual([1, TEXT_VALUE]);
});

test.each([
  ["cut before the count", "\0"],
  ["cut before a tag", "\0\x01"],
  ["cut in a length", "\0\x01t\0\0"],
  ["cut in a value", "\0\x01t\0\0\0\x05ab"],
  ["with a negative length", "\0\x01t\xff\xff\xff\xff"],
  ["with an unknown tag", "\0\x01z"],
  ["with more columns than a table can have", "\xff\xff"],
])("a row %s is refused", (_what, text) => {
  const bytes = Buffer.from(text, "latin1");
  expect(() => readTuple(bytes, 0, tupleSlots())).toThrow(GuardError);
  expect(() => skipTuple(bytes, 0)).toThrow(GuardError);
});
