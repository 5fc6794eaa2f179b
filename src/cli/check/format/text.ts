import { visibleIn } from "../../../visible.ts";
import { findingLine } from "../../../finding.ts";
import { verdictText } from "../../command.ts";
import type { Report, Reported, TopicReport } from "./report.ts";

/** Renders the report for a person at a terminal. */
export function formatText(given: Report): string {
  const report = visibleIn(given);
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
    `${topic}: ${consumer} is ${verdictText(verdict)} for the current events`,
    ...findings.map((finding) => `  ${findingText(finding)}`),
    ...withheld.flatMap((field) => [
      `  withheld: ${field.field} (${field.amendmentId}): ${verdictText(field.verdict)}`,
      ...field.findings.map((finding) =>
        `    ${findingText(failOn === "withheld" ? finding : softenError(finding))}`.replaceAll("\n", "\n  "),
      ),
    ]),
  ];
}

/** Turns an error about a withheld field into a warning, because it does not break anything yet. */
function softenError(finding: Reported): Reported {
  return finding.severity === "error" ? { ...finding, severity: "warning" } : finding;
}

/** The remedy follows on its own lines, indented. */
export function findingText(finding: Reported): string {
  const { severity, remedy, ignored, place } = finding;
  const at = place === undefined ? "" : `${place.file}:${place.line}: `;
  const next = remedy === undefined ? "" : `\n    ${remedy}`;
  const reason = ignored === undefined ? next : `\n    ignored until ${ignored.until}: ${ignored.reason}`;
  return `${severity}: ${at}${findingLine(finding)}${reason}`;
}
