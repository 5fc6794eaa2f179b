import { expect, test } from "vitest";
import { type Finding, messageText } from "../src/finding.ts";

const NEEDS = 'the reader needs "x" (int) and gives it no default, and the events do not have it';

test.each<[string, Finding["effect"], Finding["certainty"], string, string]>([
  ["throws", "throws", "always", NEEDS, `${NEEDS}; the decoder throws`],
  ["some data alone", "throws", "on-some-data", "it takes int", "it takes int; the decoder throws on some data"],
  ["not known", undefined, "always", "it takes int", "it takes int"],
  [
    "a column of a telling name",
    "reads-null-or-default",
    "always",
    'the alias of "default" (["null","int"])',
    'the alias of "default" (["null","int"]); null or a default is read',
  ],
  [
    "said already",
    "reads-null-or-default",
    "always",
    "who reads it reads its default",
    "who reads it reads its default",
  ],
  ["rejected, as the message has it", "throws", "always", "it rejects new fields", "it rejects new fields"],
  ["another unit", "reads-wrong-value", "always", "it would count ms", "it would count ms; a wrong value is read"],
  ["by how much", "reads-wrong-value", "always", "it is wrong by a factor of 100", "it is wrong by a factor of 100"],
  ["a policy", "decodes", "by-policy", "other names", "other names; it decodes, only the rule forbids it"],
])("a message tells once what happens when it is read: %s", (_what, effect, certainty, message, told) => {
  expect(messageText({ message, effect, certainty })).toBe(told);
});
