import { findingLine } from "../../../finding.ts";
import type { Report, Reported, TopicReport } from "./report.ts";

/** For a person at a terminal. */
export function formatText(report: Report): string {
  const note = report.note === undefined ? [] : [`note: ${report.note}`];
  return [
    ...report.topics.flatMap((topic) => topicLines(report, topic)),
    ...report.ignore.map(findingText),
    ...note,
  ].join("\n");
}

function topicLines(
  { failOn }: Report,
  { topic, consumer, verdict, findings, withheld }: TopicReport,
): readonly string[] {
  return [
    `${topic}: ${consumer} is ${says(verdict)} for what flows`,
    ...findings.map((finding) => `  ${findingText(finding)}`),
    ...withheld.flatMap((field) => [
      `  withheld: ${field.field} (${field.amendmentId}), ${says(field.verdict)} for it`,
      ...field.findings.map((finding) =>
        `    ${findingText(failOn === "withheld" ? finding : softened(finding))}`.replaceAll("\n", "\n  "),
      ),
    ]),
  ];
}

/** What is not ready for a withheld field breaks nothing yet. */
function softened(finding: Reported): Reported {
  return finding.severity === "error" ? { ...finding, severity: "warning" } : finding;
}

/** A verdict in words. */
export function says(verdict: TopicReport["verdict"]): string {
  return { ready: "ready", "not-ready": "not ready", unknown: "unknown" }[verdict];
}

/** With its remedy, indented, on lines of their own. */
export function findingText(finding: Reported): string {
  const { severity, remedy, ignored, place } = finding;
  const at = place === undefined ? "" : `${place.file}:${place.line}: `;
  const next = remedy === undefined ? "" : `\n    ${remedy}`;
  const why = ignored === undefined ? next : `\n    ignored until ${ignored.until}: ${ignored.reason}`;
  return `${severity}: ${at}${findingLine(finding)}${why}`;
}
