/**
 * Splits a migration's text into statements, so that only those that can change a table need to be parsed: a file of
 * rows to insert has megabytes. Sections that undo a migration are left out, and so are psql's own commands.
 */

export interface Statement {
  readonly text: string;
  /** Where the text starts in the file. */
  readonly offset: number;
  /**
   * `command`: a psql command of which it is not known what it runs. `hides`: a comment that seems to hide a statement.
   * `undo`: one after which statements seem to undo the migration.
   */
  readonly kind: "sql" | "rows" | "command" | "hides" | "undo";
}

/** The statements that a migration tool would run, in order. An unclosed quote makes the rest one statement. */
export function splitStatements(sql: string): readonly Statement[] {
  const statements: Statement[] = [];
  const token = new RegExp(TOKEN.source, TOKEN.flags);
  let start = 0;
  let depth = 0;
  let atomic = 0;
  let isDown = false;
  let hadUp = false;
  /** A comment after which statements may undo the migration; said with the first of them. */
  let doubt: Statement | undefined;
  /** Ends the statement before `end`, and lets the next one start at `next`. */
  const close = (end: number, next: number) => {
    const text = sql.slice(start, end);
    const blank = BLANK.exec(text)?.[0].length ?? 0;
    if (blank < text.length && !isDown) {
      if (doubt !== undefined) statements.push(doubt);
      doubt = undefined;
      statements.push({
        text: text.slice(blank),
        offset: start + blank,
        kind: changesOnlyRows(text.slice(blank, blank + 200)) ? "rows" : "sql",
      });
    }
    [start, depth, atomic] = [next, 0, 0];
    token.lastIndex = next;
  };
  for (let found = token.exec(sql); found !== null; found = token.exec(sql)) {
    const [text] = found;
    const at = found.index;
    const end = at + text.length;
    if (text.startsWith("--") || text.startsWith("#") || text.startsWith("/*")) {
      const section = sectionOf(text, hadUp);
      if (section === undefined && statements.length > 0 && soundsLikeUndo(text) && isBlank(sql.slice(start, at)))
        doubt = { text, offset: at, kind: "undo" };
      if (section === undefined && HIDES.test(text) && !isDown) statements.push({ text, offset: at, kind: "hides" });
      if (section === undefined) continue;
      hadUp ||= section === "plain up";
      close(at, end);
      isDown = section === "down";
    } else if (text === "(") depth++;
    else if (text === ")") depth--;
    else if (text === "\\") {
      const line = lineAt(sql, at);
      const rest = sql.slice(at, line);
      close(at, line);
      if (!isDown && !HARMLESS_COMMAND.test(rest)) statements.push({ text: rest, offset: at, kind: "command" });
    } else if (text === ";" && depth <= 0 && atomic === 0) {
      const copies = COPY_FROM_STDIN.test(sql.slice(start, Math.min(at, start + 5000)));
      close(at, end);
      if (copies) token.lastIndex = start = endOfRows(sql, end);
    } else if (/^begin/i.test(text)) atomic++;
    else if (/^case$/i.test(text)) atomic += atomic > 0 ? 1 : 0;
    else if (/^end$/i.test(text)) atomic -= atomic > 0 ? 1 : 0;
  }
  close(sql.length, sql.length);
  return statements;
}

/** Rows that COPY reads from the file itself end with a line that has only `\.`. */
function endOfRows(sql: string, from: number): number {
  const last = /^\\\.\r?$/gm;
  last.lastIndex = from;
  const end = last.exec(sql);
  return end === null ? from : end.index + end[0].length;
}

/**
 * What matters between statements: comments, quoted texts, parentheses, semicolons, psql commands, and the body of a
 * function in standard SQL (BEGIN ATOMIC … END), whose semicolons end no statement.
 */
const TOKEN = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`^# *-* *!(?:ups|downs)[^\n]*`,
    String.raw`\/\*(?:[^*]|\*(?!\/))*\*\/`,
    String.raw`\b[eE]'(?:[^'\\]|\\[^]|'')*'`,
    `'(?:[^']|'')*'`,
    `"(?:[^"]|"")*"`,
    String.raw`(?<![\w$])\$([A-Za-z_]\w*)?\$[^]*?\$\1\$`,
    String.raw`\bbegin\s+atomic\b`,
    String.raw`\b(?:case|end)\b`,
    String.raw`[();\\]`,
    // An unclosed quote: the rest is part of the statement, and the parser says what is wrong.
    String.raw`['"][^]*`,
  ].join("|"),
  "gim",
);

