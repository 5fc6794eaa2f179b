import type { Client } from "pg";
import type { Attnum, Table, TableOid } from "../table/column.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Snapshot } from "../wal/snapshot.ts";
import { tupleFrom } from "../wal/tuple.ts";
import { readTable } from "./catalog.ts";
import { sqlState, translate } from "./connection.ts";
import { quoteIdentifier, quoteTable } from "./quote.ts";

/** Which rows of a table to read: the next range of keys, or the keys in `again`. */
export interface ChunkRequest {
  readonly table: { readonly oid: TableOid; readonly schema: string; readonly name: string };
  /** What to select, in the order the rows shall have. */
  readonly columns: readonly { readonly attnum: Attnum; readonly name: string }[];
  /** Names of the key's columns, in index order; not empty. */
  readonly key: readonly string[];
  /** The key after which the range begins, as text; undefined: at the first. */
  readonly after: readonly string[] | undefined;
  /** Keys in the range. */
  readonly limit: number;
  /** Of the range, only rows whose column, as pgoutput writes it, IS DISTINCT FROM `fill`. */
  readonly due?: { readonly column: string; readonly fill: string | null } | undefined;
  /** These keys instead of a range. */
  readonly again?: readonly (readonly string[])[] | undefined;
  /** How long to wait for a migration that holds the table. Default 2000. */
  readonly lockTimeoutMs?: number | undefined;
}

export type ChunkRead =
  | {
      readonly kind: "rows";
      /** What the rows were read with; `table` is as of it too. */
      readonly snapshot: Snapshot;
      readonly table: Table;
      /** The log's end after the snapshot was taken. */
      readonly end: Lsn;
      /** pgoutput TupleData of `columns`, in key order. */
      readonly rows: readonly Buffer[];
      /** The range's last key as text, whether its row was due or not; undefined: the range was empty, or `again`. */
      readonly last: readonly string[] | undefined;
      /** The range reached the end of the table. */
      readonly done: boolean;
      /** Keys in the range, due or not; rows found under `again`. */
      readonly scanned: number;
    }
  /** A column asked for has another name or is gone: nothing was read. */
  | { readonly kind: "differs"; readonly snapshot: Snapshot; readonly table: Table; readonly end: Lsn }
  /** Another session held the table beyond the lock timeout. */
  | { readonly kind: "locked" }
  /** No table of this name, or it has another oid. */
  | { readonly kind: "gone" };

type Values = readonly (string | null)[];

const LOCK_TIMEOUT_MS = 2000;

/**
 * Reads one chunk in a short transaction of its own: all of it, the snapshot and the catalog are of one moment.
 * Throws GuardError as `translate` says; the session can be used again after that.
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
    if (state === "42P01" || state === "3F000") return { kind: "gone" };
    throw translate(error, `reading rows of ${request.table.schema}.${request.table.name}`);
  }
}

async function readLocked(client: Client, request: ChunkRequest): Promise<ChunkRead> {
  // Lock first, look afterwards: a snapshot from before a rewrite finds the new table empty.
  await client.query(
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET LOCAL lock_timeout = ${Math.ceil(request.lockTimeoutMs ?? LOCK_TIMEOUT_MS)};
     LOCK TABLE ${quoteTable(request.table)} IN ACCESS SHARE MODE`,
  );
  const { table, snapshot, end } = await readTable(client, request.table.oid);
  if (table === undefined || table.schema !== request.table.schema || table.name !== request.table.name) {
    return { kind: "gone" };
  }
  const sql = statementParts(request, table);
  if (sql === undefined) return { kind: "differs", snapshot, table, end };
  return { kind: "rows", snapshot, table, end, ...(await readRows(client, request, sql)) };
}

/** What every statement over the table is made of. */
interface Parts {
  readonly table: string;
  readonly key: string;
  readonly keyDescending: string;
  /** The row's columns and behind them the key's, once more. */
  readonly all: string;
  readonly after: string;
  /** Types of the key's columns. */
  readonly types: readonly string[];
}

