import type { Client } from "pg";
import type { Attnum, Table, TableOid } from "../table/column.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Snapshot } from "../wal/snapshot.ts";
import { tupleFrom } from "../wal/tuple.ts";
import { readTable } from "./catalog.ts";
import { sqlState, translate } from "./connection.ts";
import { type KeyOrder, orderBy, readKeyOrder, upTo, beyond, sameKey } from "./key-order.ts";
import { quoteIdentifier, quoteTable, fullName } from "../table/quote.ts";

/**
 * Reads rows of a table in chunks, for snapshots and backfills: a range in key order, only the rows of a range that are
 * due, or the rows with given keys. A chunk is read between two marks; this file only reads the rows.
 */

/** Which rows of a table to read: the next range of keys, or the keys in `again`. */
export interface ChunkRequest {
  readonly table: { readonly oid: TableOid; readonly schema: string; readonly name: string };
  /** The columns to select, in this order. */
  readonly columns: readonly { readonly attnum: Attnum; readonly name: string }[];
  /** Names of the key's columns, in index order; not empty. */
  readonly key: readonly string[];
  /** The range starts after this key, whose values are texts. If undefined, it starts at the first key. */
  readonly after: readonly string[] | undefined;
  /** The maximum number of keys in the range. */
  readonly limit: number;
  /**
   * The order in which this pass over the table has read so far (`order` of its last read); undefined for the first
   * chunk.
   */
  readonly order?: string | undefined;
  /** Reads only rows of the range whose column text, as pgoutput writes it, IS DISTINCT FROM `fill`. */
  readonly due?: { readonly column: string; readonly fill: string | null } | undefined;
  /** Reads the rows with these keys instead of a range. */
  readonly again?: readonly (readonly string[])[] | undefined;
  /** How long to wait for another session's lock on the table, such as a migration's. The default is 2000 ms. */
  readonly lockTimeoutMs?: number | undefined;
}

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
   * `after` or `again` has keys of a different order or type. Nothing was read, and a pass over the table must start
   * over.
   */
  | { readonly kind: "reordered"; readonly snapshot: Snapshot }
  /** No unique index has exactly these columns, all of them NOT NULL, so the rows have no order to read them in. */
  | { readonly kind: "unordered"; readonly snapshot: Snapshot; readonly table: Table; readonly end: Lsn }
  /** The next row is too large to hold in memory. */
  | { readonly kind: "too-large"; readonly snapshot: Snapshot; readonly bytes: number }
  /** Another session held a lock on the table for longer than the lock timeout. */
  | { readonly kind: "locked" }
  /** The role may not read the table, or policies (row level security) would hide rows from it. */
  | { readonly kind: "unreadable"; readonly why: string }
  /** No table has this name, or the table with this name has a different OID. */
  | { readonly kind: "gone" };

type Values = readonly (string | null)[];

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
    if (state === "42P01" || state === "3F000") return { kind: "gone" };
    throw translate(error, `reading rows of ${fullName(request.table)}`);
  }
}

/**
 * PostgreSQL reports the same SQLSTATE for a missing right and, because row_security is off, for policies that would
 * apply.
 */
