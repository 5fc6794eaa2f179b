import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { found, of, reading } from "./readings.ts";

test("avsc takes the first matching branch: bytes are read as text if text is first", () => {
  const bytes = { c: Buffer.from("fffe", "hex") };
  expect(reading(of(["null", "bytes", "string"]), of(["null", "string", "bytes"]), bytes)).toEqual({
    c: "\uFFFD\uFFFD",
  });
});

const BYTES_FIRST = of(["null", "bytes", "string"]);
const STRING_FIRST = of(["null", "string", "bytes"]);

test.each([
  ["reordered", BYTES_FIRST, STRING_FIRST, undefined, true],
  ["reordered, for kafkajs, which runtime/first-fit finds", BYTES_FIRST, STRING_FIRST, "kafkajs", false],
  ["reordered, for an unknown runtime", BYTES_FIRST, STRING_FIRST, "hamba", true],
  ["Java takes the exact branch", BYTES_FIRST, STRING_FIRST, "java", false],
  ["null's place does not matter", of(["null", "int"]), of(["int", "null"]), undefined, false],
  ["branches that cannot be read as each other", of(["int", "string"]), of(["string", "int"]), undefined, false],
  ["another branch, which Avro's rules find", of(["int", "string"]), of(["long", "int", "string"]), undefined, false],
])("%s", (_, before, after, runtime, expected) => {
  expect(found(before, after, { runtime })).toEqual(expected ? ["meaning/union-order c"] : []);
});
