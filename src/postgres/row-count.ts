import type { Client } from "pg";
import type { TableOid } from "../table/column.ts";
import { query } from "./connection.ts";

/**
 * Whether a table has more rows than a limit. The statistics alone do not say: they are unknown until the table is
 * analyzed for the first time, for a partitioned table usually for ever, and they are old after many rows were added.
 * What counts is the size of its files now. Called while the table's lock is held, so that reading the size waits for
 * no one.
 */

export type RowCount =
  /** `rows` undefined if only the size of the files shows it. */
  { readonly kind: "within"; readonly rows: number | undefined } | Beyond;

/** `more`: they were counted up to the limit, and there are more. `unknown`: nothing shows how many there are. */
export interface Beyond {
  readonly kind: "beyond";
  readonly rows: number | "more" | "unknown";
}

/** No page has more rows (MaxHeapTuplesPerPage for pages of 8 KiB). */
const ROWS_PER_PAGE = 291;
/** Tables of up to so many pages are counted: 64 MiB. */
const COUNTED_PAGES = 8192;

interface SizeRow extends Readonly<Record<string, string | null>> {
  readonly pages: string | null;
  /** null if there are no statistics for some part of the table. */
  readonly rows: string | null;
}

/** `from` is the table as it stands in FROM. */
export async function countRows(
  client: Client,
  { oid, from }: { readonly oid: TableOid; readonly from: string },
  limit: number,
): Promise<RowCount> {
  const [size] = await query<SizeRow>(client, "reading a table's size", SIZE, [String(oid)]);
  const pages = Number(size?.pages ?? 0);
  if (pages * ROWS_PER_PAGE <= limit) return { kind: "within", rows: undefined };
  if (pages <= COUNTED_PAGES) return counted(client, from, limit);
  if (size === undefined || size.rows === null) return { kind: "beyond", rows: "unknown" };
  const rows = Math.round(Number(size.rows));
  return rows > limit ? { kind: "beyond", rows } : { kind: "within", rows };
}

async function counted(client: Client, from: string, limit: number): Promise<RowCount> {
  const text = `SELECT count(*) AS rows FROM (SELECT FROM ${from} LIMIT ${Math.floor(limit) + 1}) AS counted`;
  const [found] = await query<{ readonly rows: string }>(client, "counting rows", text);
  const rows = Number(found?.rows ?? 0);
  return rows > limit ? { kind: "beyond", rows: "more" } : { kind: "within", rows };
}

// A partitioned table has no file of its own, so its partitions are measured. The statistics are from the last
// ANALYZE, so they are scaled from the number of pages of that time to the present number.
const SIZE = `
  WITH leaf AS (
    SELECT $1::text::oid AS oid
     UNION
    SELECT relid FROM pg_partition_tree($1::text::oid) WHERE isleaf),
  size AS (
    SELECT c.reltuples, c.relpages,
           pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages
      FROM leaf JOIN pg_class c USING (oid) WHERE c.relkind = 'r')
  SELECT sum(pages) AS pages,
         CASE WHEN bool_and(pages = 0 OR (reltuples >= 0 AND relpages > 0))
              THEN sum(CASE WHEN pages = 0 THEN 0 ELSE reltuples::float8 / nullif(relpages, 0) * pages END) END AS rows
    FROM size`;
