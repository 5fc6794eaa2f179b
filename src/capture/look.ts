/** The result of one look: all tables of the database, and the connector's publication. */
export interface TablesLook {
  /** undefined if there is no publication of this name. */
  readonly publication: LookedPublication | undefined;
  /** By OID. */
  readonly tables: ReadonlyMap<number, LookedTable>;
  /** The same tables by `schema.table`. */
  readonly named: ReadonlyMap<string, LookedTable>;
  /** By type OID: a digest of the enum's labels. */
  readonly enums: ReadonlyMap<number, string>;
}

export interface LookedPublication {
  /**
   * OID and xmin of the publication's row. Changes with every ALTER PUBLICATION … SET, and when the publication is
   * dropped and recreated.
   */
  readonly identity: string;
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  readonly operations: readonly string[];
}

/** A file with rows of a table: that of the table itself, or of one of its partitions. */
export interface LookedFile {
  /** The OID and the name of the table or partition. */
  readonly table: number;
  readonly name: string;
  readonly file: number;
  /**
   * The OID of its TOAST table; 0 if it has none. An ALTER TABLE that rewrites the rows, such as SET UNLOGGED, makes another
   * one. TRUNCATE, VACUUM FULL and CLUSTER keep it.
   */
  readonly toast: number;
  /** The transaction that last changed its entry in the catalog (pg_class.xmin). */
  readonly version: string;
}

export interface LookedTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  /**
   * Persistence at the time of the look: `p` permanent, `u` unlogged, which writes no log. A partitioned table has that
   * of its partitions.
   */
  readonly persistence: string;
  readonly file: number;
  readonly files: readonly LookedFile[];
  /** Partitions that are foreign tables, by name, quoted for SQL where necessary. */
  readonly foreign: readonly string[];
  /** A digest of its columns: the attnum of each, and the version of its definition (Column.version). */
  readonly columns: string;
  readonly readable: boolean;
  /** Whether the role may use the table's schema. Without that, a grant on the table has no effect. */
  readonly usable: boolean;
  /** Policies (row level security) would hide rows from the role, so PostgreSQL refuses to read any of them. */
  readonly hidden: boolean;
  /**
   * Whether the log identifies the table's rows. Without that, PostgreSQL rejects UPDATE and DELETE on a published
   * table.
   */
  readonly identified: boolean;
  /** The REPLICA IDENTITY with which it could; null: none, before the table has a key, or none is needed. */
  readonly remedy: string | null;
  /** The columns (attnums) that an old row in the log has; null: all. */
  readonly covers: readonly number[] | null;
  readonly ancestors: readonly number[];
  /**
   * OIDs and xmins of the publication's entries that include this table, by name or by schema. `above`: those that
   * include one of its ancestors.
   */
  readonly own: readonly string[];
  readonly above: readonly string[];
  readonly columnList: boolean;
  readonly rowFilter: boolean;
  /** Whether the publication sends generated columns of this table (PostgreSQL 18). */
  readonly generated: boolean;
  /** Partitions that were separate tables before they were attached, as `oid.link`. */
  readonly attached: readonly string[];
}
