import { expect, test } from "vitest";
import { found, of, reading, row } from "./readings.ts";

const text = (name: string, more = {}) => ({ name, type: ["null", "string"], default: null, ...more });

test("a reader of a dropped column reads null", () => {
  expect(reading([], [text("name")], {})).toEqual({ name: null });
});

test.each([
  ["a nullable field goes", [text("name")], [], ["meaning/dropped name"]],
  ["a field with a default goes", [{ name: "n", type: "int", default: 1 }], [], ["meaning/dropped n"]],
  ["it had no default: Avro tells", of("int"), [], []],
  ["another one of its type comes", [text("name")], [text("title")], ["meaning/renamed name"]],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});

test("a reader whose alias stands for another field still has a value", () => {
  const own = { row: row([text("name", { aliases: ["nick"] })]) };
  expect(found([text("name"), text("nick")], [text("nick")], own)).toEqual(["meaning/alias-collision name"]);
});
