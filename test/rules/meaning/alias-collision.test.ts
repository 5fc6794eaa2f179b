import { expect, test } from "vitest";
import { found, reading, row } from "./readings.ts";

const text = (name: string, more = {}) => ({ name, type: ["null", "string"], default: null, ...more });
const READER = [text("title", { aliases: ["name"] })];

test("a reader's title is filled from a different column called name", () => {
  expect(reading([text("title")], READER, { title: "Dr" })).toEqual({ title: "Dr" });
  expect(reading([text("name")], READER, { name: "Ada" })).toEqual({ title: "Ada" });
});

test.each([
  ["title disappears, name appears", [text("title")], [text("name")], true],
  ["name was the source before, too", [text("name")], [text("name")], false],
  ["the rename that the alias is for", [text("name")], [text("title")], false],
  ["both exist, which Avro's rules find", [text("title")], [text("title"), text("name")], false],
])("%s", (_, before, after, expected) => {
  const rules = found(before, after, { row: row(READER) });
  expect(rules.includes("meaning/alias-collision title")).toBe(expected);
});
