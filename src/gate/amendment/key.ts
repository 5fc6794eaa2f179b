import type { Attnum } from "../../table/column.ts";
import { isSameType } from "../../event/types/avro-type.ts";
import type { Shape } from "../../table/shape.ts";
import type { Amendment } from "./amendment.ts";
import type { Difference } from "./differ.ts";
import type { Input, TableState } from "../state.ts";

type Seen = Extract<Input, { kind: "seen" }>;

/**
 * How the events' key differs from the table's: it has different columns, or some of its columns' fields have since
 * been released with a new name or type. undefined if it does not differ.
 */
export function keyDifference(table: TableState, seen: Seen): Difference | undefined {
  const now = keyNow(table, seen);
  if (isSameKey(table.shape, now) && isUpToDate(table.shape)) return undefined;
  const none = { attnum: undefined, column: undefined, changes: [], gone: false, unmapped: undefined } as const;
  return { kind: "key", name: "key", key: now, ...none };
}

/** Whether the table no longer has the events' key, in which case its rows cannot flow. */
function isOtherKey(shape: Shape, key: readonly Attnum[] | undefined): boolean {
  return key !== undefined && !isSameKey(shape, key);
}

/**
 * The withheld amendment that keeps rows from flowing because of their key; undefined if the table still has the
 * events' key.
 */
export function otherKeyOf({ shape, amendments }: TableState): Amendment | undefined {
  return amendments.find(({ kind, gate, key }) => kind === "key" && gate.kind === "withheld" && isOtherKey(shape, key));
}

/**
 * The events keep their key while the table has a unique index over exactly its columns, all of them are NOT NULL, and
 * the log has them in old rows. A rebuilt or additional index changes nothing. The Relation says which columns old rows
 * have, unless the replica identity is FULL. The catalog says which other column sets are unique.
 */
export function keyNow(table: TableState, seen: Seen): readonly Attnum[] {
  const flagged = seen.columns.filter((_, index) => seen.relation.columns[index]?.key);
  const sure = flagged.filter((column) => column !== undefined);
  const byIndex = seen.relation.identity === "default" || seen.relation.identity === "index";
  const usable = byIndex && sure.length > 0 && sure.length === flagged.length;
  const present = table.shape.key.map((field) => field.attnum);
  const isKey = [seen.table.key, ...seen.table.otherKeys].some((key) => isSameSet(key, present));
  if (present.length > 0 && isKey && (!usable || present.every((column) => sure.includes(column)))) return present;
  // The catalog has the order of the key's columns, unless the key has changed since.
  if (!usable || isSameSet(sure, seen.table.key)) return seen.table.key;
  const ordered = [...present, ...seen.table.key];
  return sure.toSorted((left, right) => ordered.indexOf(left) - ordered.indexOf(right));
}

function isSameKey({ key }: Shape, now: readonly Attnum[]): boolean {
  return isSameSet(
    key.map((field) => field.attnum),
    now,
  );
}

function isSameSet(left: readonly Attnum[], right: readonly Attnum[]): boolean {
  return left.length === right.length && left.every((one) => right.includes(one));
}

function isUpToDate({ key, fields }: Shape): boolean {
  return key.every((field) => {
    const values = fields.filter((other) => other.attnum === field.attnum);
    const same = values.some((other) => other.name === field.name && isSameType(other.avro.type, field.avro.type));
    return same || values.length === 0;
  });
}
