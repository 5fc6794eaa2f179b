import { type Client, DatabaseError } from "pg";
import type { Table } from "../table/column.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Snapshot } from "../wal/snapshot.ts";
import { readTable } from "./catalog.ts";
import { sqlState, translate } from "./connection.ts";
import { readKeyOrder } from "./key-order.ts";
import { quoteTable, fullName } from "../table/quote.ts";
import { type ChunkRequest, statementParts, fittingRequest, readNextKey, readRows } from "./chunk-rows.ts";
import { type Beyond, countRows } from "./row-count.ts";

/**
 * Reads one chunk of a table's rows, for snapshots and backfills: locks the table, checks that it still has the requested
 * columns and order, and reads the rows (chunk-rows.ts). The loop writes the marks before and after.
 */

export type ChunkRead =
  | {
      readonly kind: "rows";
      /** The snapshot in which both the rows and `table` were read. */
      readonly snapshot: Snapshot;
      readonly table: Table;
      /** The end of the log after the snapshot was taken. */
      readonly end: Lsn;
      /** pgoutput TupleData of `columns`, in key order. */
      readonly rows: readonly Buffer[];
      /**
       * The last key of the range as texts, even if its row was not due; undefined for an empty range or with `again`.
       */
      readonly last: readonly string[] | undefined;
      /**
       * Identifies the order of the keys: types, operator classes and collations. The next range must have the same
       * order.
       */
      readonly order: string;
      /** True if the range reached the end of the table. */
      readonly done: boolean;
      /** The number of keys in the range, due or not; with `again`, the number of rows found. */
      readonly scanned: number;
    }
  /** A requested column was renamed or dropped, so nothing was read. */
  | { readonly kind: "differs"; readonly snapshot: Snapshot; readonly table: Table; readonly end: Lsn }
  /**
   * `after` or `again` has keys of a different order or type, or with an enum's label that was renamed since. Nothing
   * was read, and a pass over the table must start over.
   */
  | { readonly kind: "reordered" }
  /** No unique index has exactly these columns, all of them NOT NULL, so the rows have no order to read them in. */
  | { readonly kind: "unordered"; readonly snapshot: Snapshot; readonly table: Table; readonly end: Lsn }
  /** The next row is too large to hold in memory: only its key was read, as text. */
  | {
      readonly kind: "too-large";
      readonly snapshot: Snapshot;
      readonly bytes: number;
      readonly key: readonly string[] | undefined;
      readonly order: string;
    }
  /** The table has more rows than `most`, or may have: nothing was read. */
  | { readonly kind: "too-many"; readonly snapshot: Snapshot; readonly rows: Beyond["rows"] }
  /** Another session held a lock on the table for longer than the lock timeout. */
  | { readonly kind: "locked" }
  /** The role may not read the table, policies (row level security) would hide rows from it, or reading it fails. */
  | { readonly kind: "unreadable"; readonly why: string }
  /** No table has this name, or the table with this name has a different OID. */
  | { readonly kind: "gone" };

const LOCK_TIMEOUT_MS = 2000;

/**
 * Reads one chunk in a short transaction, so that rows, snapshot and catalog belong to the same moment. Throws the
 * GuardError that `translate` creates; the session remains usable after that.
 */
export async function readChunk(client: Client, request: ChunkRequest): Promise<ChunkRead> {
  try {
    const chunk = await readLocked(client, request);
    await client.query("COMMIT");
    return chunk;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {}); // a lost connection has no transaction either
    const state = sqlState(error);
    if (state === "55P03") return { kind: "locked" };
    if (state === "42501") return { kind: "unreadable", why: unreadableWhy(error) };
    if (state === "22P02" && (request.after ?? request.again) !== undefined) return { kind: "reordered" };
    if (state === "42P01" || state === "3F000") return { kind: "gone" };
    if (isOfTheTable(state)) return { kind: "unreadable", why: `PostgreSQL reports SQLSTATE ${state}` };
    throw translate(error, `reading rows of ${fullName(request.table)}`);
  }
}

/**
 * True if only this table's rows cannot be read, for example because a page of it is damaged (XX001), or because a
 * function of its key's operator class fails. False if the session or the server is in trouble.
 */
function isOfTheTable(state: string | undefined): state is string {
  return state !== undefined && !/^(?:08|57|53|58|40|25|28|3D)/.test(state);
}

/**
 * PostgreSQL reports the same SQLSTATE for a missing right and, because row_security is off, for policies that would
 * apply. The name of the routine that raised the error is the same in every language of the server's messages.
 */
function unreadableWhy(error: unknown): string {
  const byPolicy = error instanceof DatabaseError && error.routine === "check_enable_rls";
  return byPolicy ? "row level security applies to this role; use ALTER ROLE … BYPASSRLS" : "GRANT SELECT is missing";
}

async function readLocked(client: Client, request: ChunkRequest): Promise<ChunkRead> {
  // Lock first and read afterwards: with a snapshot taken before a rewrite, the rewritten table looks empty.
  await client.query(
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET LOCAL lock_timeout = ${Math.ceil(request.lockTimeoutMs ?? LOCK_TIMEOUT_MS)};
     LOCK TABLE ${quoteTable(request.table)} IN ACCESS SHARE MODE`,
  );
  const { table, snapshot, end } = await readTable(client, request.table.oid);
  if (table === undefined || table.schema !== request.table.schema || table.name !== request.table.name) {
    return { kind: "gone" };
  }
  if (!hasColumns(request, table)) return { kind: "differs", snapshot, table, end };
  const order = await readKeyOrder(client, table, request.key);
  if (order === undefined) return { kind: "unordered", snapshot, table, end };
  if (request.order !== undefined && request.order !== order.name) return { kind: "reordered" };
  const sql = statementParts(request, table, order);
  if (request.most !== undefined) {
    const count = await countRows(client, { oid: request.table.oid, from: sql.table }, request.most);
    if (count.kind === "beyond") return { kind: "too-many", snapshot, rows: count.rows };
  }
  const fitting = await fittingRequest(client, request, sql, table);
  if ("bytes" in fitting) {
    const key = await readNextKey(client, request, sql);
    return { kind: "too-large", snapshot, bytes: fitting.bytes, key, order: order.name };
  }
  const range = await readRows(client, fitting, sql);
  return { kind: "rows", snapshot, table, end, order: order.name, ...range };
}

/** True if the table has each requested column under the requested name. */
function hasColumns(request: ChunkRequest, table: Table): boolean {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  return (
    request.columns.every(({ attnum, name }) => byName.get(name)?.attnum === attnum) &&
    (request.due === undefined || byName.has(request.due.column)) &&
    request.key.every((name) => byName.has(name))
  );
}
