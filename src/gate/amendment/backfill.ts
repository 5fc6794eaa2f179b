import { type ChunkJob, newJob } from "../../chunk/job.ts";
import { readEnvelope } from "../../event/envelope/schema.ts";
import { baseType } from "../../event/field.ts";
import { defaultOf } from "../../event/types/default.ts";
import type { ValueModes } from "../../event/types/modes.ts";
import { type Json, stableText } from "../../json.ts";
import type { Column } from "../../table/column.ts";
import type { Field, RegisteredSchema, Shape } from "../../table/shape.ts";
import type { Amendment } from "./amendment.ts";

/** A literal as pg_get_expr prints it: the value every older row shows, and the schema's default. */
const LITERAL = /^(?:'(?:[^']|'')*'(?:::[\w\s".,()]+)?|\(?-?[\d.]+\)?(?:::[\w\s".,()]+)?|true|false)$/;

/** What consumers of a topic have, as far as a backfill depends on it. */
export interface Published {
  /** The value schemas that flowed before the release. */
  readonly flowed: readonly RegisteredSchema[];
  /** Some consumer decodes with the writer's schema, and so knows no default. */
  readonly writersSchemaRead: boolean;
  readonly modes: ValueModes;
}

/**
 * Do rows hold values that no event carries in this form, once the amendment flows? It is decided by what the rows hold,
 * not by the default of today: SET DEFAULT and DROP DEFAULT change no row. "No" needs a proof: older rows hold NULL or the
 * value that the catalog keeps for them, and that is what every consumer reads where the field is missing.
 */
export function needsBackfill(amendment: Amendment, field: Field | undefined, published: Published): boolean {
  const { kind, changes, column, missed, unproven } = amendment;
  if (kind === "key") return true;
  if (field === undefined) return false;
  // Where an older schema lacks the field, a reader's default stands for it, and now that default is another.
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

/** Is a row's text the value that readers have by the field's default? */
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

/** Would what is released lack values of rows that were published already? */
export function owesRows(amendment: Amendment): boolean {
  return amendment.kind === "added" ? amendment.missed : amendment.kind === "key" || movesValues(amendment);
}

function movesValues({ changes, order }: Amendment): boolean {
  return changes.includes("renamed") || changes.includes("retyped") || order?.beside !== undefined;
}

/**
 * Which rows are due: with a null default those that hold a value, else all. Where events had a field of this name before,
 * a row's last event may hold another column's value, so its NULL is due too.
 */
export function dueRows(amendment: Amendment, field: Field | undefined, published: Published): ChunkJob["due"] {
  const onlyValues = field?.avro.default === null && !amendment.changes.includes("retyped");
  return onlyValues && !hadBefore(published, field) ? "not-null" : "all";
}

/** Publishes every row of the table once more; without a key it is refused, and says so. */
export function repairJob({ topic, key }: Pick<Shape, "topic" | "key">): ChunkJob {
  const job = newJob(`repair/${topic}`, topic, "backfill");
  return key.length === 0 ? { ...job, state: "refused", reason: { kind: "keyless-repair" } } : job;
}
