import type { Attnum, ColumnType, Table } from "../table/column.ts";
import type { TableName } from "../table/quote.ts";

/** What the database has of the things that a migration names, and of the captured tables. */
export interface Catalog {
  /** Tables, views and sequences with a name from the migration, and every captured table. */
  readonly relations: readonly CatalogRelation[];
  /** The captured tables, by OID. */
  readonly tables: ReadonlyMap<number, Table>;
  /** Their indexes, by the table's OID. */
  readonly indexes: ReadonlyMap<number, readonly TableIndex[]>;
  /** Their constraints other than those with an index, by the table's OID. */
  readonly constraints: ReadonlyMap<number, readonly TableConstraint[]>;
  /** Types with a name from the migration. */
  readonly types: readonly NamedType[];
  /** The functions from the migration that PostgreSQL itself provides. */
  readonly ownFunctions: ReadonlySet<string>;
}

export interface CatalogRelation extends TableName {
  readonly oid: number;
  /** The OIDs of the tables from which it inherits, or of which it is a partition, at any level. */
  readonly ancestors: readonly number[];
  readonly security?: RowSecurity | undefined;
}

/** Row level security of a table. It binds the role if it is enabled, unless the role is exempt or owns the table. */
export interface RowSecurity {
  readonly enabled: boolean;
  /** It binds the owner, too. */
  readonly forced: boolean;
  /** The role has the rights of the owner. */
  readonly owned: boolean;
  /** The role is a superuser or has BYPASSRLS. */
  readonly exempt: boolean;
}

export interface TableIndex {
  readonly name: string;
  readonly columns: readonly Attnum[];
  /** It has each row exactly once, so it can be a key if its columns are NOT NULL. */
  readonly usable: boolean;
  readonly primary: boolean;
  /** The table's replica identity uses it. */
  readonly identifies: boolean;
}

export interface TableConstraint {
  /** undefined if the migration adds it without a name. */
  readonly name: string | undefined;
  /** The columns that it makes NOT NULL; empty for any other constraint. */
  readonly notNull: readonly Attnum[];
}

export interface NamedType {
  /** undefined if it is known only from a column. */
  readonly schema: string | undefined;
  readonly name: string;
  readonly type: ColumnType;
}

/** The names in a migration for which a catalog is read. */
export interface CatalogQuestion {
  readonly relations: readonly string[];
  readonly types: readonly string[];
  readonly functions: readonly string[];
  /** OIDs of the captured tables. */
  readonly captured: readonly number[];
}