/** undefined when a column asked for is not there under its name. */
function statementParts(request: ChunkRequest, table: Table): Parts | undefined {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  if (request.columns.some(({ attnum, name }) => byName.get(name)?.attnum !== attnum)) return undefined;
  if (request.due !== undefined && !byName.has(request.due.column)) return undefined;
  const types = request.key.map((name) => byName.get(name)?.typeName).filter((type) => type !== undefined);
  if (types.length !== request.key.length) return undefined;
  const key = request.key.map(quoteIdentifier);
  // Children that inherit have changes under their own names; a partitioned table is nothing but its partitions, and
  // has no file of its own.
  const only = table.filenode === 0 ? "" : "ONLY ";
  return {
    table: `${only}${quoteTable(request.table)}`,
    key: key.join(", "),
    keyDescending: key.map((name) => `${name} DESC`).join(", "),
    all: [...request.columns.map((column) => quoteIdentifier(column.name)), ...key].join(", "),
    after: request.after === undefined ? "true" : `(${key.join(", ")}) > (${parameters(types, 0)})`,
    types,
  };
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
    `SELECT ${sql.all} FROM ${sql.table} WHERE ${sql.after} ORDER BY ${sql.key} LIMIT ${limitOf(request)}`,
    request.after ?? [],
  );
  return {
    rows: toTuples(found, request),
    last: keyOf(found.at(-1)?.slice(request.columns.length)),
    done: found.length < request.limit,
    scanned: found.length,
  };
}

/** First where the range ends, by the key's index alone, then which rows in it are due. */
async function readDueRows(
  client: Client,
  request: ChunkRequest,
  sql: Parts,
  due: { readonly column: string; readonly fill: string | null },
): Promise<Range> {
  const after = request.after ?? [];
  const [end] = await select(
    client,
    `SELECT count(*) OVER (), ${sql.key} FROM
       (SELECT ${sql.key} FROM ${sql.table} WHERE ${sql.after} ORDER BY ${sql.key} LIMIT ${limitOf(request)}) AS keys
      ORDER BY ${sql.keyDescending} LIMIT 1`,
    after,
  );
  const last = keyOf(end?.slice(1));
  if (last === undefined) return { rows: [], last, done: true, scanned: 0 };
  const scanned = Number(end?.[0]);
  const values = [...after, ...last, due.fill];
  const upTo = `(${sql.key}) <= (${parameters(sql.types, after.length)})`;
  const found = await select(
    client,
    `SELECT ${sql.all} FROM ${sql.table}
      WHERE ${sql.after} AND ${upTo} AND ${outputOf(due.column)} IS DISTINCT FROM $${values.length}::text
      ORDER BY ${sql.key}`,
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
  const wanted = sql.types.map((type, index) => `w.k${index}::${type}`).join(", ");
  const arrays = sql.types.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const names = sql.types.map((_, index) => `k${index}`).join(", ");
  const found = await select(
    client,
    `SELECT ${sql.all} FROM ${sql.table}
      WHERE (${sql.key}) IN (SELECT ${wanted} FROM unnest(${arrays}) AS w(${names})) ORDER BY ${sql.key}`,
    sql.types.map((_, index) => keys.map((key) => key[index])),
  );
  return { rows: toTuples(found, request), last: undefined, done: true, scanned: found.length };
}

function toTuples(found: readonly Values[], request: ChunkRequest): readonly Buffer[] {
  return found.map((values) => tupleFrom(values.slice(0, request.columns.length)));
}

function limitOf(request: ChunkRequest): number {
  return Math.max(1, Math.floor(request.limit));
}

function parameters(types: readonly string[], before: number): string {
  return types.map((type, index) => `$${before + index + 1}::${type}`).join(", ");
}

/**
 * A column's text by its type's output function, as pgoutput writes it: `::text` says `true` for `t` and takes the
 * padding from character(n).
 */
function outputOf(column: string): string {
  const name = quoteIdentifier(column);
  return `CASE WHEN ${name} IS NOT NULL THEN format('%s', ${name}) END`;
}

async function select(client: Client, text: string, values: readonly unknown[]): Promise<readonly Values[]> {
  return (await client.query<(string | null)[]>({ text, values: [...values], rowMode: "array" })).rows;
}

function keyOf(values: Values | undefined): readonly string[] | undefined {
  // Key columns are NOT NULL: a null would be a key that the catalog does not have.
  return values?.every((value) => value !== null) === true ? values : undefined;
}
