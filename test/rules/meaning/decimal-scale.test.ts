import { expect, test } from "vitest";
import { atScale, decimal, found, nullable, of, reading, row, unscaled } from "./readings.ts";

test("12.34 of scale 2 is 0.1234 to a reader of scale 4", () => {
  const { c } = reading(of(decimal(10, 2)), of(decimal(10, 4)), { c: unscaled(1234) });
  expect([atScale(c, 2), atScale(c, 4)]).toEqual([12.34, 0.1234]);
});

test.each([
  ["another scale", of(decimal(10, 2)), of(decimal(10, 4)), true],
  ["nullable before and after", nullable(decimal(5, 2)), nullable(decimal(6, 1)), true],
  ["in an array", of({ type: "array", items: decimal(5, 2) }), of({ type: "array", items: decimal(5, 1) }), true],
  ["the same scale, by Avro's name and by Connect's", of(decimal(10, 2)), of(avroDecimal(10, 2)), false],
  ["no scale is scale 0", of(avroDecimal(10, undefined)), of(decimal(10, 0)), false],
  ["plain bytes", of("bytes"), of("bytes"), false],
])("%s", (_, before, after, expected) => {
  expect(found(before, after).includes("meaning/decimal-scale c")).toBe(expected);
});

test("a reader whose schema has the new scale is ready; one that never had the right scale has a finding", () => {
  const change = [of(decimal(10, 2)), of(decimal(10, 4))] as const;
  expect(found(...change, { row: row(of(decimal(10, 4))) })).toEqual([]);
  expect(found(...change, { row: row(of("bytes")) })).toEqual(["meaning/decimal-scale c"]);
  expect(found(of(decimal(10, 2)), of(decimal(10, 2)), { row: row(of(decimal(10, 4))) })).toEqual([
    "meaning/decimal-scale c",
  ]);
});

function avroDecimal(precision: number, scale: number | undefined) {
  return { type: "bytes", logicalType: "decimal", precision, ...(scale === undefined ? {} : { scale }) };
}