const BLANK = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/|# *-* *!(?:ups|downs)[^\n]*(?:\n|$))*/i;

function isBlank(text: string): boolean {
  return BLANK.exec(text)?.[0].length === text.length;
}

/** From the beginning of a statement. Rows of the catalog, such as pg_attribute's, are more than rows. */
function changesOnlyRows(beginning: string): boolean {
  return /^(?:insert|update|delete)\b/i.test(beginning) && !/pg_/i.test(beginning);
}

const COPY_FROM_STDIN = /^(?:\s|--[^\n]*\n)*copy\b[^]*\bfrom\s+stdin\b/i;

/** psql commands that run no statements, or only move rows. */
const HARMLESS_COMMAND =
  /^\\(?:set|unset|timing|echo|qecho|warn|pset|encoding|restrict|unrestrict|a|t|x|o|out|H|f|C|T|errverbose|prompt|conninfo|copyright|h|help|\?|d\w*\+?|l\+?|z|copy|g|gx|gset|gdesc|watch|p|print|r|reset|\.)(?:\s|$)/;

/** How migration tools mark the part of a file that applies a migration, and the part that undoes it. */
const SECTIONS: readonly (readonly [marker: RegExp, section: "up" | "down"])[] = [
  // goose, sql-migrate, micrate; rambler
  [/^-- *(?:\+\w+|rambler) +up\b/i, "up"],
  [/^-- *(?:\+\w+|rambler) +down\b/i, "down"],
  [/^-- *migrate: *up\b/i, "up"], // dbmate
  [/^-- *migrate: *down\b/i, "down"],
  [/^-- *up migration\b/i, "up"], // node-pg-migrate
  [/^-- *down migration\b/i, "down"],
  [/^-- *=+ *up *=+/i, "up"], // shmig
  [/^-- *=+ *down *=+/i, "down"],
  [/^(?:#|--) *-* *!ups\b/i, "up"], // Play
  [/^(?:#|--) *-* *!downs\b/i, "down"],
  [/^-- *\/\/ *@undo\b/i, "down"], // MyBatis
  [/^-{2,} *create above *\/ *drop below *-*/i, "down"], // tern
];

/**
 * A comment that runs into a statement without a space: the comment was the last line of a file without a line break,
 * to which another file was joined.
 */
const HIDES = /^--.*[\w.;)](?:ALTER|DROP|CREATE|BEGIN|SET|INSERT|UPDATE)\s[^;]*;/;

/** Plain words, which mark sections only if the file has both. */
const PLAIN_UP = /^-- *@?up *:?\s*$/i;
const PLAIN_DOWN = /^-- *@?down *:?\s*$/i;

/** Which section a comment starts. `hadUp`: a plain `-- up` came before. */
function sectionOf(comment: string, hadUp: boolean): "up" | "plain up" | "down" | undefined {
  if (PLAIN_UP.test(comment)) return "plain up";
  if (hadUp && PLAIN_DOWN.test(comment)) return "down";
  return SECTIONS.find(([marker]) => marker.test(comment))?.[1];
}

/** Words with which people head what undoes a migration, where no tool's marker is known. */
const UNDO = "(?:down|downs|downgrade|undo|rollback|roll back|revert|reverse|backward|backwards)";
const BESIDE = "(?:migration|migrate|section|script|part|name|begin|start|sql|\\d+)";
const UNDO_HEADING = new RegExp(`^(?:${BESIDE} )*${UNDO}(?: ${BESIDE})*$`, "i");

/** True for a comment that is only such a heading: `-- ROLLBACK`, `-- +++ DOWN +++`, `-- name: down`, `-- 001.down.sql`. */
function soundsLikeUndo(comment: string): boolean {
  return comment.length < 100 && UNDO_HEADING.test(comment.replace(/[^a-z\d]+/gi, " ").trim());
}

function lineAt(sql: string, at: number): number {
  const end = sql.indexOf("\n", at);
  return end === -1 ? sql.length : end;
}
