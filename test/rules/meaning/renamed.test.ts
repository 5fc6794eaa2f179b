import { expect, test } from "vitest";
import { found, of, reading, row } from "./readings.ts";

const text = (name: string) => ({ name, type: ["null", "string"], default: null });

test("a reader of name reads null once the column is called title", () => {
  expect(reading([text("title")], [text("name")], { title: "Ada" })).toEqual({ name: null });
});

test.each([
  ["one disappears and one of its type appears", [text("name")], [text("title")], ["meaning/renamed name"]],
  [
    "one of another type appears",
    [text("name")],
    [{ ...text("age"), type: ["null", "int"] }],
    ["meaning/dropped name"],
  ],
  ["it only disappears", [text("name"), text("title")], [text("title")], ["meaning/dropped name"]],
  ["it had no default, which Avro's rules find", of("string"), [{ name: "d", type: "string" }], []],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected);
});

test("a reader that knows the new name has no finding", () => {
  expect(found([text("name")], [text("title")], { row: row([text("name"), text("title")]) })).toEqual([]);
});
