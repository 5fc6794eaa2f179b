import { expect, test } from "vitest";
import { found, of, reading, row } from "./readings.ts";

const text = (name: string) => ({ name, type: ["null", "string"], default: null });

test("a reader of name reads null once the column is called title", () => {
  expect(reading([text("title")], [text("name")], { title: "Ada" })).toEqual({ name: null });
});

test.each([
  ["one goes, one of its type comes", [text("name")], [text("title")], ["meaning/renamed name"]],
  ["another type comes", [text("name")], [{ ...text("age"), type: ["null", "int"] }], ["meaning/dropped name"]],
  ["it only goes", [text("name"), text("title")], [text("title")], ["meaning/dropped name"]],
  ["it had no default: Avro tells", of("string"), [{ name: "d", type: "string" }], []],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});

test("a reader that knows the new name is not told", () => {
  expect(found([text("name")], [text("title")], { row: row([text("name"), text("title")]) })).toEqual([]);
});
