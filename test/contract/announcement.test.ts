import { expect, test } from "vitest";
import { decodeAnnouncement, encodeAnnouncement, readerFingerprint } from "../../src/contract/announcement.ts";

test("an announcement is read as it was written", () => {
  const said = new Map([["inventory.public.customers", readerFingerprint("string")]]);
  expect(decodeAnnouncement(encodeAnnouncement(said))).toEqual(said);
});

test.each([
  ["nothing", ""],
  ["bytes that are not text", "\u0000\u0001"],
  ["JSON from another client", '{"generation":7}'],
  ["a fingerprint that is not text", '{"fieldgate":1,"readers":{"t":1}}'],
  ["no readers", '{"fieldgate":1,"readers":[]}'],
  ["a later version", '{"fieldgate":2,"readers":{}}'],
])("user data with %s announces nothing", (_, text) => {
  expect(decodeAnnouncement(Buffer.from(text))).toBeUndefined();
});

test("a default changes a schema's fingerprint, but the order of its keys does not", () => {
  const field = { name: "id", type: "int" };
  const turned = { type: "int", name: "id" };
  expect(readerFingerprint(field)).toBe(readerFingerprint(turned));
  expect(readerFingerprint({ ...field, default: 0 })).not.toBe(readerFingerprint(field));
});
