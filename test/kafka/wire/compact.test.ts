import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { compactList, compactReader, compactText, NO_TAGS } from "../../../src/kafka/wire/compact.ts";

const texts = fc.array(
  fc.string({ maxLength: 300, unit: "binary" }).map((text) => text.toWellFormed()),
  { maxLength: 200 },
);

test.prop([texts])("texts and lists are read as they were written", (written) => {
  const reader = compactReader(Buffer.concat([compactList(written.map(compactText)), NO_TAGS]));
  expect(reader.list(() => reader.text())).toEqual(written);
  reader.tags();
  expect(() => reader.int8()).toThrow(RangeError);
});

describe("a message in Kafka's newer format", () => {
  it("has numbers, null for a text or a list, and tagged fields, which are skipped with their contents", () => {
    const numbers = [0xff, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0, 0, 1, 0];
    const tagged = [2, 0, 1, 0xaa, 5, 2, 0xaa, 0xaa];
    const reader = compactReader(Buffer.from([...numbers, 0, 0, ...tagged, 7]));
    expect([reader.int8(), reader.int16(), reader.int32(), reader.int64()]).toEqual([-1, 256, -2_147_483_648, 256n]);
    expect([reader.text(), reader.list(() => 1)]).toEqual([undefined, []]);
    reader.tags();
    expect(reader.int8()).toBe(7);
  });

  it.each<[string, number[], (reader: ReturnType<typeof compactReader>) => unknown]>([
    ["a text that is longer than the message", [10, 65], (reader) => reader.text()],
    [
      "a list that is longer than the message",
      [0xff, 0xff, 0xff, 0x7f, 65],
      (reader) => reader.list(() => reader.int8()),
    ],
    ["a size that does not end", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], (reader) => reader.text()],
    ["a number at the end", [0], (reader) => reader.int16()],
    ["more to skip than there is", [0], (reader) => reader.skip(2)],
  ])("is refused if it contains %s", (_, bytes, read) => {
    expect(() => read(compactReader(Buffer.from(bytes)))).toThrow(RangeError);
  });
});
