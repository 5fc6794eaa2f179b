import { expect, test } from "vitest";
import { found, MICROS, MILLIS, of, reading } from "./readings.ts";

const DATE = { type: "int", "connect.name": "io.debezium.time.Date" };

test("day 19723 (2024-01-01) is 20 seconds into 1970 to a reader of timestamps", () => {
  const { c } = reading(of(DATE), of(MILLIS), { c: 19_723 });
  expect(new Date(Number(c)).toISOString()).toBe("1970-01-01T00:00:19.723Z");
});

test.each([
  ["date to timestamp", of(DATE), of(MICROS), ["meaning/date-or-timestamp c"]],
  ["timestamp to time", of(MICROS), of({ type: "long", logicalType: "time-micros" }), ["meaning/date-or-timestamp c"]],
  ["the same date under another name", of(DATE), of({ type: "int", logicalType: "date" }), []],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});
