import { expect, test } from "vitest";
import { meaningFindings } from "../../../src/rules/meaning/meaning.ts";
import { found, of, reading, row } from "./readings.ts";

const withDefault = (value: number) => [{ name: "c", type: "int", default: value }];

test("an event from before the column existed is filled with the reader's default", () => {
  expect(reading([], withDefault(5), {})).toEqual({ c: 5 });
  expect(reading([], withDefault(7), {})).toEqual({ c: 7 });
});

test.each([
  ["another default", withDefault(5), withDefault(7), ["meaning/default-changed c"]],
  ["the default is gone, which Avro's rules find", withDefault(5), of("int"), []],
  ["the same", withDefault(5), withDefault(5), []],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});

test("only a reader that fills in the old default by its own schema has an error", () => {
  const severity = (own?: number) =>
    meaningFindings(
      row(withDefault(5)),
      row(withDefault(7)),
      own === undefined ? {} : { row: row(withDefault(own)) },
    ).map((finding) => finding.severity);
  expect([severity(), severity(5), severity(7), severity(6)]).toEqual([["warning"], [undefined], [], ["warning"]]);
});