function unreadableWhy(error: unknown): string {
  const byPolicy = error instanceof Error && error.message.includes("row-level security");
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
  if (request.order !== undefined && request.order !== order.name) return { kind: "reordered", snapshot };
  const sql = statementParts(request, table, order);
  const fitting = await fittingRequest(client, request, sql, table);
  if ("bytes" in fitting) return { kind: "too-large", snapshot, bytes: fitting.bytes };
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

/** The parts of SQL that the statements are composed of. All statements call the table `r`. */
interface Parts {
  readonly table: string;
  readonly order: KeyOrder;
  /** The key's columns. */
  readonly key: readonly string[];
  /** The requested columns, followed by those of the key. */
  readonly all: string;
  readonly after: string;
}

function statementParts(request: ChunkRequest, table: Table, order: KeyOrder): Parts {
  // Changes of tables that inherit from this one are sent under their own names, hence ONLY. A partitioned table, which
  // has no file of its own, contains only the rows of its partitions.
  const only = table.filenode === 0 ? "" : "ONLY ";
  const key = request.key.map(columnOf);
  return {
    table: `${only}${quoteTable(request.table)} AS r`,
    order,
    key,
    all: [...request.columns.map((column) => columnOf(column.name)), ...key].join(", "),
    after: request.after === undefined ? "true" : beyond(order, key, 0),
  };
}

/** The approximate maximum size of a chunk's rows as text. A single larger row makes a chunk of its own. */
const CHUNK_BYTES = 8 << 20;
/** A larger row is not read: it would be in memory several times, and no topic accepts it. */
const MAX_ROW_BYTES = 64 << 20;

/**
 * The request, limited to as many keys as fit into CHUNK_BYTES. The sizes are measured before anything is read, because
 * small rows may be followed by large ones.
 */
async function fittingRequest(
  client: Client,
  request: ChunkRequest,
  sql: Parts,
  table: Table,
): Promise<ChunkRequest | { readonly bytes: number }> {
  const widths = await readWidths(client, request, sql, table);
  let bytes = 0;
  let count = 0;
  for (const width of widths) {
    // A row that is not due is not read, whatever its size.
    if (width > MAX_ROW_BYTES && count === 0 && request.due === undefined) return { bytes: width };
    if (count > 0 && bytes + width > CHUNK_BYTES) break;
    bytes += width;
    count += 1;
  }
  if (count === widths.length) return request;
  return { ...request, limit: count };
}

/** The approximate size of each row of the range as text, in bytes. */
async function readWidths(client: Client, request: ChunkRequest, sql: Parts, table: Table): Promise<readonly number[]> {
  if (request.again !== undefined) return [];
  const byName = new Map(table.columns.map((column) => [column.name, column.type.oid]));
  const widths = request.columns.map(({ name }) => widthOf(columnOf(name), byName.get(name)));
  const found = await select(
    client,
    `SELECT ${widths.length === 0 ? "0" : widths.join(" + ")} FROM ${sql.table}
      WHERE ${sql.after} ORDER BY ${orderBy(sql.order, sql.key)} LIMIT ${limitOf(request)}`,
    request.after ?? [],
  );
  return found.map(([width]) => Number(width));
}

const BYTEA = 17;
const TEXTS: ReadonlySet<number> = new Set([25, 1042, 1043]);

/**
 * SQL for the approximate size of a column's text. It does not need the value itself, so nothing large is read: a
 * text's length is stored, and for other types the stored size is used.
 */
function widthOf(column: string, type: number | undefined): string {
  if (type === BYTEA) return `coalesce(octet_length(${column}), 0)::bigint * 2`;
  if (type !== undefined && TEXTS.has(type)) return `coalesce(octet_length(${column}), 0)::bigint`;
  return `coalesce(pg_column_size(${column}), 0)::bigint * 4`;
}

function columnOf(name: string): string {
  return `r.${quoteIdentifier(name)}`;
}

interface Range {
  readonly rows: readonly Buffer[];
  readonly last: readonly string[] | undefined;
  readonly done: boolean;
  readonly scanned: number;
}

async function readRows(client: Client, request: ChunkRequest, sql: Parts): Promise<Range> {
  if (request.again !== undefined) return readAgain(client, request, sql, request.again);
  if (request.due !== undefined) return readDueRows(client, request, sql, request.due);
  return readEveryRow(client, request, sql);
}

async function readEveryRow(client: Client, request: ChunkRequest, sql: Parts): Promise<Range> {
  const found = await select(
    client,
    `SELECT ${sql.all} FROM ${sql.table}
      WHERE ${sql.after} ORDER BY ${orderBy(sql.order, sql.key)} LIMIT ${limitOf(request)}`,
    request.after ?? [],
  );
  return {
    rows: toTuples(found, request),
    last: keyOf(found.at(-1)?.slice(request.columns.length)),
    done: found.length < request.limit,
    scanned: found.length,
  };
}

/** First finds the end of the range, using only the key's index, and then reads the rows in it that are due. */
async function readDueRows(
  client: Client,
  request: ChunkRequest,
  sql: Parts,
  due: { readonly column: string; readonly fill: string | null },
): Promise<Range> {
  const after = request.after ?? [];
  const named = sql.key.map((_, index) => `keys.k${index}`);
  const [end] = await select(
    client,
    `SELECT count(*) OVER (), ${named.join(", ")} FROM
       (SELECT ${sql.key.map((column, index) => `${column} AS k${index}`).join(", ")} FROM ${sql.table}
         WHERE ${sql.after} ORDER BY ${orderBy(sql.order, sql.key)} LIMIT ${limitOf(request)}) AS keys
      ORDER BY ${orderBy(sql.order, named, "descending")} LIMIT 1`,
    after,
  );
  const last = keyOf(end?.slice(1));
  if (last === undefined) return { rows: [], last, done: true, scanned: 0 };
  const scanned = Number(end?.[0]);
  const values = [...after, ...last, due.fill];
  const found = await select(
    client,
    `SELECT ${sql.all} FROM ${sql.table}
      WHERE ${sql.after} AND ${upTo(sql.order, sql.key, after.length)}
        AND ${outputOf(due.column)} IS DISTINCT FROM $${values.length}::text
      ORDER BY ${orderBy(sql.order, sql.key)}`,
    values,
  );
  return { rows: toTuples(found, request), last, done: scanned < request.limit, scanned };
}

async function readAgain(
  client: Client,
  request: ChunkRequest,
  sql: Parts,
  keys: readonly (readonly string[])[],
): Promise<Range> {
  const names = sql.key.map((_, index) => `k${index}`);
  const arrays = names.map((_, index) => `$${index + 1}::text[]`);
  const wanted = names.map((name) => `w.${name}`);
  const found = await select(
    client,
    `SELECT ${sql.all} FROM ${sql.table}
      WHERE EXISTS (SELECT FROM unnest(${arrays.join(", ")}) AS w(${names.join(", ")})
                     WHERE ${sameKey(sql.order, sql.key, wanted)})
      ORDER BY ${orderBy(sql.order, sql.key)}`,
    names.map((_, index) => keys.map((key) => key[index])),
  );
  return { rows: toTuples(found, request), last: undefined, done: true, scanned: found.length };
}

function toTuples(found: readonly Values[], request: ChunkRequest): readonly Buffer[] {
  return found.map((values) => tupleFrom(values.slice(0, request.columns.length)));
}

function limitOf(request: ChunkRequest): number {
  return Math.max(1, Math.floor(request.limit));
}

/**
 * SQL for a column's text from its type's output function, which is what pgoutput writes. `::text` differs: it gives
 * `true` for `t`, and drops the padding of character(n). The text is compared byte for byte, because the column's own
 * collation may treat different texts as equal.
 */
function outputOf(column: string): string {
  const name = columnOf(column);
  return `CASE WHEN ${name} IS NOT NULL THEN format('%s', ${name}) END COLLATE pg_catalog."C"`;
}

async function select(client: Client, text: string, values: readonly unknown[]): Promise<readonly Values[]> {
  return (await client.query<(string | null)[]>({ text, values: [...values], rowMode: "array" })).rows;
}

function keyOf(values: Values | undefined): readonly string[] | undefined {
  // Key columns are NOT NULL, so a null can only belong to a column that is no longer in the key.
  return values?.every((value) => value !== null) === true ? values : undefined;
}
