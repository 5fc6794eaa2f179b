/** pg_attribute.attnum: a column's identity within its table. Never reused, survives a rename. */
export type Attnum = number & { readonly __brand: "Attnum" };
export function attnum(value: number): Attnum {
  return value as Attnum; // the brand's constructor
}

/** pg_class.oid: a table's identity; a table dropped and created again has another. */
export type TableOid = number & { readonly __brand: "TableOid" };
export function tableOid(value: number): TableOid {
  return value as TableOid; // the brand's constructor
}

/** A type as pgoutput sends it: pg_type.oid and atttypmod (-1: none). */
export interface ColumnType {
  readonly oid: number;
  readonly typmod: number;
  /** What pg_type says of it; absent for a type that is built in and no array. */
  readonly detail?: TypeDetail | undefined;
}

/** What a type is made of. Labels are in enumsortorder. A type of an extension is known by its name alone: its oid
 * is another in every database. */
export type TypeDetail =
  | { readonly kind: "enum"; readonly name: string; readonly labels: readonly string[] }
  | { readonly kind: "array"; readonly of: ColumnType }
  | { readonly kind: "domain"; readonly name: string; readonly of: ColumnType }
  | { readonly kind: "named"; readonly name: string };

/** A type as the log says it, with what the catalog says of its oid: an array's elements have the column's typmod. */
export function columnType(oid: number, typmod: number, detail: TypeDetail | undefined): ColumnType {
  if (detail === undefined) return { oid, typmod };
  if (detail.kind !== "array") return { oid, typmod, detail };
  return { oid, typmod, detail: { kind: "array", of: columnType(detail.of.oid, typmod, detail.of.detail) } };
}

/** A live column as the catalog has it now. */
export interface Column {
  readonly attnum: Attnum;
  readonly name: string;
  readonly type: ColumnType;
  /** format_type(): `numeric(10,2)`, for people. */
  readonly typeName: string;
  readonly notNull: boolean;
  /** pg_get_expr() of the default; undefined when there is none. */
  readonly defaultExpr: string | undefined;
  /** IDENTITY column: it has no default expression. */
  readonly identity: boolean;
  /** Generated columns are not in the log before PostgreSQL 18. */
  readonly generated: boolean;
}

/** A table as the catalog has it now. */
export interface Table {
  readonly oid: TableOid;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  /** Highest attnum ever given (pg_class.relnatts), dropped columns included. */
  readonly maxAttnum: number;
  /** Primary key's columns in index order, else the first unique index of NOT NULL columns, else empty. */
  readonly key: readonly Attnum[];
  readonly replicaIdentity: "default" | "nothing" | "full" | "index";
  /** pg_relation_filenode: changes when the table is rewritten. */
  readonly filenode: number;
  /** pg_class.reltuples; -1 when never analyzed. */
  readonly estimatedRows: number;
}
