import { expect, test } from "vitest";
import { type Finding, messageText } from "../src/finding.ts";

const NEEDS = 'the reader needs "x" (int) and has no default for it, but the events do not have it';

test.each<[string, Omit<Finding, "rule" | "severity" | "message">, string]>([
  ["the decoder throws", { effect: "throws", certainty: "always" }, `${NEEDS}; the decoder throws`],
  ["only some data", { effect: "throws", certainty: "on-some-data" }, `${NEEDS}; the decoder throws on some data`],
  ["unknown effect", { effect: undefined, certainty: "always" }, NEEDS],
  ["a default", { effect: "reads-null-or-default", certainty: "always" }, `${NEEDS}; null or a default is read`],
  ["a wrong value", { effect: "reads-wrong-value", certainty: "always" }, `${NEEDS}; a wrong value is read`],
  ["only a rule", { effect: "decodes", certainty: "by-policy" }, `${NEEDS}; it decodes, only the rule forbids it`],
  ["stated by the message", { effect: "throws", effectStated: true, certainty: "always" }, NEEDS],
])("a message is followed by its effect, unless it states it: %s", (_case, finding, shown) => {
  expect(messageText({ ...finding, message: NEEDS })).toBe(shown);
});
