import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import { query, sqlState } from "./connection.ts";
import { quoteIdentifier, quoteTable, type TableName, fullName } from "../table/quote.ts";

/**
 * The publication of a connector. It is created or extended if `publication.autocreate.mode` allows that, and then
 * checked: it must send every captured table in full. Every fault is reported with the statement that fixes it.
 */

export type PublishedOperation = "insert" | "update" | "delete" | "truncate";

export interface Publication {
  readonly name: string;
  readonly allTables: boolean;
  readonly operations: ReadonlySet<PublishedOperation>;
  /** True if changes of a partition are sent under the partitioned table's name. */
  readonly viaRoot: boolean;
  /** All its tables, whichever clause includes them. */
  readonly tables: readonly PublishedTable[];
}

export interface PublishedTable extends TableName {
  /** True if a column list keeps some columns out of the stream. */
  readonly columnList: boolean;
  /** True if its generated columns are sent, too (PostgreSQL 18). */
  readonly generated: boolean;
  /** True if a WHERE clause keeps some rows out of the stream. */
  readonly rowFilter: boolean;
}

interface PublicationRow extends Readonly<Record<string, string | null>> {
  readonly publication: string;
}

/** Returns undefined if no publication has this name. */
export async function readPublication(client: Client, name: string): Promise<Publication | undefined> {
  const doing = `reading publication ${name}`;
  const [server] = await query(client, doing, "SELECT to_regclass('pg_publication_namespace') AS schemas");
  const [row] = await query<PublicationRow>(client, doing, readText(server?.["schemas"] !== null), [name]);
  if (row === undefined) return undefined;
  // The statement builds exactly this type, except that operations are an array.
  const read = JSON.parse(row.publication) as Omit<Publication, "operations"> & { operations: never[] };
  return { ...read, operations: new Set(read.operations) };
}

/**
 * Reads which tables a publication sends. The view pg_publication_tables says so, too, but since PostgreSQL 15 it waits
 * for a migration's lock on any of them; these catalogs can be read without locking any table. `bySchema`: the server
 * is version 15 or later and can publish all tables of a schema. PostgreSQL 14 has no column lists and row filters in
 * pg_publication_rel; to_jsonb gives null for them there.
 */
function readText(bySchema: boolean): string {
  const ofSchemas = `
    UNION SELECT c.oid FROM p JOIN pg_publication_namespace s ON s.pnpubid = p.oid
            JOIN publishable c ON c.relnamespace = s.pnnspid`;
  return `
  WITH p AS (SELECT * FROM pg_publication WHERE pubname = $1),
  publishable AS (SELECT * FROM pg_class WHERE relkind IN ('r', 'p') AND pg_relation_is_publishable(oid)),
  named(oid) AS (
    SELECT prrelid FROM p JOIN pg_publication_rel ON prpubid = p.oid
    UNION SELECT c.oid FROM p JOIN publishable c ON p.puballtables${bySchema ? ofSchemas : ""}),
  inside(oid) AS (SELECT c.oid FROM publishable c WHERE c.relispartition AND EXISTS (
      SELECT FROM pg_partition_ancestors(c.oid) AS a(relid) JOIN named ON named.oid = a.relid AND a.relid <> c.oid)),
  sent AS (SELECT c.* FROM p, publishable c
      WHERE CASE WHEN p.pubviaroot THEN c.oid IN (SELECT oid FROM named EXCEPT SELECT oid FROM inside)
                 ELSE c.relkind = 'r' AND c.oid IN (SELECT oid FROM named UNION SELECT oid FROM inside) END)
  SELECT json_build_object(
      'name', p.pubname, 'allTables', p.puballtables, 'viaRoot', p.pubviaroot,
      'operations', array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                      CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END], NULL),
      'tables', (SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'name', c.relname,
                   'columnList', coalesce(to_jsonb(r) -> 'prattrs' <> 'null', false),
                   'rowFilter', coalesce(to_jsonb(r) -> 'prqual' <> 'null', false),
                   'generated', coalesce(to_jsonb(p) ->> 'pubgencols' = 's', false) AND EXISTS (
                      SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated = 's' AND NOT a.attisdropped))
                   ORDER BY n.nspname, c.relname), '[]')
          FROM sent c JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid)) AS publication
    FROM p`;
}

