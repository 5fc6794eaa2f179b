import { allowedOf, connectName, isSameType } from "../../event/types/avro-type.ts";
import { baseType, fieldOf } from "../../event/field.ts";
import type { Finding } from "../../finding.ts";
import type { Attnum, Column, ColumnType } from "../../table/column.ts";
import type { Field } from "../../table/shape.ts";
import type { Amendment, Change } from "./amendment.ts";
import { isExcluded } from "./excluded.ts";
import { ENUM, isOtherMode, withoutLabels } from "./modes.ts";
import type { Rules, TableState } from "../state.ts";

/**
 * Compares a table's columns with the published fields. It only finds the differences; seen.ts turns them into
 * amendments.
 */

/** A column of the table at this position in the log. */
export interface SeenColumn {
  readonly column: Column;
  /** The catalog no longer has it, so only what the log contains is known about it. */
  readonly gone: boolean;
}

/** The net difference between the events and the table, for one column or for the key. */
export type Difference = Pick<
  Amendment,
  "kind" | "attnum" | "name" | "column" | "changes" | "key" | "gone" | "unmapped" | "byFile"
>;

/**
 * Compares the table with the events, column by column. Changes that undo each other are not differences. `proven`
 * means that `seen` has every column of the table, so a field whose column is missing there has lost it.
 */
export function differences(
  rules: Rules,
  table: TableState,
  seen: readonly SeenColumn[],
  proven: boolean,
): readonly Difference[] {
  const published = new Set(table.shape.fields.map((field) => field.attnum));
  const captured = seen.filter(({ column }) => isCaptured(rules, table, column));
  const lost = [...published].filter((attnum) => !captured.some(({ column }) => column.attnum === attnum));
  const sure = lost.filter((attnum) => proven || seen.some(({ column }) => column.attnum === attnum));
  const gone = sure.map((attnum) => dropped(table, attnum));
  const changed = captured.flatMap((one) => (published.has(one.column.attnum) ? changedColumn(rules, table, one) : []));
  const added = captured.filter((one) => !published.has(one.column.attnum) && isNews(rules, table, one.column));
  return [...gone, ...changed, ...added.map((one) => addedColumn(rules, one))];
}

/** What changed about the column since the field was made; empty if the field is up to date. */
export function changesOf(rules: Rules, field: Field, { column, gone }: SeenColumn): readonly Change[] {
  const changes: Change[] = [];
  const mapped = fieldOf(column, rules.modes);
  const now = mapped.kind === "field" ? mapped.field : undefined;
  if (!field.alias && now !== undefined && now.name !== field.name) changes.push("renamed");
  if (isRetyped(rules, field, column.type, now)) changes.push("retyped");
  else if (now !== undefined && !sameLabels(field, now)) changes.push("labels");
  if (gone) return changes;
  if (column.notNull && field.optional && field.made?.notNull === false) changes.push("not-null-set");
  if (!column.notNull && !field.optional) changes.push("not-null-lost");
  if (now !== undefined && !changes.includes("retyped") && isDefaultNew(field, column, now)) changes.push("default");
  return changes;
}

/** Whether PostgreSQL considers the two types the same. Enum labels are not compared. */
export function sameColumnType(left: ColumnType, right: ColumnType): boolean {
  return left.oid === right.oid && left.typmod === right.typmod;
}

function dropped(table: TableState, attnum: Attnum): Difference {
  const name = table.shape.fields.find((field) => field.attnum === attnum)?.name ?? "";
  return { kind: "dropped", attnum, name, column: undefined, ...PLAIN };
}

const PLAIN = { changes: [], key: undefined, gone: false, unmapped: undefined } as const;

/**
 * After a release with --beside, several fields are filled from one column. Only the first field that is out of date is
 * reported.
 */
function changedColumn(rules: Rules, table: TableState, seen: SeenColumn): readonly Difference[] {
  const { column, gone } = seen;
  const fields = table.shape.fields.filter((field) => field.attnum === column.attnum);
  for (const field of fields) {
    const changes = changesOf(rules, field, seen);
    if (changes.length === 0) continue;
    // If no field can have the new type, the column is treated as dropped: releasing the amendment removes the field.
    const unmapped = undefined;
    const byFile = sameColumnType(field.type, column.type) && changes.includes("retyped") ? true : undefined;
    const { attnum } = column;
    return [{ kind: "changed", attnum, name: field.name, column, changes, key: undefined, gone, unmapped, byFile }];
  }
  return [];
}

function addedColumn(rules: Rules, { column, gone }: SeenColumn): Difference {
  const unmapped = findingOf(rules, column);
  return { kind: "added", attnum: column.attnum, name: column.name, column, ...PLAIN, gone, unmapped };
}

function findingOf(rules: Rules, column: Column): Finding | undefined {
  const mapped = fieldOf(column, rules.modes);
  return mapped.kind === "left-out" ? mapped.finding : undefined;
}

/** Whether the connector's file captures the column; an excluded column counts as dropped. */
export function isCaptured(rules: Rules, table: TableState, column: Column): boolean {
  return !column.generated && !isExcluded(rules, table, column);
}

/**
 * Whether an unpublished column is reported. One that was left out from the start is not, unless its unsupported type
 * changes.
 */
function isNews(rules: Rules, table: TableState, column: Column): boolean {
  if (findingOf(rules, column) === undefined) return true;
  if (table.amendments.some((amendment) => amendment.attnum === column.attnum)) return true;
  const before = table.known.find((known) => known.attnum === column.attnum);
  return before === undefined || !sameColumnType(before.type, column.type);
}

/**
 * Whether the field's Avro type differs from the one its column has now. Either the column's type changed in a way that
 * changes its Avro type (varchar(10) to text does not), or the file's value modes changed.
 */
function isRetyped(rules: Rules, field: Field, type: ColumnType, now: Field | undefined): boolean {
  if (sameColumnType(field.type, type)) return isOtherMode(rules, field);
  if (now === undefined || isEnumOfOther(field, now)) return true;
  return !isSameType(withoutLabels(field.avro.type), withoutLabels(now.avro.type));
}

/** Whether the column now has a different enum type. In Avro both are plain strings. */
function isEnumOfOther(field: Field, now: Field): boolean {
  return isEnum(field) && isEnum(now) && !sameLabels(field, now);
}

function isEnum(field: Field): boolean {
  return connectName(baseType(field.avro)) === ENUM;
}

/** Whether the field lists all labels. PostgreSQL never drops labels, so fewer labels mean an older catalog read. */
function sameLabels(field: Field, now: Field): boolean {
  if (!isEnum(field) || !isEnum(now)) return true;
  const listed = new Set(labelsOf(field));
  return labelsOf(now).every((label) => listed.has(label));
}

function labelsOf({ avro }: Field): readonly string[] {
  return allowedOf(baseType(avro)).split(",");
}

/** Whether the default's expression changed in a way that changes the default in the schema. */
function isDefaultNew(field: Field, column: Column, now: Field): boolean {
  if (field.made === undefined || field.made.defaultExpr === column.defaultExpr) return false;
  return JSON.stringify(field.avro.default ?? null) !== JSON.stringify(now.avro.default ?? null);
}
