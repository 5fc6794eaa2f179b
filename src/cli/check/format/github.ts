import { annotationsOf } from "./annotation.ts";
import { isOfSeveralFiles, type Report } from "./report.ts";

const COMMAND = { error: "error", warning: "warning", note: "notice" } as const;

/** Prints GitHub workflow commands, which a pull request shows next to the line, and then a summary for the log. */
export function formatGithub(report: Report): string {
  const lines = annotationsOf(report).map(({ level, rule, place, message, remedy }) => {
    const properties = {
      file: place.file.replaceAll("\\", "/"),
      line: place.line,
      col: place.column,
      title: `fieldgate ${rule}`,
    };
    const parts = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
    return `::${COMMAND[level]} ${parts.join(",")}::${escapeData(remedy === undefined ? message : `${message}\n${remedy}`)}`;
  });
  const note = report.note === undefined ? [] : [`::notice title=fieldgate::${escapeData(report.note)}`];
  return [
    ...lines,
    ...note,
    ...report.topics.map(({ topic, consumer, verdict, place }) => {
      const file = isOfSeveralFiles(report) ? `${place.file}: ` : "";
      return `${file}${topic}: ${consumer}: ${verdict}`;
    }),
  ].join("\n");
}

/** Escapes like `escapeData` in actions/toolkit (core, command.ts). */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** Escapes like `escapeProperty` in the same file. */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
