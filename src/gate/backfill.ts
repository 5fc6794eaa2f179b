import type { ChunkJob } from "../chunk/job.ts";
import type { Amendment, Candidate } from "./amendment.ts";

/** A literal as pg_get_expr prints it: the value every older row shows, and the schema's default. */
const LITERAL = /^(?:'(?:[^']|'')*'(?:::[\w\s".,()]+)?|\(?-?[\d.]+\)?(?:::[\w\s".,()]+)?|true|false)$/;

/**
 * Do rows hold values of this field that no event carries, once it flows from here on? Yes when rows were
 * published without it; when the table was rewritten with values that are not the schema's default (a volatile
 * default, or one no schema expresses, sends no events); or when a consumer without a schema of its own cannot see
 * the default.
 */
export function needsBackfill(amendment: Amendment, candidate: Candidate, writersSchemaRead: boolean): boolean {
  if (amendment.missed || amendment.column.identity) return true;
  const expression = amendment.column.defaultExpr;
  if (expression === undefined || /^NULL::/i.test(expression)) return false;
  const readersSee = LITERAL.test(expression) && (candidate.field.avro.default ?? null) !== null;
  return !readersSee || writersSchemaRead;
}

/** Which rows are due: with a null default those that hold a value, else all. */
export function dueRows(candidate: Candidate): ChunkJob["due"] {
  return candidate.field.avro.default === null ? "not-null" : "all";
}
