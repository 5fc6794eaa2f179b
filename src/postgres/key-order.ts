import type { Client } from "pg";
import type { Table } from "../table/column.ts";
import { query, type Row } from "./connection.ts";
import { fullName } from "../table/quote.ts";

/**
 * The order in which a table's rows are read in chunks: that of the unique index over the key's columns. Cursor, comparison
 * and ORDER BY all have to use it, or else ranges leave rows out or repeat them. The search path is pg_catalog, so a plain
 * `>` of a type that an extension adds (citext) would be looked up among the built-in types and become text's. Therefore
 * every operator is the one of the index's operator class, named with its schema, and every collation is the index's.
 */

export interface KeyOrder {
  /** Changes when the order or a column's type does: a cursor of another order means nothing. */
  readonly name: string;
  /** In the key's order, which need not be the index's. */
  readonly columns: readonly KeyColumn[];
}

/** How one column of the key is compared. All of them are SQL. */
interface KeyColumn {
  /** Its type; of a domain the type below, so that no check of the domain runs in our session. */
  readonly type: string;
  readonly isDomain: boolean;
  /** The index's collation if it is not the column's, as ` COLLATE name`; else empty. */
  readonly collate: string;
  readonly operators: Operators;
}

interface Operators {
  readonly lt: string;
  readonly le: string;
  readonly eq: string;
  readonly ge: string;
  readonly gt: string;
}

interface OrderRow extends Row {
  readonly attnum: string;
  readonly part: string;
  readonly type: string;
  readonly domain: string;
  readonly collate: string;
  readonly operators: string | null;
}

/**
 * Reads the order of these columns. undefined: no valid unique index has exactly these columns, or one of them may be
 * null, so that some rows have no place of their own.
 */
export async function readKeyOrder(
  client: Client,
  table: Table,
  key: readonly string[],
): Promise<KeyOrder | undefined> {
  const columns = key.map((name) => table.columns.find((column) => column.name === name));
  if (columns.length === 0 || columns.some((column) => column === undefined || !column.notNull)) return undefined;
  const attnums = columns.flatMap((column) => (column === undefined ? [] : [String(column.attnum)]));
  const rows = await query<OrderRow>(client, `reading the key's order of ${fullName(table)}`, ORDER, [
    String(table.oid),
    attnums,
  ]);
  const found = attnums.map((attnum) => rows.find((row) => row.attnum === attnum)).filter((row) => row !== undefined);
  if (found.length !== attnums.length) return undefined;
  return { name: found.map(({ part }) => part).join(" "), columns: found.map(columnOf) };
}

function columnOf({ type, domain, collate, operators }: OrderRow): KeyColumn {
  const own = operators === null ? PLAIN : (JSON.parse(operators) as Operators); // ORDER builds exactly this
  return { type, isDomain: domain === "t", collate: collate === "" ? "" : ` COLLATE ${collate}`, operators: own };
}

/** The order of every built-in type, for an index that is not a B-tree: a key WITHOUT OVERLAPS is a GiST index. */
const PLAIN: Operators = { lt: plain("<"), le: plain("<="), eq: plain("="), ge: plain(">="), gt: plain(">") };

function plain(operator: string): string {
  return `OPERATOR(pg_catalog.${operator})`;
}

