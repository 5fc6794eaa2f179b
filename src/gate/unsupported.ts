import { GuardError } from "../errors.ts";
import type { Attnum, ColumnType } from "../table/column.ts";
import type { Field } from "../table/shape.ts";
import type { RelationColumn } from "../wal/message.ts";
import type { Input, TableState } from "./state.ts";

type Seen = Extract<Input, { kind: "seen" }>;

/**
 * What this version notices and cannot withhold: a published column dropped, renamed or retyped, another key.
 * The connector stops before the first row that has it. undefined: nothing of the kind.
 */
export function cannotWithhold(table: TableState, seen: Seen): GuardError | undefined {
  const changes = table.shape.fields.flatMap((field) => fieldChange(table, field, seen) ?? []);
  const key = keyChange(table, seen);
  const all = key === undefined ? changes : [...changes, key];
  if (all.length === 0) return undefined;
  const name = `${table.shape.table.schema}.${table.shape.table.name}`;
  return new GuardError("amendment-unsupported", `table ${name}: ${all.join("; ")}. Nothing of it was published`, {
    next: "undo the change in the database, or capture the table under a new topic.prefix with a new connector",
  });
}

function fieldChange(table: TableState, field: Field, seen: Seen): string | undefined {
  const column = seenColumn(seen, field.attnum);
  if (column === undefined) return `published column ${field.name} was dropped, or dropped and added again`;
  const before = table.known.find((known) => known.attnum === field.attnum);
  if (before !== undefined && before.name !== column.name) {
    return `published column ${before.name} was renamed to ${column.name}`;
  }
  return sameType(field.type, column) ? undefined : `published column ${field.name} has another type`;
}

/** The primary key's flags are in the Relation while the replica identity is DEFAULT; else the catalog is asked. */
function keyChange(table: TableState, seen: Seen): string | undefined {
  const before = table.shape.key.map((field) => field.attnum);
  const flagged = seen.columns.filter((column, index) => column !== undefined && seen.relation.columns[index]?.key);
  const usable = seen.relation.identity === "default" && flagged.length > 0;
  const now: readonly (Attnum | undefined)[] = usable ? flagged : seen.table.key;
  const same = now.length === before.length && before.every((column) => now.includes(column));
  return same ? undefined : `its key changed from (${names(table, before)})`;
}

function names(table: TableState, columns: readonly Attnum[]): string {
  return columns.map((column) => table.known.find((known) => known.attnum === column)?.name ?? "?").join(", ");
}

function seenColumn(seen: Seen, column: Attnum): RelationColumn | undefined {
  const index = seen.columns.indexOf(column);
  return index === -1 ? undefined : seen.relation.columns[index];
}

function sameType(type: ColumnType, column: RelationColumn): boolean {
  return type.oid === column.typeOid && type.typmod === column.typmod;
}
