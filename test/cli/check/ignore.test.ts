import { expect, test } from "vitest";

import { expired, expiredSeverity, type Ignored, withIgnored } from "../../../src/cli/check/ignore.ts";
import type { Finding } from "../../../src/finding.ts";

const TODAY = "2026-11-23";
const place = { file: "fieldgate.yaml", line: 9, column: 5 };
const ignored: Ignored = { rule: "contract/field-missing", reason: "soon", until: TODAY, place };
const missing: Finding = {
  rule: "contract/field-missing",
  severity: "error",
  certainty: "always",
  field: "after.zip",
  message: "zip is not there",
};
const unsure: Finding = { rule: "topic/not-seen", severity: "warning", certainty: "always", message: "not seen" };

test.each<[string, readonly Finding[], readonly Ignored[], string, readonly string[]]>([
  ["nothing is ignored", [missing], [], "not-ready", ["error"]],
  ["by rule, on its last day", [missing], [ignored], "ready", ["note"]],
  ["the day after", [missing], [{ ...ignored, until: "2026-11-22" }], "not-ready", ["error"]],
  ["by another rule", [missing], [{ ...ignored, rule: "contract/field" }], "not-ready", ["error"]],
  ["by topic", [missing], [{ ...ignored, topic: "t" }], "ready", ["note"]],
  ["by another topic", [missing], [{ ...ignored, topic: "t2" }], "not-ready", ["error"]],
  ["by the row's column", [missing], [{ ...ignored, field: "zip" }], "ready", ["note"]],
  ["by the reader's path", [missing], [{ ...ignored, field: "after.zip" }], "ready", ["note"]],
  ["by the end of a path", [missing], [{ ...ignored, field: "ip" }], "not-ready", ["error"]],
  [
    "by a field, where the finding is about the whole",
    [unsure],
    [{ ...ignored, field: "zip" }],
    "unknown",
    ["warning"],
  ],
  ["one of two", [missing, { ...missing, rule: "avro/x" }], [ignored], "not-ready", ["note", "error"]],
  ["the error, and it stays unsure", [missing, unsure], [ignored], "unknown", ["note", "warning"]],
  ["what is unsure", [unsure], [{ ...ignored, rule: unsure.rule }], "ready", ["note"]],
  ["a warning alone is ready anyway", [{ ...missing, severity: "warning" }], [], "ready", ["warning"]],
])("%s", (_name, findings, entries, verdict, severities) => {
  const left = withIgnored("t", findings, entries, TODAY);
  expect(left.verdict).toBe(verdict);
  expect(left.findings.map(({ severity }) => severity)).toEqual(severities);
});

test("an entry is a finding from the day after its last, at its own line", () => {
  expect(expired([ignored], TODAY)).toEqual([]);
  expect(expired([{ ...ignored, field: "zip" }], "2026-11-24")).toEqual([
    expect.objectContaining({
      rule: "ignore/expired",
      severity: "warning",
      message: "contract/field-missing of zip was ignored until 2026-11-23: soon",
      place,
    }),
  ]);
});

test("so is a severity that has run out", () => {
  const change = { rule: "meaning/time-unit", severity: "error", reason: "soon", until: TODAY, place } as const;
  expect(expiredSeverity([change], TODAY)).toEqual([]);
  expect(expiredSeverity([change], "2026-11-24")).toMatchObject([
    { rule: "severity/expired", message: "meaning/time-unit was an error until 2026-11-23: soon", place },
  ]);
});
