import fc from "fast-check";
import { expect, test } from "vitest";
import { formatLsn, lsn, parseLsn } from "../../src/wal/lsn.ts";

test.each([
  ["0/0", 0n],
  ["16/B374D848", 0x16b374d848n],
  ["16/B", 0x160000000bn],
  ["FFFFFFFF/ffffffff", 0xffffffffffffffffn],
  ["", undefined],
  ["16", undefined],
  ["16/", undefined],
  ["1/123456789", undefined],
  ["g/0", undefined],
])("%j is read", (text, value) => {
  expect(parseLsn(text)).toBe(value);
});

test("an LSN that was formatted parses to itself", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), (value) => {
      expect(parseLsn(formatLsn(lsn(value)))).toBe(value);
    }),
  );
});
