import { stripVTControlCharacters } from "node:util";

/**
 * Text that fits the width of a terminal: lines are broken between words, and a table that is too wide becomes one block
 * of lines per row. A word is never cut, and a command stays on one line if it can, so that it can be copied.
 */

/** The narrowest last column of a table; below it, the rows become blocks. */
const NARROWEST = 24;

const QUOTED = /"[^"]*"|'[^']*'/.source;
const OPTION = `--?[a-z][\\w-]*(?: (?:${QUOTED}|${/[^\s;,:`"'-][^\s;,`]*/.source}))?`;
const ARGUMENT = /show|init|install|[A-Z]{2,}|[^\s;,`]*[./*][^\s;,`]*/.source;
const COMMAND = `(?:npx )?fieldgate [a-z-]+(?: (?:${OPTION}|${QUOTED}|${ARGUMENT}))*`;
/** What is not broken, with the spaces before it: text in backquotes, a command, or a word. */
const PIECE = new RegExp(` *(?:${/[^\s`]*`[^`]*`(?:[^\s`]|`[^`]*`)*\S*/.source}|${COMMAND}\\S*|\\S+)`, "g");

/**
 * Breaks every line that is wider than the terminal. What continues a line is indented further than its start, or, after
 * a label and at least two spaces, as far as the text beside the label.
 */
export function foldLines(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => {
      if (widthOf(line) <= columns) return [line];
      const [indent = ""] = /^ */.exec(line) ?? [];
      const [labelled = ""] = /^ *\S+(?: \S+)? {2,}/.exec(line) ?? [];
      const isShort = labelled !== "" && labelled.length <= columns / 3;
      const hanging = " ".repeat(isShort ? labelled.length : indent.length + 2);
      const [first = "", ...rest] = fillLines(line.trimStart(), columns - indent.length, columns - hanging.length);
      return [`${indent}${first}`, ...rest.map((one) => `${hanging}${one}`)];
    })
    .join("\n");
}

/** Pads every column except the last to its widest cell. With `columns`, a table that is wider is folded. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], columns?: number): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ""))));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const lines = (room: number) =>
    all.flatMap((row) => {
      const cells = row.slice(0, -1).map((cell, column) => padded(cell, widths[column] ?? 0));
      const [first = "", ...more] = fillLines(row.at(-1) ?? "", room, room);
      return [[...cells, first].join(GAP).trimEnd(), ...more.map((line) => `${" ".repeat(before)}${line}`)];
    });
  if (columns === undefined) return lines(Infinity).join("\n");
  const room = columns - before;
  const folded = lines(Math.max(room, NARROWEST));
  if (folded.every((line) => widthOf(line) <= columns)) return folded.join("\n");
  return rows.flatMap((row) => blockOf(head, row, columns)).join("\n");
}

const GAP = "  ";

/** A row of a table that is too wide: its first cell, and below it a line for each other cell that says something. */
function blockOf(head: readonly string[], row: readonly string[], columns: number): readonly string[] {
  const [name = "", ...cells] = row;
  const labels = head.slice(1).map((label) => label.toLowerCase());
  const width = Math.max(...labels.map(widthOf));
  const start = GAP.length * 2 + width;
  const lines = cells.flatMap((cell, at) => {
    if (cell === "" || cell === "-") return [];
    const [first = "", ...more] = fillLines(cell, columns - start, columns - start);
    const label = padded(labels[at] ?? "", width);
    return [`${GAP}${label}${GAP}${first}`, ...more.map((line) => `${" ".repeat(start)}${line}`)];
  });
  return [name, ...lines];
}

function padded(cell: string, width: number): string {
  return `${cell}${" ".repeat(Math.max(0, width - widthOf(cell)))}`;
}

/** Fills lines with pieces of the text. `first` and `rest` are the widths of the first line and of the others. */
function fillLines(text: string, first: number, rest: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of text.match(PIECE) ?? []) {
    const width = lines.length === 0 ? first : rest;
    if (line === "" || widthOf(line) + widthOf(piece) <= width) {
      line += line === "" ? piece.trimStart() : piece;
    } else {
      lines.push(line);
      line = piece.trimStart();
    }
    if (widthOf(line) <= (lines.length === 0 ? first : rest) || !line.includes(" ")) continue;
    const broken = brokenPiece(line, rest);
    lines.push(...broken.slice(0, -1));
    line = broken.at(-1) ?? "";
  }
  return [...lines, line];
}

/** A piece that fits on no line. A command's lines end with a backslash, so that a shell still takes them as one. */
function brokenPiece(piece: string, width: number): readonly string[] {
  const end = new RegExp(COMMAND).test(piece) ? " \\" : "";
  const lines: string[] = [];
  for (const word of piece.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) + end.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.map((line, at) => (at === lines.length - 1 ? line : `${line}${end}`));
}

/** The columns that a text takes on a terminal; colours take none. */
function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}
