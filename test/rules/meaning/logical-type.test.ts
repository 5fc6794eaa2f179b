import { expect, test } from "vitest";
import { found, MICROS, MILLIS, nullable, of, reading } from "./readings.ts";

const named = (name: string) => ({ type: "string", "connect.name": name });

test("if text becomes JSON, the decoder returns the quotes as part of the text", () => {
  const { c } = reading(of(named("io.debezium.data.Json")), of("string"), { c: '"a"' });
  expect(c).toBe('"a"');
});

test.each([
  ["text to uuid", nullable("string"), nullable(named("io.debezium.data.Uuid")), true],
  ["json to xml", of(named("io.debezium.data.Json")), of(named("io.debezium.data.Xml")), true],
  ["a number to a timestamp", of("long"), of(MICROS), true],
  [
    "an instant to a time on the clock",
    of({ type: "long", logicalType: "timestamp-millis" }),
    of({ type: "long", logicalType: "local-timestamp-millis" }),
    true,
  ],
  [
    "Avro's name to Debezium's for the same type",
    of({ type: "long", logicalType: "timestamp-millis" }),
    of(MILLIS),
    false,
  ],
  [
    "only the version",
    of({ ...named("a.B"), "connect.version": 1 }),
    of({ ...named("a.B"), "connect.version": 2 }),
    false,
  ],
  [
    "an enum's labels",
    of({ ...named("io.debezium.data.Enum"), "connect.parameters": { allowed: "a" } }),
    of({ ...named("io.debezium.data.Enum"), "connect.parameters": { allowed: "a,b" } }),
    false,
  ],
  ["another Avro type, which Avro's rules find", of("string"), of({ type: "int", logicalType: "date" }), false],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected ? ["meaning/logical-type c"] : []);
});
