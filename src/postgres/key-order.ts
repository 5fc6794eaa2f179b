import type { Client } from "pg";
import type { Table } from "../table/column.ts";
import { query, type Row } from "./connection.ts";
import { fullName } from "../table/quote.ts";

/**
 * The order in which a table's rows are read in chunks: that of the unique index over the key's columns. The cursor,
 * comparisons and ORDER BY must all use this order, or ranges would omit or repeat rows. The search path is pg_catalog,
 * so a plain `>` for a type that an extension adds (citext) would be looked up among the built-in types and become that
 * of text. Therefore every operator comes from the index's operator class and is qualified with its schema, and every
 * collation is that of the index.
 */

export interface KeyOrder {
  /** Changes when the order or a column's type changes. A cursor from a different order is meaningless. */
  readonly name: string;
  /** The columns in the key's order, which may differ from the index's. */
  readonly columns: readonly KeyColumn[];
}

/** How one column of the key is compared. All texts are SQL. */
interface KeyColumn {
  /** The column's type. For a domain this is its base type, so that none of the domain's checks run in our session. */
  readonly type: string;
  readonly isDomain: boolean;
  /** The index's collation as ` COLLATE name`, if it differs from the column's; otherwise empty. */
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
 * Reads the order of these columns. Undefined if no valid unique index has exactly these columns, or if one of them may
 * be null, because rows with a null have no unique position in the order.
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

/**
 * The order of every built-in type, for an index that is not a B-tree, such as the GiST index of a key WITHOUT
 * OVERLAPS.
 */
const PLAIN: Operators = { lt: plain("<"), le: plain("<="), eq: plain("="), ge: plain(">="), gt: plain(">") };

function plain(operator: string): string {
  return `OPERATOR(pg_catalog.${operator})`;
}

// If several indexes have the same columns, the replica identity's index comes first, then the primary key's, as for
// the key itself (table-json.ts).
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

/** `columns` are SQL expressions, one for each column of the key. */
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

/** SQL: true if the columns sort after the key. The key's parameters come after `before` other parameters. */
export function beyond(order: KeyOrder, columns: readonly string[], before: number): string {
  return compare(order, sides(order, columns), parameters(order, before), "gt");
}

/** SQL: true if the columns sort at or before the key. Its parameters come after `before` other parameters. */
export function upTo(order: KeyOrder, columns: readonly string[], before: number): string {
  return compare(order, sides(order, columns), parameters(order, before), "le");
}

/** SQL: true if the columns equal the key in `texts`. */
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
 * SQL that compares column by column, starting with the first. If one operator name serves all columns, it is a row
 * comparison, for which PostgreSQL uses the whole index.
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
