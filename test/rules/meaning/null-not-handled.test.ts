import { expect, test } from "vitest";
import { meaningFindings } from "../../../src/rules/meaning/meaning.ts";
import { found, nullable, of, reading, row } from "./readings.ts";

test("with the new schema, a row from before the column existed has null", () => {
  expect(reading([], nullable("string"), {})).toEqual({ c: null });
});

test.each([
  ["listed and nullable", nullable("string"), ["c"], ["meaning/null-not-handled c"]],
  ["not listed", nullable("string"), ["d"], []],
  ["never null", of("string"), ["c"], []],
])("%s", (_, after, fields, expected) => {
  expect(found([], after, { fields })).toEqual(expected);
});

test("it is only a warning, because a list of fields has no types", () => {
  expect(meaningFindings(row([]), row(nullable("int")), { fields: ["c"] })[0]?.severity).toBe("warning");
});
