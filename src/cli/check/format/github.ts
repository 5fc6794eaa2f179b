import { annotationsOf } from "./annotation.ts";
import type { Report } from "./report.ts";

const COMMAND = { error: "error", warning: "warning", note: "notice" } as const;

/** GitHub's workflow commands, which show beside the line in a pull request; then the summary for the log. */
export function formatGithub(report: Report): string {
  const lines = annotationsOf(report).map(({ level, rule, place, message, remedy }) => {
    const given = {
      file: place.file.replaceAll("\\", "/"),
      line: place.line,
      col: place.column,
      title: `fieldgate ${rule}`,
    };
    const parts = Object.entries(given).map(([key, value]) => `${key}=${property(String(value))}`);
    return `::${COMMAND[level]} ${parts.join(",")}::${data(remedy === undefined ? message : `${message}\n${remedy}`)}`;
  });
  const note = report.note === undefined ? [] : [`::notice title=fieldgate::${data(report.note)}`];
  return [
    ...lines,
    ...note,
    ...report.topics.map(({ topic, consumer, verdict }) => `${topic}: ${consumer}: ${verdict}`),
  ].join("\n");
}

/** As actions/toolkit's core does (command.ts, escapeData). */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** The same, escapeProperty. */
function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
