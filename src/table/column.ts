/** pg_attribute.attnum: a column's identity within its table. It survives a rename and is never reused. */
export type Attnum = number & { readonly __brand: "Attnum" };
export function attnum(value: number): Attnum {
  return value as Attnum; // the brand's constructor
}

/** pg_class.oid: a table's identity. A table that is dropped and recreated gets a new one. */
export type TableOid = number & { readonly __brand: "TableOid" };
export function tableOid(value: number): TableOid {
  return value as TableOid; // the brand's constructor
}

/** A type as pgoutput sends it: pg_type.oid and atttypmod (-1 if there is none). */
export interface ColumnType {
  readonly oid: number;
  readonly typmod: number;
  /** The details from pg_type; absent for built-in types other than arrays. */
  readonly detail?: TypeDetail | undefined;
}

/**
 * The structure of a type. Labels are in enumsortorder; `ids` are their pg_enum.oid values, which identify a label even
 * after it was renamed. A type from an extension is identified only by its name, because its oid differs between
 * databases.
 */
export type TypeDetail =
  | {
      readonly kind: "enum";
      readonly name: string;
      readonly labels: readonly string[];
      readonly ids?: readonly number[] | undefined;
    }
  | { readonly kind: "array"; readonly of: ColumnType }
  | { readonly kind: "domain"; readonly name: string; readonly of: ColumnType }
  | { readonly kind: "named"; readonly name: string };

/**
 * A type from the log, completed with the catalog's detail for its oid. An array's elements have the column's typmod.
 */
export function columnType(oid: number, typmod: number, detail: TypeDetail | undefined): ColumnType {
  if (detail === undefined) return { oid, typmod };
  if (detail.kind !== "array") return { oid, typmod, detail };
  return { oid, typmod, detail: { kind: "array", of: columnType(detail.of.oid, typmod, detail.of.detail) } };
}

/** A column that exists now, as the catalog describes it. */
export interface Column {
  readonly attnum: Attnum;
  readonly name: string;
  readonly type: ColumnType;
  /** The result of format_type(), such as `numeric(10,2)`, to show to people. */
  readonly typeName: string;
  readonly notNull: boolean;
  /** pg_get_expr() of the default; undefined if there is none. */
  readonly defaultExpr: string | undefined;
  /**
   * The value, as text, of rows that are older than the column and were not rewritten since
   * (pg_attribute.attmissingval). null means NULL, unless the table was rewritten. undefined if it is not known. A
   * later SET or DROP DEFAULT does not change it.
   */
  readonly missing?: string | null | undefined;
  /** An IDENTITY column has no default expression. */
  readonly identity: boolean;
  /** Before PostgreSQL 18 the log contains no generated columns. */
  readonly generated: boolean;
  /** pg_attribute.xmin, which changes with every change of the column's definition; undefined if it is not known. */
  readonly version?: string | undefined;
}

/** A table as the catalog describes it now. */
export interface Table {
  readonly oid: TableOid;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  /** The highest attnum ever assigned (pg_class.relnatts), including dropped columns. */
  readonly maxAttnum: number;
  /**
   * The key's columns in index order. They come from the replica identity's index, or else from the primary key, or
   * else from the first unique index, by name, over NOT NULL columns. Empty if there is none of these.
   */
  readonly key: readonly Attnum[];
  /** The columns of the other unique indexes over NOT NULL columns. Each of them could be the key, too. */
  readonly otherKeys: readonly (readonly Attnum[])[];
  /**
   * The columns that old rows in the log have. Empty if they have all columns (`full`), or if there are no old rows.
   */
  readonly identified: readonly Attnum[];
  readonly replicaIdentity: "default" | "nothing" | "full" | "index";
  /**
   * pg_class.relfilenode, which changes when the table is rewritten. A partitioned table has no file: negative, a digest
   * of its partitions' files; 0 if it has no partitions, or in a DDL message.
   */
  readonly filenode: number;
  /** pg_class.reltuples; -1 if the table was never analyzed. */
  readonly estimatedRows: number;
}
