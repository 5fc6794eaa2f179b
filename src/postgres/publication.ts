import type { Client } from "pg";
import { query } from "./connection.ts";
import { quoteIdentifier, quoteTable, type TableName } from "./quote.ts";

export interface Publication {
  readonly name: string;
  readonly allTables: boolean;
  /** Which of insert, update, delete, truncate are published. */
  readonly operations: ReadonlySet<"insert" | "update" | "delete" | "truncate">;
  /** Changes of partitions come under the partitioned table's name. */
  readonly viaRoot: boolean;
  /** Every table in it, by whichever clause. */
  readonly tables: readonly PublishedTable[];
}

export interface PublishedTable extends TableName {
  /** A column list leaves columns out of the log. */
  readonly columnList: boolean;
  /** A WHERE clause leaves rows out. */
  readonly rowFilter: boolean;
}

interface PublicationRow extends Readonly<Record<string, string | null>> {
  readonly publication: string;
}

/** undefined: there is no publication of this name. */
export async function readPublication(client: Client, name: string): Promise<Publication | undefined> {
  const [row] = await query<PublicationRow>(client, `reading publication ${name}`, READ, [name]);
  if (row === undefined) return undefined;
  // READ builds exactly this shape, but operations as an array.
  const read = JSON.parse(row.publication) as Omit<Publication, "operations"> & { operations: never[] };
  return { ...read, operations: new Set(read.operations) };
}

// Column lists and filters are columns of pg_publication_rel from PostgreSQL 15 on: to_jsonb reads them if there.
const READ = `
  SELECT json_build_object(
      'name', p.pubname, 'allTables', p.puballtables, 'viaRoot', p.pubviaroot,
      'operations', array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                      CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END], NULL),
      'tables', (SELECT coalesce(json_agg(json_build_object('schema', t.schemaname, 'name', t.tablename,
                   'columnList', coalesce(to_jsonb(r) -> 'prattrs' <> 'null', false),
                   'rowFilter', coalesce(to_jsonb(r) -> 'prqual' <> 'null', false))
                   ORDER BY t.schemaname, t.tablename), '[]')
          FROM pg_publication_tables t
          JOIN pg_namespace n ON n.nspname = t.schemaname
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
          LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
         WHERE t.pubname = p.pubname)) AS publication
    FROM pg_publication p WHERE p.pubname = $1`;

/** The tables whose changes the publication does not send. A partitioned table is there with its partitions. */
export async function missingFromPublication(
  client: Client,
  name: string,
  tables: readonly TableName[],
): Promise<readonly TableName[]> {
  const rows = await query<{ at: string }>(
    client,
    `reading publication ${name}`,
    `SELECT w.at FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS w(schema, name, at)
      WHERE NOT EXISTS (SELECT FROM pg_publication_tables t
               WHERE t.pubname = $1 AND t.schemaname = w.schema AND t.tablename = w.name)
        AND NOT EXISTS (SELECT FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid
               JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE p.pubname = $1 AND n.nspname = w.schema AND c.relname = w.name)
      ORDER BY w.at`,
    [name, tables.map((table) => table.schema), tables.map((table) => table.name)],
  );
  const missing = new Set(rows.map((row) => Number(row.at)));
  return tables.filter((_, index) => missing.has(index + 1));
}

/**
 * Creates the publication for these tables, or adds those it lacks. One FOR ALL TABLES is left as it is.
 * Takes the rights of an owner of the tables. Returns what it added; nothing is ever taken out.
 */
export async function ensurePublication(
  client: Client,
  name: string,
  tables: readonly TableName[],
): Promise<{ readonly created: boolean; readonly added: readonly TableName[] }> {
  const existing = await readPublication(client, name);
  if (existing === undefined) {
    const target = tables.length === 0 ? "" : ` FOR TABLE ${listOf(tables)}`;
    await query(client, `creating publication ${name}`, `CREATE PUBLICATION ${quoteIdentifier(name)}${target}`);
    return { created: true, added: tables };
  }
  const added = existing.allTables ? [] : await missingFromPublication(client, name, tables);
  if (added.length > 0) {
    const alter = `ALTER PUBLICATION ${quoteIdentifier(name)} ADD TABLE ${listOf(added)}`;
    await query(client, `adding tables to publication ${name}`, alter);
  }
  return { created: false, added };
}

function listOf(tables: readonly TableName[]): string {
  return tables.map(quoteTable).join(", ");
}
