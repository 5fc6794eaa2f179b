import type { ColumnType, Table, TypeDetail } from "../table/column.ts";

/**
 * The types named by `roots` (a SELECT of one column of oids), and all they are made of, as a JSON list of `TypeRow`.
 * A built-in type that is nothing but itself is not in it.
 */
function typesJson(roots: string): string {
  return `(WITH RECURSIVE of_type(oid) AS (
              ${roots}
             UNION
             SELECT CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.typelem END
               FROM of_type JOIN pg_type y ON y.oid = of_type.oid
              WHERE y.typtype = 'd' OR y.typoutput = 'array_out'::regproc)
           SELECT coalesce(json_agg(json_build_object(
                    'oid', y.oid::bigint, 'name', y.typname,
                    'kind', CASE WHEN y.typtype = 'd' THEN 'domain' WHEN y.typtype = 'e' THEN 'enum'
                                 WHEN y.typoutput = 'array_out'::regproc THEN 'array' ELSE 'named' END,
                    'of', CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.typelem END::bigint,
                    'typmod', y.typtypmod,
                    'labels', (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l
                                WHERE l.enumtypid = y.oid)) ORDER BY y.oid), '[]')
             FROM of_type JOIN pg_type y ON y.oid = of_type.oid
            WHERE y.oid >= 16384 OR y.typtype = 'd' OR y.typoutput = 'array_out'::regproc)`;
}

/**
 * One table as JSON, for `parseTable`, as of the statement's snapshot: `c` is its pg_class row, `n` its pg_namespace
 * row. For PostgreSQL 14 and later; every name in it is found with `search_path = pg_catalog`, in which default
 * expressions and type names come out qualified.
 * A NOT NULL constraint that is NOT VALID (PostgreSQL 18) proves nothing about rows that exist.
 */
export const TABLE_JSON = `json_build_object(
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
    'types', ${typesJson("SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped")},
    'columns', (SELECT coalesce(json_agg(json_build_object(
                  'attnum', a.attnum, 'name', a.attname, 'oid', a.atttypid::bigint, 'typmod', a.atttypmod,
                  'typeName', format_type(a.atttypid, a.atttypmod),
                  'notNull', a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint v WHERE v.conrelid = c.oid
                     AND v.contype = 'n' AND NOT v.convalidated AND v.conkey = ARRAY[a.attnum]),
                  'defaultExpr', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                  'identity', a.attidentity <> '', 'generated', a.attgenerated <> '') ORDER BY a.attnum), '[]')
                 FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))`;

/** The types of the oids in `$1::text[]`, for `parseTypes`. */
export const TYPES_JSON = typesJson("SELECT w.oid::oid FROM unnest($1::text[]) AS w(oid)");

interface TypeRow {
  readonly oid: number;
  readonly name: string;
  readonly kind: TypeDetail["kind"];
  /** The domain's base or the array's element. */
  readonly of: number;
  readonly typmod: number;
  readonly labels: readonly string[] | null;
}

type Types = ReadonlyMap<number, TypeRow>;

interface TableJson extends Omit<Table, "columns"> {
  readonly types: readonly TypeRow[];
  readonly columns: readonly ColumnJson[];
}

interface ColumnJson extends Omit<Table["columns"][number], "type" | "defaultExpr"> {
  readonly oid: number;
  readonly typmod: number;
  readonly defaultExpr: string | null;
}

/** A table from the text of TABLE_JSON; undefined where there is none. */
export function parseTable(text: string | null): Table | undefined {
  if (text === null) return undefined;
  const { types: rows, ...table } = JSON.parse(text) as TableJson; // TABLE_JSON builds exactly this shape
  if (table.name === null) return undefined;
  const types = byOid(rows);
  return {
    ...table,
    columns: table.columns.map(({ oid, typmod, defaultExpr, ...column }) => ({
      ...column,
      type: typeOf(oid, typmod, types),
      defaultExpr: defaultExpr ?? undefined,
    })),
  };
}

/** What the types of TYPES_JSON's text are made of, by oid. */
export function parseTypes(text: string): ReadonlyMap<number, TypeDetail> {
  const types = byOid(JSON.parse(text) as readonly TypeRow[]); // TYPES_JSON builds exactly this
  return new Map([...types.values()].map((row) => [row.oid, detailOf(row, -1, types)]));
}

function byOid(rows: readonly TypeRow[]): Types {
  return new Map(rows.map((row) => [row.oid, row]));
}

function typeOf(oid: number, typmod: number, types: Types): ColumnType {
  const row = types.get(oid);
  return row === undefined ? { oid, typmod } : { oid, typmod, detail: detailOf(row, typmod, types) };
}

/** `typmod` is the column's or the enclosing domain's: an array hands it to its elements. */
function detailOf(row: TypeRow, typmod: number, types: Types): TypeDetail {
  const { kind, name } = row;
  switch (kind) {
    case "enum":
      return { kind, name, labels: row.labels ?? [] };
    case "domain":
      return { kind, name, of: typeOf(row.of, row.typmod, types) };
    case "array":
      return { kind, of: typeOf(row.of, typmod, types) };
    case "named":
      return { kind, name };
    default:
      return kind satisfies never;
  }
}
