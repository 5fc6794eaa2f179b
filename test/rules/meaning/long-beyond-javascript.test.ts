import avsc from "avsc";
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { found, nullable, of } from "./readings.ts";

test("avsc throws at a long beyond 2^53, and as a double it loses the last digits", () => {
  const bytes = Buffer.from("8280808080808020", "hex");
  expect(() => void avsc.Type.forSchema("long").fromBuffer(bytes)).toThrow("potential precision loss");
  const double = avsc.Type.forSchema("double");
  const long = avsc.Type.forSchema("long");
  expect(double.fromBuffer(bytes, double.createResolver(long))).toBe(9007199254740992);
});

test.each([
  ["kafkajs", ["meaning/long-beyond-javascript c"]],
  ["avsc", ["meaning/long-beyond-javascript c"]],
  ["java", []],
  [undefined, []],
])("int to long for %s", (runtime, expected) => {
  expect(found(nullable("int"), nullable("long"), { runtime })).toEqual(expected);
});

test("an int that becomes a long is a bigint for a consumer that asks for them", () => {
  const consumer = { runtime: "kafkajs", longs: "bigint" } as const;
  expect(found(nullable("int"), nullable("long"), consumer)).toEqual(["meaning/long-beyond-javascript c"]);
});

test("a field that was a long before is not a change", () => {
  expect(found(of("long"), of("long"), { runtime: "kafkajs" })).toEqual([]);
});
