import type { RelationColumn } from "../wal/message.ts";
import { type Attnum, attnum, type ColumnType } from "./column.ts";

/**
 * Which column is it? This is the heart of "never a wrong answer in silence".
 *
 * A row in the log belongs to a Relation message, which has the names and types of the columns, in order, at that
 * position in the log. What it lacks is the attnum, the only identity that a column keeps. Names prove nothing: `DROP
 * a, RENAME b TO a` leaves exactly the names and types that dropping b would leave, and one of the two puts b's values
 * into a's field. The catalog has attnums, but it shows the table as it is now, which may be before or after the row.
 *
 * Two facts make a proof possible: a Relation is in attnum order, and an attnum is never used again. So for some m, at
 * least the highest attnum proven so far, the Relation holds
 *
 * - every column up to m that is alive in the catalog,
 * - some of the columns up to m that have been dropped since the row was written,
 * - and nothing else.
 *
 * An assignment of attnums to the Relation's columns that fits this is a *reading*. Two things rule readings out:
 *
 * - An attnum that had been assigned by the last proof but was not in it (`assigned`) was dropped before that row, unless
 *   the column still exists: then it was a generated one, and may have become ordinary before the row or after it. An
 *   attnum that a catalog read from before the row no longer had (`gone`) was also dropped.
 * - A column whose definition has not changed since before the row (`unchanged`) has its present name and type. Any
 *   other column may have had any name and any type when the row was written: it may have been changed several times.
 *
 * What all readings agree on is proven. For the other columns the answer is `undefined`, and the caller withholds them
 * until a later catalog read resolves the doubt (decision 0004).
 *
 * Example: attnums 1 id and 2 a were proven, and the catalog now has 1 id and 3 a. A Relation `id, a` has two readings,
 * 1 2 (the row is older than the DROP) and 1 3 (it is newer), so id is proven and a is ambiguous.
 *
 * Finding all readings is a dynamic program over (attnum, index in the Relation): `endings` decides whether a partial
 * reading can be completed. `possibleAt` walks forward over those that can and collects each column's attnums.
 */

/** One column of the list that was last proven. The list includes columns that are withheld or not captured. */
export interface KnownColumn {
  readonly attnum: Attnum;
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * The list that was last proven. `assigned` is the highest attnum that had been assigned at that point, including
 * dropped columns.
 */
export interface KnownColumns {
  readonly columns: readonly KnownColumn[];
  readonly assigned: number;
}

/** The table as a catalog read shows it: the columns that exist, and the highest attnum ever assigned. */
export interface CatalogColumns {
  readonly columns: readonly KnownColumn[];
  readonly maxAttnum: number;
}

/**
 * `proven`: one attnum per column, because only one reading exists. `ambiguous`: undefined for columns on which
 * readings differ. `impossible`: no reading explains the Relation, because the catalog read is older than the row or
 * the table was replaced.
 */
export type Proof =
  | { readonly kind: "proven"; readonly columns: readonly Attnum[] }
  | { readonly kind: "ambiguous"; readonly columns: readonly (Attnum | undefined)[] }
  | { readonly kind: "impossible" };

/** What catalog reads from before the row show about a column. */
export interface Evidence {
  /** It no longer existed, so it cannot be in the row. */
  readonly gone: (attnum: number) => boolean;
  /** Its definition is still the one that it had before the row was written. */
  readonly unchanged: (attnum: number) => boolean;
}

export const NO_EVIDENCE: Evidence = { gone: () => false, unchanged: () => false };

/** Identifies a Relation's columns. */
export function prove(
  relation: readonly RelationColumn[],
  known: KnownColumns,
  catalog: CatalogColumns,
  evidence: Evidence,
): Proof {
  const found = readings(relation, known, catalog, evidence);
  if (found === undefined) return { kind: "impossible" };
  const columns = found.map((possible) => (possible.length === 1 ? possible[0] : undefined));
  const certain = columns.filter((column) => column !== undefined);
  return certain.length === columns.length ? { kind: "proven", columns: certain } : { kind: "ambiguous", columns };
}

/** Whether an attnum must, may or cannot be in the Relation. */
type Presence = "must" | "may" | "never";

/**
 * For each column of the Relation, the attnums that are possible for it; undefined if the Relation cannot be
 * explained.
 */
function readings(
  relation: readonly RelationColumn[],
  known: KnownColumns,
  catalog: CatalogColumns,
  { gone, unchanged }: Evidence,
): readonly (readonly Attnum[])[] | undefined {
  const proven = new Set(known.columns.map((column) => Number(column.attnum)));
  const liveBy = new Map(catalog.columns.map((column) => [Number(column.attnum), column]));
  const fixed = new Map([...liveBy].filter(([at]) => unchanged(at)));
  const lastKnown = Math.max(known.assigned, ...proven);
  const last = Math.max(lastKnown, catalog.maxAttnum);
  const presence = (at: number): Presence => {
    const isInLog = proven.has(at) || at > lastKnown;
    // A column that exists, and was missing from the last proof, was a generated one then.
    if (liveBy.has(at)) return isInLog ? "must" : "may";
    return !gone(at) && isInLog ? "may" : "never";
  };
  const fits = (at: number, index: number): boolean => {
    const [column, same] = [relation[index], fixed.get(at)];
    return column !== undefined && (same === undefined || isSame(same, column));
  };
  const ends = endings(relation.length, lastKnown, last, presence, fits);
  if (!ends(1, 0, false)) return undefined;
  return possibleAt(relation.length, last, presence, fits, ends);
}

function isSame({ name, type }: KnownColumn, column: RelationColumn): boolean {
  return name === column.name && type.oid === column.typeOid && type.typmod === column.typmod;
}

type Ends = (at: number, index: number, taken: boolean) => boolean;

/**
 * Returns whether the attnums from `at` upwards can complete a reading in which `index` columns are placed. `taken`:
 * whether at-1 is placed.
 */
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

/**
 * Whether `at`-1 can have been the last attnum when the row was written. Attnums up to `lastKnown` all existed; one
 * above it must be placed.
 */
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
