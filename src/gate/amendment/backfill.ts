import { type ChunkJob, newJob } from "../../chunk/job.ts";
import { readEnvelope } from "../../event/envelope/schema.ts";
import { baseType } from "../../event/field.ts";
import { defaultOf } from "../../event/types/default.ts";
import type { ValueModes } from "../../event/types/modes.ts";
import { type Json, stableText } from "../../json.ts";
import type { Column } from "../../table/column.ts";
import type { Field, RegisteredSchema, Shape } from "../../table/shape.ts";
import type { Amendment } from "./amendment.ts";

/** A literal as pg_get_expr prints it. Such a default is the same for every row, so older rows show it too. */
const LITERAL = /^(?:'(?:[^']|'')*'(?:::[\w\s".,()]+)?|\(?-?[\d.]+\)?(?:::[\w\s".,()]+)?|true|false)$/;

/** The facts about a topic's consumers and schemas that a backfill depends on. */
export interface Published {
  /** The value schemas that flowed before the release. */
  readonly flowed: readonly RegisteredSchema[];
  /** Some consumer decodes with the writer's schema, and therefore knows no defaults. */
  readonly writersSchemaRead: boolean;
  readonly modes: ValueModes;
}

/**
 * True if rows hold values that no event carries in this form, once the amendment flows. This depends on what the rows
 * hold, not on the current default, because SET DEFAULT and DROP DEFAULT do not change any rows. "No" needs a proof:
 * older rows hold NULL or the value that the catalog keeps for them, and every consumer reads that same value where the
 * field is missing.
 */
export function needsBackfill(amendment: Amendment, field: Field | undefined, published: Published): boolean {
  const { kind, changes, column, missed, unproven } = amendment;
  if (kind === "key") return true;
  if (field === undefined) return false;
  // If an older schema lacks the field, a reader fills it with the default, and that default has now changed.
  if (kind === "changed")
    return movesValues(amendment) || (changes.includes("default") && !hadAlways(published, field));
  if (kind !== "added") return false;
  if (missed || unproven === true || column?.identity !== false || hadBefore(published, field)) return true;
  const { defaultExpr, missing } = column;
  if (missing === undefined) return true;
  if (defaultExpr !== undefined && !LITERAL.test(defaultExpr) && !/^NULL::/i.test(defaultExpr)) return true;
  const readersHave = field.avro.default ?? null;
  if (missing === null) return readersHave !== null;
  return published.writersSchemaRead || readersHave === null || !isValue(column, missing, field, published.modes);
}

/** True if a row's text is the value that readers get from the field's default. */
function isValue({ type, typeName }: Column, text: string, field: Field, modes: ValueModes): boolean {
  const literal = `'${text.replaceAll("'", "''")}'::${typeName}`;
  const value = defaultOf(type, baseType(field.avro), literal, modes);
  return value !== undefined && stableText(value) === stableText(field.avro.default ?? null);
}

function hadBefore({ flowed }: Published, { name }: Field): boolean {
  return flowed.some((schema) => hasField(schema, name));
}

function hadAlways({ flowed }: Published, { name }: Field): boolean {
  return flowed.every((schema) => hasField(schema, name));
}

function hasField({ text }: RegisteredSchema, name: string): boolean {
  const read = readEnvelope(JSON.parse(text) as Json); // a registered schema
  return read.kind === "no-envelope" || read.fields.some((field) => field.name === name);
}

/** True if the released field lacks values of rows that have already been published. */
export function owesRows(amendment: Amendment): boolean {
  return amendment.kind === "added" ? amendment.missed : amendment.kind === "key" || movesValues(amendment);
}

function movesValues({ changes, order }: Amendment): boolean {
  return changes.includes("renamed") || changes.includes("retyped") || order?.beside !== undefined;
}

/**
 * Which rows have to be published again: those that hold a value if the default is null, all rows otherwise. If events
 * had a field of this name before, a row's last event may hold a different column's value, so rows with NULL are
 * published too.
 */
export function dueRows(amendment: Amendment, field: Field | undefined, published: Published): ChunkJob["due"] {
  const onlyValues = field?.avro.default === null && !amendment.changes.includes("retyped");
  return onlyValues && !hadBefore(published, field) ? "not-null" : "all";
}

/**
 * A job that publishes every row of the table again. For a table without a key the job is refused from the start, with
 * that reason.
 */
export function repairJob({ topic, key }: Pick<Shape, "topic" | "key">): ChunkJob {
  const job = newJob(`repair/${topic}`, topic, "backfill");
  return key.length === 0 ? { ...job, state: "refused", reason: { kind: "keyless-repair" } } : job;
}
