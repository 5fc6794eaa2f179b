import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import type { Table, TableOid } from "../table/column.ts";
import { LSN_ZERO, type Lsn, parseLsn } from "../wal/lsn.ts";
import { parseSnapshot, type Snapshot } from "../wal/snapshot.ts";
import { query } from "./connection.ts";
import type { TableName } from "./quote.ts";

interface TableRow extends Readonly<Record<string, string | null>> {
  readonly table: string | null;
}

interface SeenRow extends TableRow {
  readonly snapshot: string;
  readonly end: string;
}

/**
 * One table as JSON in the form of `Table`, as of the statement's snapshot; `c` is its pg_class row.
 * A NOT NULL constraint that is NOT VALID (PostgreSQL 18) proves nothing about rows that exist.
 */
const TABLE_JSON = `json_build_object(
    'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'maxAttnum', c.relnatts,
    'filenode', c.relfilenode::bigint, 'estimatedRows', c.reltuples::bigint,
    'replicaIdentity', CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing'
                                           WHEN 'f' THEN 'full' ELSE 'index' END,
    'key', coalesce((SELECT k.key
              FROM (SELECT i.indisprimary, i.indexrelid, i.indnkeyatts,
                           (SELECT json_agg(a.attnum ORDER BY u.at)
                              FROM unnest(i.indkey) WITH ORDINALITY AS u(attnum, at)
                              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum AND a.attnotnull
                             WHERE u.at <= i.indnkeyatts) AS key
                      FROM pg_index i
                     WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                       AND i.indpred IS NULL AND i.indexprs IS NULL) AS k
             WHERE json_array_length(k.key) = k.indnkeyatts
             ORDER BY k.indisprimary DESC, k.indexrelid LIMIT 1), '[]'),
    'columns', (SELECT coalesce(json_agg(json_build_object(
                  'attnum', a.attnum, 'name', a.attname,
                  'type', json_build_object('oid', a.atttypid::bigint, 'typmod', a.atttypmod),
                  'typeName', format_type(a.atttypid, a.atttypmod),
                  'notNull', a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint v WHERE v.conrelid = c.oid
                     AND v.contype = 'n' AND NOT v.convalidated AND v.conkey = ARRAY[a.attnum]),
                  'defaultExpr', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                  'identity', a.attidentity <> '', 'generated', a.attgenerated <> '') ORDER BY a.attnum), '[]')
                 FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))`;

/**
 * The tables of these exact names, in this order. Throws one GuardError("table-missing") that names every one
 * which is not there, is no ordinary or partitioned table, or may not be selected from.
 */
export async function readTables(client: Client, names: readonly TableName[]): Promise<readonly Table[]> {
  const rows = await query<TableRow>(
    client,
    "reading the captured tables",
    `SELECT CASE WHEN c.oid IS NOT NULL AND has_table_privilege(c.oid, 'SELECT') THEN ${TABLE_JSON} END AS table
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
    const list = missing.map((table) => `${table.schema}.${table.name}`).join(", ");
    throw new GuardError("table-missing", `no such permanent table, or no right to select from it: ${list}`, {
      next: "correct table.include.list, or GRANT SELECT on them",
    });
  }
  return tables.filter((table) => table !== undefined);
}

/**
 * The table as the catalog has it now, and the snapshot it was read in: both of one statement, so they agree.
 * `end` is the log's end after the snapshot was taken: a row written later is newer than this catalog.
 */
export async function readTable(
  client: Client,
  oid: TableOid,
): Promise<{ readonly table: Table | undefined; readonly snapshot: Snapshot; readonly end: Lsn }> {
  const [row] = await query<SeenRow>(
    client,
    `reading table ${oid}`,
    `SELECT pg_current_snapshot() AS snapshot, pg_current_wal_insert_lsn() AS end, ${TABLE_JSON} AS table
       FROM (SELECT $1::text::oid AS oid) AS w LEFT JOIN pg_class c USING (oid)
       LEFT JOIN pg_namespace n ON n.oid = c.relnamespace`,
    [String(oid)],
  );
  const table = parseTable(row?.table ?? null);
  return { table, snapshot: parseSnapshot(row?.snapshot ?? ""), end: parseLsn(row?.end ?? "") ?? LSN_ZERO };
}

function parseTable(text: string | null): Table | undefined {
  if (text === null) return undefined;
  const table = JSON.parse(text) as Table; // TABLE_JSON builds exactly this shape, but null for undefined
  if (table.name === null) return undefined;
  return {
    ...table,
    columns: table.columns.map((column) => ({ ...column, defaultExpr: column.defaultExpr ?? undefined })),
  };
}
