import { expect, test } from "vitest";
import { found, nullable, of, reading, row } from "./readings.ts";

test("a consumer that decodes with the writer's schema gets null without an error", () => {
  expect(reading(nullable("string"), nullable("string"), { c: null })).toEqual({ c: null });
  expect(() => reading(nullable("string"), of("string"), { c: null })).toThrow(/cannot read|incompatible|resolve/);
});

test.each([
  ["not null lost", of("int"), nullable("int"), ["meaning/not-null-lost c"]],
  ["not null set", nullable("int"), of("int"), []],
  ["nullable before", nullable("int"), nullable("int"), []],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});

test("a reader that accepts null has no finding", () => {
  expect(found(of("int"), nullable("int"), { row: row(nullable("int")) })).toEqual([]);
});