// Of several indexes over the same columns the replica identity's comes first, then the primary key's, as for the key
// itself (table-json.ts).
const ORDER = `
  SELECT a.attnum, CASE WHEN y.typtype = 'd' THEN 't' ELSE 'f' END AS domain,
         concat_ws(':', a.attnum, a.atttypid, o.oid, i.collid) AS part,
         (WITH RECURSIVE b(oid) AS (
              SELECT a.atttypid UNION ALL SELECT d.typbasetype FROM b JOIN pg_type d ON d.oid = b.oid WHERE d.typtype = 'd')
          SELECT format_type(b.oid, -1) FROM b JOIN pg_type d ON d.oid = b.oid WHERE d.typtype <> 'd') AS type,
         coalesce((SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname)
                     FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                    WHERE l.oid = i.collid AND l.oid <> a.attcollation), '') AS collate,
         (SELECT json_object_agg((ARRAY['lt', 'le', 'eq', 'ge', 'gt'])[p.amopstrategy],
                                 'OPERATOR(' || quote_ident(n.nspname) || '.' || r.oprname || ')')
            FROM pg_amop p JOIN pg_operator r ON r.oid = p.amopopr JOIN pg_namespace n ON n.oid = r.oprnamespace
            JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
           WHERE p.amopfamily = o.opcfamily AND p.amoplefttype = o.opcintype AND p.amoprighttype = o.opcintype
             AND p.amoppurpose = 's') AS operators
    FROM (SELECT x.indrelid, u.attnum, u.opclass, u.collid, u.at <= x.indnkeyatts AS is_key
            FROM (SELECT i.* FROM pg_index i
                   WHERE i.indrelid = $1::text::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                     AND i.indpred IS NULL AND i.indexprs IS NULL
                     AND (SELECT array_agg(u.attnum ORDER BY u.attnum)
                            FROM unnest(i.indkey) WITH ORDINALITY AS u(attnum, at) WHERE u.at <= i.indnkeyatts)
                         = (SELECT array_agg(w.attnum::int2 ORDER BY w.attnum::int2) FROM unnest($2::text[]) AS w(attnum))
                   ORDER BY i.indisreplident DESC, i.indisprimary DESC, i.indexrelid LIMIT 1) AS x,
                 unnest(x.indkey, x.indclass, x.indcollation) WITH ORDINALITY AS u(attnum, opclass, collid, at)) AS i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.attnum
    JOIN pg_type y ON y.oid = a.atttypid JOIN pg_opclass o ON o.oid = i.opclass
   WHERE i.is_key`;

/** `columns` are SQL, one for each column of the key. */
export function orderBy(
  order: KeyOrder,
  columns: readonly string[],
  direction: "ascending" | "descending" = "ascending",
): string {
  const operator = direction === "ascending" ? "lt" : "gt";
  return sides(order, columns)
    .map((side, index) => `${side} USING ${order.columns[index]?.operators[operator] ?? ""}`)
    .join(", ");
}

/** SQL: the columns sort after the key whose values are the parameters that follow the first `before` ones. */
export function beyond(order: KeyOrder, columns: readonly string[], before: number): string {
  return compare(order, sides(order, columns), parameters(order, before), "gt");
}

/** The columns are not beyond the key in the parameters after the first `before`. */
export function upTo(order: KeyOrder, columns: readonly string[], before: number): string {
  return compare(order, sides(order, columns), parameters(order, before), "le");
}

/** The columns are the key in these texts. */
export function sameKey(order: KeyOrder, columns: readonly string[], texts: readonly string[]): string {
  const left = sides(order, columns);
  return order.columns
    .map(({ type, operators }, index) => `${left[index]} ${operators.eq} ${texts[index]}::${type}`)
    .join(" AND ");
}

function sides(order: KeyOrder, columns: readonly string[]): readonly string[] {
  return order.columns.map(({ type, isDomain, collate }, index) => {
    const column = columns[index] ?? "";
    return `${isDomain ? `${column}::${type}` : column}${collate}`;
  });
}

function parameters(order: KeyOrder, before: number): readonly string[] {
  return order.columns.map(({ type }, index) => `$${before + index + 1}::${type}`);
}

/**
 * Compares column by column, the first one first. Where one operator's name serves all columns it is a row comparison,
 * for which PostgreSQL uses the whole index.
 */
function compare(
  { columns }: KeyOrder,
  left: readonly string[],
  right: readonly string[],
  operator: "gt" | "le",
): string {
  const name = columns[0]?.operators[operator] ?? "";
  if (columns.length === 1) return `${left[0]} ${name} ${right[0]}`;
  if (columns.every(({ operators }) => operators[operator] === name)) {
    return `ROW(${left.join(", ")}) ${name} ROW(${right.join(", ")})`;
  }
  const [strict, loose] = operator === "gt" ? (["gt", "ge"] as const) : (["lt", "le"] as const);
  return columns.reduceRight((rest, { operators }, index) => {
    const pair = (one: keyof Operators) => `${left[index]} ${operators[one]} ${right[index]}`;
    if (rest === "") return pair(operator);
    return `(${pair(loose)} AND (${pair(strict)} OR (${pair("eq")} AND ${rest})))`;
  }, "");
}