/** What a connector needs from its publication. */
export interface PublicationNeed {
  readonly name: string;
  /** publication.autocreate.mode. Only `filtered` changes a publication that exists, by adding tables to it. */
  readonly mode: "filtered" | "all_tables" | "disabled" | "no_tables";
  /** publish.via.partition.root */
  readonly viaRoot: boolean;
  /** The operations that must be sent: all except skipped.operations. */
  readonly operations: ReadonlySet<PublishedOperation>;
  /** The captured tables, under the names with which their changes are sent. */
  readonly tables: readonly TableName[];
}

/**
 * Creates the publication, or adds missing tables to it, if the mode allows it; never removes anything. Requires the
 * rights of the tables' owner (for FOR ALL TABLES, those of a superuser). Returns the tables that were added. Throws
 * GuardError("publication-unfit") if the role lacks these rights, or if the publication then still does not exist, or does
 * not send every table in full or every operation. The error lists all such faults and the statements that fix them.
 */
export async function ensurePublication(
  client: Client,
  need: PublicationNeed,
): Promise<{ readonly created: boolean; readonly added: readonly TableName[] }> {
  const existing = await readPublication(client, need.name);
  const done =
    existing === undefined
      ? { created: true, added: await create(client, need) }
      : { created: false, added: need.mode === "filtered" ? await extend(client, need, existing) : [] };
  refuseUnfit(need, await readPublication(client, need.name));
  return done;
}

async function create(client: Client, need: PublicationNeed): Promise<readonly TableName[]> {
  if (need.mode === "disabled") {
    throw new GuardError(
      "publication-unfit",
      `publication ${need.name} does not exist, and publication.autocreate.mode is disabled`,
      { next: createStatement(need, `FOR TABLE ${listOf(need.tables)}`) },
    );
  }
  const clause = { filtered: `FOR TABLE ${listOf(need.tables)}`, all_tables: "FOR ALL TABLES", no_tables: "" };
  await change(client, `creating publication ${need.name}`, createStatement(need, clause[need.mode]));
  return need.mode === "filtered" ? need.tables : [];
}

const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Runs a statement that changes the publication.
 * @throws GuardError publication-unfit with the statement, if the role may not run it
 */
