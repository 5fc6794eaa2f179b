import { type ChunkJob, newJob } from "../../chunk/job.ts";
import type { Field, Shape } from "../../table/shape.ts";
import type { Amendment } from "./amendment.ts";

/** A literal as pg_get_expr prints it: the value every older row shows, and the schema's default. */
const LITERAL = /^(?:'(?:[^']|'')*'(?:::[\w\s".,()]+)?|\(?-?[\d.]+\)?(?:::[\w\s".,()]+)?|true|false)$/;

/**
 * Do rows hold values that no event carries in this form, once the amendment flows from here on? A new field: when
 * rows were published without it; when the table was rewritten with values that are not the schema's default (a
 * volatile default, or one no schema expresses, sends no events); or when a consumer without a schema of its own
 * cannot see the default. A field with another name or type: always, ALTER TYPE USING sends no events either.
 */
export function needsBackfill(amendment: Amendment, field: Field | undefined, writersSchemaRead: boolean): boolean {
  if (amendment.kind === "key") return true;
  if (amendment.kind === "changed") return field !== undefined && movesValues(amendment);
  if (amendment.kind !== "added" || field === undefined) return false;
  if (amendment.missed || amendment.column?.identity === true) return true;
  const expression = amendment.column?.defaultExpr;
  if (expression === undefined || /^NULL::/i.test(expression)) return false;
  const readersSee = LITERAL.test(expression) && (field.avro.default ?? null) !== null;
  return !readersSee || writersSchemaRead;
}

/** Would what is released lack values of rows that were published already? */
export function owesRows(amendment: Amendment): boolean {
  return amendment.kind === "added" ? amendment.missed : amendment.kind === "key" || movesValues(amendment);
}

function movesValues({ changes, order }: Amendment): boolean {
  return changes.includes("renamed") || changes.includes("retyped") || order?.beside !== undefined;
}

/** Which rows are due: with a null default those that hold a value, else all. */
export function dueRows(amendment: Amendment, field: Field | undefined): ChunkJob["due"] {
  const onlyValues = field?.avro.default === null && !amendment.changes.includes("retyped");
  return onlyValues ? "not-null" : "all";
}

/** Publishes every row of the table once more; without a key it is refused, and says so. */
export function repairJob({ topic, key }: Pick<Shape, "topic" | "key">): ChunkJob {
  const job = newJob(`repair/${topic}`, topic, "backfill");
  return key.length === 0 ? { ...job, state: "refused", reason: { kind: "keyless-repair" } } : job;
}
