import { expect, test } from "vitest";
import { found, MICROS, MILLIS, nullable, of, reading, row } from "./readings.ts";

test("2023 in milliseconds is 1970 to a reader of microseconds", () => {
  const { c } = reading(of(MILLIS), of(MICROS), { c: Date.UTC(2023, 10, 14) });
  expect(new Date(Number(c) / 1000).getUTCFullYear()).toBe(1970);
});

const named = (type: string, name: string) => ({ type, "connect.name": name });

test.each([
  ["micros to millis", nullable(MICROS), nullable(MILLIS), true],
  ["by logicalType", of({ type: "long", logicalType: "timestamp-millis" }), of(MICROS), true],
  [
    "a time, although Avro promotes int to long",
    of(named("long", "io.debezium.time.MicroTime")),
    of(named("int", "io.debezium.time.Time")),
    true,
  ],
  ["nanoseconds", of(MICROS), of(named("long", "io.debezium.time.NanoTimestamp")), true],
  ["the same unit under another name", of(MILLIS), of({ type: "long", logicalType: "timestamp-millis" }), false],
  ["a plain long", of("long"), of("long"), false],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected ? ["meaning/time-unit c"] : []);
});

test("a reader's plain long has no unit, so it is not ready; a reader with the new unit is", () => {
  expect(found(of(MICROS), of(MILLIS), { row: row(of("long")) })).toEqual(["meaning/time-unit c"]);
  expect(found(of(MICROS), of(MILLIS), { row: row(of(MILLIS)) })).toEqual([]);
});
