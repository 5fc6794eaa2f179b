import { verdictText } from "../../command.ts";
import { cell, code, markdownTable } from "../../markdown.ts";
import { annotationsOf } from "./annotation.ts";
import type { Report } from "./report.ts";

/** Renders the report for a comment on a pull request or for a job's summary. */
export function formatMarkdown(report: Report): string {
  const annotations = annotationsOf(report);
  const topics = report.topics.flatMap(({ topic, consumer, verdict, withheld }) => [
    [code(topic), code(consumer), "current events", verdictText(verdict)],
    ...withheld.map((one) => [code(topic), code(consumer), `withheld ${code(one.field)}`, verdictText(one.verdict)]),
  ]);
  const findings = annotations.map(({ level, rule, message, remedy, place }) => [
    level,
    cell(message),
    remedy === undefined ? "" : cell(remedy),
    code(rule),
    code(`${place.file}:${place.line}`),
  ]);
  return [
    `### fieldgate check: ${report.fails ? "not ready" : "ready"}`,
    ...markdownTable(["topic", "consumer", "checked against", "verdict"], topics),
    ...(findings.length === 0 ? [] : markdownTable(["", "finding", "what to do", "rule", "where"], findings)),
    ...(report.note === undefined ? [] : [`\n${cell(report.note)}`]),
  ].join("\n");
}
