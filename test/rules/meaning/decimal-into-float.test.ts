import { expect, test } from "vitest";
import { atScale, decimal, found, of, reading } from "./readings.ts";

test('the text "12.34" is 2112952860.68-odd to a reader of decimals', () => {
  const { c } = reading(of("string"), of(decimal(10, 2)), { c: "12.34" });
  expect(atScale(c, 2)).toBe(2112952860.68);
});

test("a double loses digits of a decimal", () => {
  const { c } = reading(of("double"), of("double"), { c: Number("12345678901234567.89") });
  expect(c).toBe(12345678901234568);
});

test.each([
  ["decimal to double", of(decimal(10, 2)), of("double"), ["meaning/decimal-into-float c"]],
  ["decimal to string", of(decimal(10, 2)), of("string"), ["meaning/decimal-into-float c"]],
  ["string to decimal", of("string"), of(decimal(10, 2)), ["meaning/decimal-into-float c"]],
  ["decimal to bytes, which another rule finds", of(decimal(10, 2)), of("bytes"), ["meaning/logical-type c"]],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});
