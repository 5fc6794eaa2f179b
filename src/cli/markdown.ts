/** A Markdown table. It starts with an empty line, which Markdown needs before a table. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return ["", tableLine(head), `|${"---|".repeat(head.length)}`, ...rows.map(tableLine)];
}

function tableLine(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}

/** Escapes text for a table cell: one line, no markup and no mentions of people. Text in backquotes becomes code. */
export function cell(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (/^`[^`]+`$/.test(part) ? code(part.slice(1, -1)) : escapeMarkup(part)))
    .join("");
}

function escapeMarkup(text: string): string {
  return text
    .replaceAll(/\s*[\r\n]+\s*/g, " ")
    .replaceAll(/[\\`*_{}[\]<>#|~]/g, "\\$&")
    .replaceAll("@", "@\u{200B}");
}

/** Formats text as code for a table cell. Pipes are escaped, because they end a table cell even inside code. */
export function code(text: string): string {
  return `\`${text
    .replaceAll(/\s*[\r\n]+\s*/g, " ")
    .replaceAll("`", "'")
    .replaceAll("|", "\\|")}\``;
}
