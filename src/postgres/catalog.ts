import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import type { Table, TableOid, TypeDetail } from "../table/column.ts";
import { parseTable, parseTypes } from "../table/json.ts";
import { LSN_ZERO, type Lsn, parseLsn } from "../wal/lsn.ts";
import { parseSnapshot, type Snapshot } from "../wal/snapshot.ts";
import { query } from "./connection.ts";
import { type TableName, fullName } from "../table/quote.ts";
import { CATALOG_TABLE_JSON, TYPES_JSON } from "./table-json.ts";

interface TableRow extends Readonly<Record<string, string | null>> {
  readonly table: string | null;
}

interface SeenRow extends TableRow {
  readonly snapshot: string;
  readonly end: string;
}

/**
 * Reads the tables with exactly these names, in this order. Throws one GuardError("table-missing") that lists every
 * table that does not exist, is neither an ordinary nor a partitioned table, or may not be read.
 */
export async function readTables(client: Client, names: readonly TableName[]): Promise<readonly Table[]> {
  const rows = await query<TableRow>(
    client,
    "reading the captured tables",
    `SELECT CASE WHEN c.oid IS NOT NULL AND has_table_privilege(c.oid, 'SELECT') THEN ${CATALOG_TABLE_JSON} END AS table
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(schema, name, at)
       LEFT JOIN pg_namespace n ON n.nspname = w.schema
       LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
                           AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
      ORDER BY w.at`,
    [names.map((table) => table.schema), names.map((table) => table.name)],
  );
  const tables = rows.map((row) => parseTable(row.table));
  const missing = names.filter((_, index) => tables[index] === undefined);
  if (missing.length > 0) {
    const list = missing.map(fullName).join(", ");
    throw new GuardError("table-missing", `not a permanent table, or no right to SELECT from it: ${list}`, {
      next: "correct table.include.list, or GRANT SELECT on the tables",
    });
  }
  return tables.filter((table) => table !== undefined);
}

/**
 * Reads the current table and the snapshot in which it was read. Both come from one statement, so they agree. `end` is
 * the end of the log after the snapshot was taken: a row beyond it was written after this read.
 */
export async function readTable(
  client: Client,
  oid: TableOid,
): Promise<{ readonly table: Table | undefined; readonly snapshot: Snapshot; readonly end: Lsn }> {
  const [row] = await query<SeenRow>(
    client,
    `reading table ${oid}`,
    `SELECT pg_current_snapshot() AS snapshot, pg_current_wal_insert_lsn() AS end, ${CATALOG_TABLE_JSON} AS table
       FROM (SELECT $1::text::oid AS oid) AS w LEFT JOIN pg_class c USING (oid)
       LEFT JOIN pg_namespace n ON n.oid = c.relnamespace`,
    [String(oid)],
  );
  const table = parseTable(row?.table ?? null);
  return { table, snapshot: parseSnapshot(row?.snapshot ?? ""), end: parseLsn(row?.end ?? "") ?? LSN_ZERO };
}

/**
 * Reads how the types with these OIDs are built, for a column whose type is known only from the log. The result has no
 * entry for a dropped type, nor for a built-in type that is not an array. Here an array's element has typmod -1;
 * `columnType` sets it to that of the column.
 */
export async function readTypes(client: Client, oids: readonly number[]): Promise<ReadonlyMap<number, TypeDetail>> {
  const [row] = await query<{ readonly types: string }>(client, "reading types", `SELECT ${TYPES_JSON} AS types`, [
    oids.map(String),
  ]);
  return parseTypes(row?.types ?? "[]");
}
