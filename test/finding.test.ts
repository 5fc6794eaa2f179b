import { expect, test } from "vitest";
import { type Finding, keptFindings, messageText } from "../src/finding.ts";

const NEEDS = 'the reader needs "x" (int) and has no default for it, but the events do not have it';

test.each<[string, Omit<Finding, "rule" | "severity" | "message">, string]>([
  ["the decoder throws", { effect: "throws", certainty: "always" }, `${NEEDS}; the decoder throws`],
  ["only some data", { effect: "throws", certainty: "on-some-data" }, `${NEEDS}; the decoder throws on some data`],
  ["unknown effect", { effect: undefined, certainty: "always" }, NEEDS],
  ["a default", { effect: "reads-null-or-default", certainty: "always" }, `${NEEDS}; null or a default is read`],
  ["a wrong value", { effect: "reads-wrong-value", certainty: "always" }, `${NEEDS}; a wrong value is read`],
  [
    "only a rule",
    { effect: "decodes", certainty: "by-policy" },
    `${NEEDS}; it decodes correctly; only the compatibility rule forbids it`,
  ],
  ["stated by the message", { effect: "throws", effectStated: true, certainty: "always" }, NEEDS],
])("a message is followed by its effect, unless it states it: %s", (_case, finding, shown) => {
  expect(messageText({ ...finding, message: NEEDS })).toBe(shown);
});

test("of a verdict's findings 50 are kept, errors first, with texts of 2,000 characters and the number left out", () => {
  const finding: Finding = { rule: "r", severity: "warning", certainty: "always", message: "m".repeat(900_000) };
  const many = Array.from({ length: 20_000 }, (_, index): Finding => ({
    ...finding,
    message: `${index}`,
    severity: index >= 19_990 ? "error" : "warning",
  }));
  const kept = keptFindings(many);
  expect(kept).toHaveLength(50);
  expect(kept.slice(0, 10).every(({ severity }) => severity === "error")).toBe(true);
  expect(kept.at(-1)?.message).toBe("39; and 19950 more findings are left out");
  expect(
    keptFindings([{ ...finding, field: "f".repeat(5000) }]).map(({ message, field }) => [
      message.length,
      field?.length,
    ]),
  ).toEqual([[2001, 2001]]);
  const few = [{ ...finding, message: "short" }];
  expect(keptFindings(few)).toEqual(few);
});
