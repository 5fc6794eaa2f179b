import type { Client } from "pg";
import type { Attnum, Table, TableOid } from "../table/column.ts";
import { tupleFrom } from "../wal/tuple.ts";
import { type KeyOrder, orderBy, upTo, beyond, sameKey } from "./key-order.ts";
import { quoteIdentifier, quoteTable } from "../table/quote.ts";

/**
 * The statements that read a chunk's rows, once its table is locked and known to have the requested columns. They first
 * measure how many rows fit into memory. Then they read one of three things: all the rows of a range in key order,
 * only the due rows of that range, or the rows with the given keys.
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
  /** Read nothing if the table has more rows than this. */
  readonly most?: number | undefined;
  /** How long to wait for another session's lock on the table, such as a migration's. The default is 2000 ms. */
  readonly lockTimeoutMs?: number | undefined;
}

type Values = readonly (string | null)[];

/** The parts of SQL that the statements are composed of. All statements call the table `r`. */
export interface Parts {
  readonly table: string;
  readonly order: KeyOrder;
  /** The key's columns. */
  readonly key: readonly string[];
  /** The requested columns, followed by those of the key. */
  readonly all: string;
  readonly after: string;
}

export function statementParts(request: ChunkRequest, table: Table, order: KeyOrder): Parts {
  // Changes of tables that inherit from this one are sent under their own names, hence ONLY. A partitioned table, which
  // has no file of its own, contains only the rows of its partitions.
  const only = table.filenode <= 0 ? "" : "ONLY ";
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
export async function fittingRequest(
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

/** The first key of the range. */
export async function readNextKey(
  client: Client,
  request: ChunkRequest,
  sql: Parts,
): Promise<readonly string[] | undefined> {
  const [next] = await select(
    client,
    `SELECT ${sql.key.join(", ")} FROM ${sql.table}
      WHERE ${sql.after} ORDER BY ${orderBy(sql.order, sql.key)} LIMIT 1`,
    request.after ?? [],
  );
  return keyOf(next);
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

export interface Range {
  readonly rows: readonly Buffer[];
  readonly last: readonly string[] | undefined;
  readonly done: boolean;
  readonly scanned: number;
}

export async function readRows(client: Client, request: ChunkRequest, sql: Parts): Promise<Range> {
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
