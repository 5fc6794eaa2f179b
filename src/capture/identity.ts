import { oncePer } from "../once.ts";
import type { TableName } from "../table/quote.ts";
import type { LookedTable, TablesLook } from "./look.ts";

/**
 * PostgreSQL refuses UPDATE and DELETE of a table that a publication sends and whose rows the log cannot identify. So
 * such a table is never put into a publication, and one that is in it is reported with the statement that helps.
 */

/** A table whose rows the log cannot identify. */
export interface Unidentified extends TableName {
  /** The REPLICA IDENTITY that helps; null: none does before the table has a key. */
  readonly remedy: string | null;
}

/** Of a partitioned table's partitions, so many are named. */
const MOST_NAMED = 5;

/** Which tables keep this one out of a publication: itself, or some of its partitions. */
export function unidentifiedOf({ tables }: Pick<TablesLook, "tables">, table: LookedTable): readonly Unidentified[] {
  const found = table.partitioned
    ? unidentifiedIn(tables).filter(({ ancestors }) => ancestors.includes(table.oid))
    : unidentifiedIn(tables).filter(({ oid }) => oid === table.oid);
  return found.slice(0, MOST_NAMED).map(({ schema, name, remedy }) => ({ schema, name, remedy }));
}

/** Of these operations, are there some that need an identity? */
export function needsIdentity(operations: Iterable<string>): boolean {
  return [...operations].some((operation) => operation === "update" || operation === "delete");
}

/** Tables of the publication, captured or not, whose UPDATE and DELETE PostgreSQL refuses now. */
export function refusedWrites({ publication, tables }: TablesLook): readonly Unidentified[] {
  if (publication === undefined || !needsIdentity(publication.operations)) return [];
  return unidentifiedIn(tables).filter(({ own, above }) => publication.allTables || own.length > 0 || above.length > 0);
}

/** Tables of the whole database whose UPDATE and DELETE a publication FOR ALL TABLES would stop. */
export function harmedByAll({ tables }: Pick<TablesLook, "tables">): readonly Unidentified[] {
  return unidentifiedIn(tables);
}

/** UNLOGGED tables are in no publication, and of a partitioned table only its partitions are written. */
const unidentifiedIn = oncePer((tables: TablesLook["tables"]): readonly LookedTable[] =>
  [...tables.values()].filter(
    ({ identified, partitioned, persistence }) => !identified && !partitioned && persistence === "p",
  ),
);
