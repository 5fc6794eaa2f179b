import { expect, test } from "vitest";
import { found, reading, row } from "./readings.ts";

const text = (name: string, more = {}) => ({ name, type: ["null", "string"], default: null, ...more });
const READER = [text("title", { aliases: ["name"] })];

test("a reader's title is filled from another column that is called name", () => {
  expect(reading([text("title")], READER, { title: "Dr" })).toEqual({ title: "Dr" });
  expect(reading([text("name")], READER, { name: "Ada" })).toEqual({ title: "Ada" });
});

test.each([
  ["title goes, name comes", [text("title")], [text("name")], true],
  ["name was it already", [text("name")], [text("name")], false],
  ["the rename it is made for", [text("name")], [text("title")], false],
  ["both are there: Avro tells", [text("title")], [text("title"), text("name")], false],
])("%s", (_, before, after, expected) => {
  const rules = found(before, after, { row: row(READER) });
  expect(rules.includes("meaning/alias-collision title")).toBe(expected);
});
