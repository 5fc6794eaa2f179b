import type { RelationColumn } from "../wal/message.ts";
import { type Attnum, attnum, type ColumnType } from "./column.ts";

/** One column of a table's last proven list. Withheld and left-out columns are in it too. */
export interface KnownColumn {
  readonly attnum: Attnum;
  readonly name: string;
  readonly type: ColumnType;
}

/** The table as the catalog has it at some later moment: its live columns and the highest attnum ever given. */
export interface CatalogColumns {
  readonly columns: readonly KnownColumn[];
  readonly maxAttnum: number;
}

/**
 * Who the columns of a Relation message are. `proven`: one attnum per column, no other reading exists.
 * `ambiguous`: undefined where readings differ. `impossible`: the catalog does not explain the Relation (it is
 * older than the row, or the table is another).
 */
export type Proof =
  | { readonly kind: "proven"; readonly columns: readonly Attnum[] }
  | { readonly kind: "ambiguous"; readonly columns: readonly (Attnum | undefined)[] }
  | { readonly kind: "impossible" };

/**
 * Identifies a Relation's columns. A Relation is in attnum order and an attnum never comes back, so for some
 * m >= max(known) it holds every live column up to m, plus some columns that were dropped since, and nothing
 * else. Names are not looked at: DROP a, RENAME b TO a gives the names and types of dropping b.
 *
 * `gone` are attnums that a catalog read before the row was written did not have any more: they cannot be in it.
 */
export function prove(
  relation: readonly RelationColumn[],
  known: readonly KnownColumn[],
  catalog: CatalogColumns,
  gone: (attnum: number) => boolean,
): Proof {
  const strict = readings(relation, known, catalog, gone, true);
  const found = strict ?? readings(relation, known, catalog, gone, false);
  if (found === undefined) return { kind: "impossible" };
  const columns = found.map((possible) => (possible.length === 1 ? possible[0] : undefined));
  const certain = columns.filter((column) => column !== undefined);
  return certain.length === columns.length ? { kind: "proven", columns: certain } : { kind: "ambiguous", columns };
}

/** May, must or can this attnum not be in the Relation? */
type Presence = "must" | "may" | "never";

/** The attnums each Relation column can be, over all complete readings; undefined when there is none. */
function readings(
  relation: readonly RelationColumn[],
  known: readonly KnownColumn[],
  catalog: CatalogColumns,
  gone: (attnum: number) => boolean,
  typed: boolean,
): readonly (readonly Attnum[])[] | undefined {
  const knownBy = new Map(known.map((column) => [Number(column.attnum), column]));
  const liveBy = new Map(catalog.columns.map((column) => [Number(column.attnum), column]));
  const lastKnown = Math.max(0, ...knownBy.keys());
  const last = Math.max(lastKnown, catalog.maxAttnum);
  const presence = (at: number): Presence =>
    liveBy.has(at) ? "must" : !gone(at) && (knownBy.has(at) || at > lastKnown) ? "may" : "never";
  const fits = (at: number, index: number): boolean => {
    const column = relation[index];
    return column !== undefined && (!typed || typeFits(column, knownBy.get(at)?.type, liveBy.get(at)?.type));
  };
  const ends = endings(relation.length, lastKnown, last, presence, fits);
  if (!ends(1, 0, false)) return undefined;
  return possibleAt(relation.length, last, presence, fits, ends);
}

/** A type is known from before and from after; in between it was one of them, unless it changed twice. */
function typeFits(column: RelationColumn, before: ColumnType | undefined, after: ColumnType | undefined): boolean {
  if (before === undefined && after === undefined) return true;
  const is = (type: ColumnType | undefined) => type?.oid === column.typeOid && type.typmod === column.typmod;
  return is(before) || is(after);
}

type Ends = (at: number, index: number, taken: boolean) => boolean;

/** Can the attnums from `at` on complete a reading when `index` columns are placed? `taken`: at-1 was placed. */
function endings(
  length: number,
  lastKnown: number,
  last: number,
  presence: (at: number) => Presence,
  fits: (at: number, index: number) => boolean,
): Ends {
  const memo = new Map<number, boolean>();
  const ends: Ends = (at, index, taken) => {
    if (index === length && mayStop(at, lastKnown, taken)) return true;
    if (at > last) return false;
    const key = (at * (length + 1) + index) * 2 + (taken ? 1 : 0);
    const before = memo.get(key);
    if (before !== undefined) return before;
    const take = presence(at) !== "never" && fits(at, index) && ends(at + 1, index + 1, true);
    const result = take || (presence(at) !== "must" && ends(at + 1, index, false));
    memo.set(key, result);
    return result;
  };
  return ends;
}

/** m is the last attnum that existed: everything proven before existed, and m itself is either of those or placed. */
function mayStop(at: number, lastKnown: number, taken: boolean): boolean {
  return at === lastKnown + 1 || (at > lastKnown && taken);
}

function possibleAt(
  length: number,
  last: number,
  presence: (at: number) => Presence,
  fits: (at: number, index: number) => boolean,
  ends: Ends,
): readonly (readonly Attnum[])[] {
  const result: Attnum[][] = Array.from({ length }, () => []);
  let reached = new Set<number>([0]);
  for (let at = 1; at <= last; at++) {
    const next = new Set<number>();
    for (const index of reached) {
      if (presence(at) !== "never" && fits(at, index) && ends(at + 1, index + 1, true)) {
        result[index]?.push(attnum(at));
        next.add(index + 1);
      }
      if (presence(at) !== "must") next.add(index);
    }
    reached = next;
  }
  return result;
}
