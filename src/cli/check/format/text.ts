import { visibleIn } from "../../../visible.ts";
import { findingLine } from "../../../finding.ts";
import { totalLines, VERDICT_TONES, verdictText } from "../../command.ts";
import { type Remedies, sharedLines, shareRemedies } from "../../remedies.ts";
import { PIPE, type Screen } from "../../screen.ts";
import { isOfSeveralFiles, type Report, type Reported, type TopicReport } from "./report.ts";

/**
 * Renders the report for a person at a terminal. With several files, each contract is below its file's name. What several
 * findings share, and the total, come last.
 */
export function formatText(given: Report, screen: Screen = PIPE): string {
  const report = visibleIn(given);
  const { topics, ignore } = report;
  const inTopics = topics.flatMap(({ findings, withheld }) => [
    ...findings,
    ...withheld.flatMap((field) => field.findings),
  ]);
  const remedies = shareRemedies([...inTopics, ...ignore].filter(({ ignored }) => ignored === undefined));
  const isOfSeveral = isOfSeveralFiles(report);
  const byFile = [...Map.groupBy(topics, ({ place }) => place.file)].flatMap(([file, ofFile]) => {
    const lines = ofFile.flatMap((topic) => topicLines(report, topic, remedies, screen));
    return isOfSeveral ? [file, ...lines.map((line) => line.replaceAll(/^/gm, "  "))] : lines;
  });
  const ready = topics.filter(({ verdict }) => verdict === "ready").length;
  return [
    ...byFile,
    ...ignore.map((finding) => findingText(finding, remedies, screen)),
    ...sharedLines(remedies),
    ...(report.note === undefined ? [] : [`note: ${report.note}`]),
    ...totalLines(ready, topics.length, "ready for the current events", screen),
  ].join("\n");
}

function topicLines(
  { failOn }: Report,
  { topic, consumer, verdict, findings, withheld }: TopicReport,
  remedies: Remedies,
  screen: Screen,
): readonly string[] {
  const shown = (one: TopicReport["verdict"]) => screen.paint(VERDICT_TONES[one], verdictText(one));
  return [
    `${topic}: ${consumer} is ${shown(verdict)} for the current events`,
    ...findings.map((finding) => `  ${findingText(finding, remedies, screen)}`),
    ...withheld.flatMap((field) => [
      `  withheld: ${field.field} (${field.amendmentId}): ${shown(field.verdict)}`,
      ...field.findings.map((finding) => {
        const text = findingText(failOn === "withheld" ? finding : softenError(finding), remedies, screen);
        return `    ${text}`.replaceAll("\n", "\n  ");
      }),
    ]),
  ];
}

/** Turns an error about a withheld field into a warning, because it does not break anything yet. */
function softenError(finding: Reported): Reported {
  return finding.severity === "error" ? { ...finding, severity: "warning" } : finding;
}

/** The remedy follows on its own lines, indented. */
export function findingText(
  finding: Reported,
  remedies: Remedies = shareRemedies([]),
  { paint }: Screen = PIPE,
): string {
  const { severity, ignored, place } = finding;
  const at = place === undefined ? "" : `${place.file}:${place.line}: `;
  const remedy = remedies.ownOf(finding);
  const next = remedy === undefined ? "" : `\n    ${remedy}`;
  const reason = ignored === undefined ? next : `\n    ignored until ${ignored.until}: ${ignored.reason}`;
  const word = severity === "note" ? severity : paint(severity === "error" ? "bad" : "unsure", severity);
  return `${word}: ${at}${findingLine(finding)}${reason}`;
}
