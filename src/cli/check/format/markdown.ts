import { verdictText } from "../../command.ts";
import { cell, code, markdownTable } from "../../markdown.ts";
import { sharedMarkdown, shareRemedies } from "../../remedies.ts";
import { type Annotation, annotationsOf } from "./annotation.ts";
import { isOfSeveralFiles, type Report } from "./report.ts";

/** Renders the report for a comment on a pull request or for a job's summary. */
export function formatMarkdown(report: Report): string {
  const annotations = annotationsOf(report);
  const isOfSeveral = isOfSeveralFiles(report);
  const topics = report.topics.flatMap(({ topic, consumer, verdict, withheld, place }) => {
    const who = [...(isOfSeveral ? [code(place.file)] : []), code(topic), code(consumer)];
    return [
      [...who, "current events", verdictText(verdict)],
      ...withheld.map((one) => [...who, `withheld ${code(one.field)}`, verdictText(one.verdict)]),
    ];
  });
  const remedies = shareRemedies(annotations.filter((one) => !isIgnored(one)));
  const findings = annotations.map((annotation) => {
    const { level, rule, message, place } = annotation;
    return [
      level,
      cell(message),
      isIgnored(annotation) ? "" : cell(remedies.ownOf(annotation) ?? ""),
      code(rule),
      code(`${place.file}:${place.line}`),
    ];
  });
  return [
    `### fieldgate check: ${report.fails ? "not ready" : "ready"}`,
    ...markdownTable([...(isOfSeveral ? ["file"] : []), "topic", "consumer", "checked against", "verdict"], topics),
    ...(findings.length === 0 ? [] : markdownTable(["", "finding", "what to do", "rule", "where"], findings)),
    ...sharedMarkdown(remedies),
    ...(report.note === undefined ? [] : [`\n${cell(report.note)}`]),
  ].join("\n");
}

function isIgnored({ level }: Annotation): boolean {
  return level === "note";
}
