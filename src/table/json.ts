import type { ColumnType, Table, TypeDetail } from "./column.ts";

interface TypeRow {
  readonly oid: number;
  readonly name: string;
  readonly kind: TypeDetail["kind"];
  /** The domain's base type or the array's element type. */
  readonly of: number;
  readonly typmod: number;
  readonly labels: readonly string[] | null;
  /** A trigger of an earlier version does not send this field. */
  readonly ids?: readonly number[] | null | undefined;
}

type Types = ReadonlyMap<number, TypeRow>;

/** The JSON that TABLE_JSON in postgres/table-json.ts builds. It has each type once, and null instead of undefined. */
export interface TableJson extends Omit<Table, "columns" | "key" | "otherKeys" | "identified"> {
  /** The preferred key is first. A trigger of an earlier version sends only that one, as `key`. */
  readonly keys?: readonly Table["key"][] | undefined;
  readonly key?: Table["key"] | undefined;
  readonly identified?: Table["identified"] | undefined;
  readonly types: readonly TypeRow[];
  readonly columns: readonly ColumnJson[];
}

interface ColumnJson extends Omit<Table["columns"][number], "type" | "defaultExpr"> {
  readonly oid: number;
  readonly typmod: number;
  readonly defaultExpr: string | null;
}

/** Parses the text of TABLE_JSON; undefined if there is no such table. */
export function parseTable(text: string | null): Table | undefined {
  if (text === null) return undefined;
  const table = JSON.parse(text) as TableJson; // TABLE_JSON builds exactly this shape
  return table.name === null ? undefined : tableOfJson(table);
}

export function tableOfJson({ types: rows, keys, key: only, identified, ...table }: TableJson): Table {
  const types = byOid(rows);
  const [key = [], ...otherKeys] = keys ?? [only ?? []];
  const hasIndex = table.replicaIdentity === "default" || table.replicaIdentity === "index";
  return {
    ...table,
    key,
    otherKeys,
    identified: identified ?? (hasIndex ? key : []),
    columns: table.columns.map(({ oid, typmod, defaultExpr, ...column }) => ({
      ...column,
      type: typeOf(oid, typmod, types),
      defaultExpr: defaultExpr ?? undefined,
    })),
  };
}

/** Parses the text of TYPES_JSON: the structure of each type, by oid. */
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

/** `typmod` belongs to the column or to the enclosing domain; an array passes it on to its elements. */
function detailOf(row: TypeRow, typmod: number, types: Types): TypeDetail {
  const { kind, name } = row;
  switch (kind) {
    case "enum":
      return { kind, name, labels: row.labels ?? [], ...(row.ids == null ? {} : { ids: row.ids }) };
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
