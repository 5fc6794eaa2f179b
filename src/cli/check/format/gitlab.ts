import { annotationsOf, fingerprintsOf } from "./annotation.ts";
import type { Report } from "./report.ts";

const SEVERITY = { error: "major", warning: "minor", note: "info" } as const;

/** GitLab's code quality report: a subset of Code Climate's issues, each with a unique fingerprint. */
export function formatGitlab(report: Report): string {
  const annotations = annotationsOf(report);
  const prints = fingerprintsOf(annotations);
  const issues = annotations.map(({ level, rule, place, message, remedy }, at) => ({
    type: "issue",
    description: remedy === undefined ? message : `${message}; ${remedy}`,
    check_name: rule,
    fingerprint: prints[at],
    severity: SEVERITY[level],
    location: { path: place.file.replaceAll("\\", "/"), lines: { begin: place.line } },
  }));
  return JSON.stringify(issues, null, 2);
}
