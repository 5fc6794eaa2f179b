import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { found, nullable, of, reading } from "./readings.ts";

test("a reader of text destroys bytes that are not UTF-8", () => {
  const { c } = reading(of("bytes"), of("string"), { c: Buffer.from("fffe", "hex") });
  expect(Buffer.from(String(c)).toString("hex")).toBe("efbfbdefbfbd");
});

test("a reader of bytes gets the letters of a hex text", () => {
  const { c } = reading(of("string"), of("bytes"), { c: "ff" });
  expect(c).toEqual(Buffer.from("6666", "hex"));
});

test.each([
  ["bytes to string", of("bytes"), of("string"), true],
  ["string to bytes", nullable("string"), nullable("bytes"), true],
  ["the same", of("bytes"), of("bytes"), false],
])("%s", (_, before, after, expected) => {
  expect(found(before, after)).toEqual(expected ? ["meaning/string-or-bytes c"] : []);
});