async function change(client: Client, doing: string, statement: string): Promise<void> {
  try {
    await query(client, doing, statement);
  } catch (error) {
    if (!(error instanceof GuardError) || sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new GuardError("publication-unfit", error.text, {
      next: `have an administrator run: ${statement};`,
      cause: error,
    });
  }
}

function createStatement(need: PublicationNeed, clause: string): string {
  const root = need.viaRoot ? ", publish_via_partition_root = true" : "";
  const target = clause === "" ? "" : ` ${clause}`;
  return `CREATE PUBLICATION ${quoteIdentifier(need.name)}${target} WITH (publish = '${operationsOf(need)}'${root})`;
}

/** Truncates are always sent, because a chunk that is read at the same time must be read again. */
function operationsOf({ operations }: PublicationNeed): string {
  return (["insert", "update", "delete", "truncate"] as const)
    .filter((operation) => operation === "truncate" || operations.has(operation))
    .join(", ");
}

async function extend(client: Client, need: PublicationNeed, existing: Publication): Promise<readonly TableName[]> {
  const alter = `ALTER PUBLICATION ${quoteIdentifier(need.name)}`;
  let now: Publication | undefined = existing;
  if (existing.viaRoot !== need.viaRoot && missingFrom(existing, need.tables).length > 0) {
    await change(client, `altering publication ${need.name}`, `${alter} SET (${viaRootSetting(need)})`);
    now = await readPublication(client, need.name);
  }
  const added = now === undefined || now.allTables ? [] : missingFrom(now, need.tables);
  if (added.length > 0) {
    await change(client, `adding tables to publication ${need.name}`, `${alter} ADD TABLE ${listOf(added)}`);
  }
  return added;
}

function viaRootSetting({ viaRoot }: PublicationNeed): string {
  return `publish_via_partition_root = ${viaRoot}`;
}

/** The tables whose changes the publication does not send under these names. */
export function missingFrom(publication: Publication, tables: readonly TableName[]): readonly TableName[] {
  const sent = new Set(publication.tables.map(quoteTable));
  return tables.filter((table) => !sent.has(quoteTable(table)));
}

function refuseUnfit(need: PublicationNeed, publication: Publication | undefined): void {
  if (publication === undefined) {
    throw new GuardError("publication-unfit", `publication ${need.name} was dropped while it was being checked`, {
      next: "restart the connector",
    });
  }
  const faults = faultsOf(need, publication);
  if (faults.length === 0) return;
  const alter = `ALTER PUBLICATION ${quoteIdentifier(need.name)}`;
  const what = faults.map(([fault]) => fault).join("; ");
  const next = [...new Set(faults.map(([, clause]) => `${alter} ${clause};`))].join(" ");
  throw new GuardError("publication-unfit", `publication ${need.name} ${what}`, { next });
}

type Fault = readonly [what: string, clause: string];

function faultsOf(need: PublicationNeed, publication: Publication): readonly Fault[] {
  const faults: Fault[] = [];
  const missing = missingFrom(publication, need.tables);
  if (missing.length > 0) {
    const otherRoot = publication.viaRoot !== need.viaRoot;
    const names = missing.map(fullName).join(", ");
    const why = otherRoot ? ` under that name (publish_via_partition_root is ${publication.viaRoot})` : "";
    faults.push([
      `does not send ${names}${why}`,
      otherRoot ? `SET (${viaRootSetting(need)})` : `ADD TABLE ${listOf(missing)}`,
    ]);
  }
  const unsent = [...need.operations].filter((operation) => !publication.operations.has(operation));
  if (unsent.length > 0) {
    faults.push([`does not send ${unsent.join(", ")}`, `SET (publish = '${operationsOf(need)}')`]);
  }
  return [...faults, ...partialFaults(need, publication), ...generatedFaults(need, publication)];
}

function partialFaults(need: PublicationNeed, publication: Publication): readonly Fault[] {
  const wanted = new Set(need.tables.map(quoteTable));
  return publication.tables.flatMap((table): readonly Fault[] => {
    if (!wanted.has(quoteTable(table)) || (!table.columnList && !table.rowFilter)) return [];
    const parts = [table.columnList ? "a column list" : "", table.rowFilter ? "a row filter" : ""];
    const what = parts.filter((part) => part !== "").join(" and ");
    const again = `DROP TABLE ${quoteTable(table)}; ALTER PUBLICATION ${quoteIdentifier(need.name)} ADD TABLE`;
    return [[`has ${what} for ${fullName(table)}`, `${again} ${quoteTable(table)}`]];
  });
}

/** Debezium's events have no generated columns either: before PostgreSQL 18 they are never in the log. */
function generatedFaults(need: PublicationNeed, publication: Publication): readonly Fault[] {
  const wanted = new Set(need.tables.map(quoteTable));
  const names = publication.tables.filter((table) => table.generated && wanted.has(quoteTable(table))).map(fullName);
  return names.length === 0
    ? []
    : [[`sends generated columns of ${names.join(", ")}`, "SET (publish_generated_columns = none)"]];
}

function listOf(tables: readonly TableName[]): string {
  return tables.map(quoteTable).join(", ");
}
