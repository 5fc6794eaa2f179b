import { expect, test } from "vitest";

import { expiredIgnores, expiredSeverities, type Ignored, withIgnored } from "../../../src/cli/check/ignore.ts";
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
  ["without entries", [missing], [], "not-ready", ["error"]],
  ["ignored by rule, on the entry's last day", [missing], [ignored], "ready", ["note"]],
  ["on the day after", [missing], [{ ...ignored, until: "2026-11-22" }], "not-ready", ["error"]],
  ["with an entry for another rule", [missing], [{ ...ignored, rule: "contract/field" }], "not-ready", ["error"]],
  ["ignored by topic", [missing], [{ ...ignored, topic: "t" }], "ready", ["note"]],
  ["with an entry for another topic", [missing], [{ ...ignored, topic: "t2" }], "not-ready", ["error"]],
  ["ignored by the row's column", [missing], [{ ...ignored, field: "zip" }], "ready", ["note"]],
  ["ignored by the reader's path", [missing], [{ ...ignored, field: "after.zip" }], "ready", ["note"]],
  ["with an entry for the end of a path", [missing], [{ ...ignored, field: "ip" }], "not-ready", ["error"]],
  [
    "with an entry for a field, if the finding is about the whole topic",
    [unsure],
    [{ ...ignored, field: "zip" }],
    "unknown",
    ["warning"],
  ],
  [
    "one of two errors is ignored",
    [missing, { ...missing, rule: "avro/x" }],
    [ignored],
    "not-ready",
    ["note", "error"],
  ],
  ["the error is ignored, but a fact is still missing", [missing, unsure], [ignored], "unknown", ["note", "warning"]],
  ["the missing fact is ignored", [unsure], [{ ...ignored, rule: unsure.rule }], "ready", ["note"]],
  ["a warning does not count", [{ ...missing, severity: "warning" }], [], "ready", ["warning"]],
])("%s", (_name, findings, entries, verdict, severities) => {
  const left = withIgnored("t", findings, entries, TODAY);
  expect(left.verdict).toBe(verdict);
  expect(left.findings.map(({ severity }) => severity)).toEqual(severities);
});

test("an entry becomes a finding with its own place on the day after its last", () => {
  expect(expiredIgnores([ignored], TODAY)).toEqual([]);
  expect(expiredIgnores([{ ...ignored, field: "zip" }], "2026-11-24")).toEqual([
    expect.objectContaining({
      rule: "ignore/expired",
      severity: "warning",
      message: "contract/field-missing for zip was ignored until 2026-11-23: soon",
      place,
    }),
  ]);
});

test("an expired severity override becomes a finding too", () => {
  const change = { rule: "meaning/time-unit", severity: "error", reason: "soon", until: TODAY, place } as const;
  expect(expiredSeverities([change], TODAY)).toEqual([]);
  expect(expiredSeverities([change], "2026-11-24")).toMatchObject([
    { rule: "severity/expired", message: "meaning/time-unit was an error until 2026-11-23: soon", place },
  ]);
});
