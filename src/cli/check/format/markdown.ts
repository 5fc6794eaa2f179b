import { says } from "./text.ts";
import { annotationsOf } from "./annotation.ts";
import type { Report } from "./report.ts";

/** For a comment on a pull request or a job's summary. */
export function formatMarkdown(report: Report): string {
  const annotations = annotationsOf(report);
  const topics = report.topics.flatMap(({ topic, consumer, verdict, withheld }) => [
    [code(topic), code(consumer), "what flows", says(verdict)],
    ...withheld.map((one) => [code(topic), code(consumer), `withheld ${code(one.field)}`, says(one.verdict)]),
  ]);
  const found = annotations.map(({ level, rule, message, remedy, place }) => [
    level,
    cell(message),
    remedy === undefined ? "" : cell(remedy),
    code(rule),
    code(`${place.file}:${place.line}`),
  ]);
  return [
    `### fieldgate check: ${report.fails ? "not ready" : "ready"}`,
    ...markdownTable(["topic", "consumer", "for", "verdict"], topics),
    ...(found.length === 0 ? [] : markdownTable(["", "finding", "what to do", "rule", "where"], found)),
    ...(report.note === undefined ? [] : [`\n${cell(report.note)}`]),
  ].join("\n");
}

/** With an empty line before it. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return ["", tableLine(head), `|${"---|".repeat(head.length)}`, ...rows.map(tableLine)];
}

function tableLine(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}

/** Text that stays in its cell: no markup of its own, no mention of anybody, one line. What is in backquotes is code. */
export function cell(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (/^`[^`]+`$/.test(part) ? code(part.slice(1, -1)) : plain(part)))
    .join("");
}

function plain(text: string): string {
  return text
    .replaceAll(/\s*[\r\n]+\s*/g, " ")
    .replaceAll(/[\\`*_{}[\]<>#|~]/g, "\\$&")
    .replaceAll("@", "@\u{200B}");
}

/** A pipe ends a cell also inside code. */
export function code(text: string): string {
  return `\`${text
    .replaceAll(/\s*[\r\n]+\s*/g, " ")
    .replaceAll("`", "'")
    .replaceAll("|", "\\|")}\``;
}
