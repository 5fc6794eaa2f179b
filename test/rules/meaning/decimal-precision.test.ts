import { expect, test } from "vitest";
import { meaningFindings } from "../../../src/rules/meaning/meaning.ts";
import { atScale, decimal, found, of, reading, row, unscaled } from "./readings.ts";

test("1234567.89, written with ten digits, is read with a type of five", () => {
  const { c } = reading(of(decimal(10, 2)), of(decimal(5, 2)), { c: unscaled(123456789) });
  expect(atScale(c, 2)).toBe(1234567.89);
});

test.each([
  [5, 10, undefined],
  [10, 5, "warning"],
])("%i digits to %i", (before, after, severity) => {
  const [finding] = meaningFindings(row(of(decimal(before, 2))), row(of(decimal(after, 2))));
  expect([finding?.rule, finding?.severity]).toEqual(["meaning/decimal-precision", severity]);
});

test("a changed scale is only a finding of decimal-scale", () => {
  expect(found(of(decimal(5, 2)), of(decimal(6, 1)))).toEqual(["meaning/decimal-scale c"]);
});

test.each([
  ["with room for more digits has no finding", 5, 10, 14, []],
  ["that always had room for more has no finding", 10, 10, 14, []],
  ["with less room than the events have has a finding", 10, 10, 5, ["meaning/decimal-precision c"]],
])("a reader %s", (_, before, after, own, expected) => {
  const change = [of(decimal(before, 2)), of(decimal(after, 2))] as const;
  expect(found(...change, { row: row(of(decimal(own, 2))) })).toEqual(expected);
});
