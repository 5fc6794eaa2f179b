import { expect, test } from "vitest";
import { found, of, reading, row } from "./readings.ts";

const text = (name: string, more = {}) => ({ name, type: ["null", "string"], default: null, ...more });

test("a reader of a dropped column reads null", () => {
  expect(reading([], [text("name")], {})).toEqual({ name: null });
});

test.each([
  ["a nullable field disappears", [text("name")], [], ["meaning/dropped name"]],
  ["a field with a default disappears", [{ name: "n", type: "int", default: 1 }], [], ["meaning/dropped n"]],
  ["a field without a default disappears, which Avro's rules find", of("int"), [], []],
  ["another field of its type appears", [text("name")], [text("title")], ["meaning/renamed name"]],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});

test("a reader whose alias matches a different field still has a value", () => {
  const own = { row: row([text("name", { aliases: ["nick"] })]) };
  expect(found([text("name"), text("nick")], [text("nick")], own)).toEqual(["meaning/alias-collision name"]);
});
