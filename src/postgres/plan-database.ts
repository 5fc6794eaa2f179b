import type { Client } from "pg";
import type {
  Catalog,
  CatalogQuestion,
  CatalogRelation,
  RowSecurity,
  TableConstraint,
  TableIndex,
} from "../migration/catalog.ts";
import { type Constants, type Literal, literalKey, WRITTEN_ANEW } from "../migration/constant.ts";
import { attnum, type Table } from "../table/column.ts";
import { parseTable } from "../table/json.ts";
import { readTypes } from "./catalog.ts";
import { query, sqlState } from "./connection.ts";
import { quoteIdentifier } from "../table/quote.ts";
import { CATALOG_TABLE_JSON } from "./table-json.ts";

/** Reads what `plan` asks the database. It reads the catalog and converts literals of built-in types, nothing else. */

/** Reads the catalog's answer to a migration's names. */
export async function readPlanCatalog(client: Client, asked: CatalogQuestion): Promise<Catalog> {
  const captured = asked.captured.map(String);
  const relations = await readRelations(client, asked.relations, captured);
  const tables = await readCaptured(client, captured);
  const { indexes, constraints } = await readConstraints(client, captured);
  const types = await readNamedTypes(client, asked.types);
  const functions = await query<{ readonly name: string }>(
    client,
    "reading functions",
    `SELECT DISTINCT p.proname AS name FROM pg_proc p
      WHERE p.proname = ANY ($1::text[]) AND p.pronamespace = 'pg_catalog'::regnamespace`,
    [[...asked.functions]],
  );
  return { relations, tables, indexes, constraints, types, ownFunctions: new Set(functions.map(({ name }) => name)) };
}

async function readRelations(
  client: Client,
  names: readonly string[],
  captured: readonly string[],
): Promise<readonly CatalogRelation[]> {
  const rows = await query<{
    readonly oid: string;
    readonly schema: string;
    readonly name: string;
    readonly above: string;
    readonly security: string;
  }>(
    client,
    "reading relations",
    `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
            (WITH RECURSIVE above(oid) AS (
               SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid
               UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid)
             SELECT coalesce(string_agg(a.oid::text, ','), '') FROM above a) AS above,
            json_build_object('enabled', c.relrowsecurity, 'forced', c.relforcerowsecurity,
              'owned', pg_has_role(c.relowner, 'USAGE'),
              'exempt', (SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles r WHERE r.rolname = current_user)
            )::text AS security
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND (c.relname = ANY ($1::text[]) OR c.oid = ANY ($2::text[]::oid[]))
      ORDER BY n.nspname, c.relname`,
    [[...names], [...captured]],
  );
  return rows.map(({ oid, schema, name, above, security }) => {
    const ancestors = above === "" ? [] : above.split(",").map(Number);
    const read = JSON.parse(security) as RowSecurity; // the query builds exactly this
    return { oid: Number(oid), schema, name, ancestors, security: read };
  });
}

async function readCaptured(client: Client, captured: readonly string[]): Promise<ReadonlyMap<number, Table>> {
  const rows = await query<{ readonly table: string | null }>(
    client,
    "reading the captured tables",
    `SELECT ${CATALOG_TABLE_JSON} AS table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ($1::text[]::oid[])`,
    [[...captured]],
  );
  const tables = rows.flatMap((row) => parseTable(row.table) ?? []);
  return new Map(tables.map((table) => [table.oid, table]));
}

interface IndexJson extends Omit<TableIndex, "columns"> {
  readonly table: number;
  readonly columns: readonly number[];
}

interface ConstraintJson {
  readonly table: number;
  readonly name: string;
  readonly columns: readonly number[];
}

async function readConstraints(
  client: Client,
  captured: readonly string[],
): Promise<Pick<Catalog, "indexes" | "constraints">> {
  const [row] = await query<{ readonly indexes: string; readonly constraints: string }>(
    client,
    "reading indexes and constraints",
    `SELECT (SELECT coalesce(json_agg(json_build_object(
                      'table', i.indrelid::bigint, 'name', x.relname, 'primary', i.indisprimary,
                      'identifies', i.indisreplident,
                      'usable', i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
                                AND i.indexprs IS NULL,
                      'columns', (SELECT json_agg(u.attnum ORDER BY u.at)
                                    FROM unnest(i.indkey) WITH ORDINALITY AS u(attnum, at)
                                   WHERE u.at <= i.indnkeyatts))), '[]')::text
               FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
              WHERE i.indrelid = ANY ($1::text[]::oid[])) AS indexes,
            (SELECT coalesce(json_agg(json_build_object('table', v.conrelid::bigint, 'name', v.conname,
                      'columns', CASE WHEN v.contype = 'n' THEN to_json(v.conkey) ELSE '[]'::json END)), '[]')::text
               FROM pg_constraint v
              WHERE v.conrelid = ANY ($1::text[]::oid[]) AND v.contype NOT IN ('p', 'u')) AS constraints`,
    [[...captured]],
  );
  const indexes = JSON.parse(row?.indexes ?? "[]") as readonly IndexJson[]; // the query builds exactly this
  const constraints = JSON.parse(row?.constraints ?? "[]") as readonly ConstraintJson[]; // as above
  return {
    indexes: byTable(indexes, ({ name, usable, primary, identifies, columns }): TableIndex => {
      return { name, usable, primary, identifies, columns: columns.map(attnum) };
    }),
    constraints: byTable(constraints, ({ name, columns }): TableConstraint => ({ name, notNull: columns.map(attnum) })),
  };
}

function byTable<Row extends { readonly table: number }, Made>(
  rows: readonly Row[],
  make: (row: Row) => Made,
): ReadonlyMap<number, readonly Made[]> {
  const grouped = Map.groupBy(rows, ({ table }) => table);
  return new Map([...grouped].map(([table, own]) => [table, own.map(make)]));
}

async function readNamedTypes(client: Client, names: readonly string[]): Promise<Catalog["types"]> {
  const rows = await query<{ readonly oid: string; readonly schema: string; readonly name: string }>(
    client,
    "reading types",
    `SELECT y.oid::text AS oid, n.nspname AS schema, y.typname AS name
       FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace LEFT JOIN pg_class c ON c.oid = y.typrelid
      WHERE y.typname = ANY ($1::text[]) AND (c.relkind IS NULL OR c.relkind = 'c')`,
    [[...names]],
  );
  const oids = rows.map(({ oid }) => Number(oid));
  const details = await readTypes(client, oids);
  return rows.map(({ oid, schema, name }) => {
    const type = { oid: Number(oid), typmod: -1, detail: details.get(Number(oid)) };
    return { schema, name, type };
  });
}

/**
 * How the server writes each literal as a value of its type; null if it rejects the literal. Only types in WRITTEN_ANEW
 * are asked about: their input functions run no code of a user.
 */
export async function readConstants(client: Client, literals: readonly Literal[]): Promise<Constants> {
  const found = new Map<string, string | null>();
  for (const literal of literals.filter(({ type }) => WRITTEN_ANEW.has(type))) {
    const key = literalKey(literal);
    if (!found.has(key)) found.set(key, await readConstant(client, literal));
  }
  return found;
}

async function readConstant(client: Client, { type, text }: Literal): Promise<string | null> {
  try {
    const name = quoteIdentifier(type);
    const [row] = await query<{ readonly value: string }>(
      client,
      "reading a default",
      `SELECT $1::text::pg_catalog.${name}::text AS value`,
      [text],
    );
    return row?.value ?? null;
  } catch (error) {
    if (sqlState(error)?.startsWith("22") === true) return null;
    throw error;
  }
}
