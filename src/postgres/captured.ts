import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import type { ListEntry, CaptureFilter } from "../capture/lists.ts";
import type { Table } from "../table/column.ts";
import { parseTable } from "../table/json.ts";
import { query } from "./connection.ts";
import { CATALOG_TABLE_JSON } from "./table-json.ts";
import { fullName } from "../table/quote.ts";
import { describeLeftOut } from "../words/left-out.ts";

/**
 * Determines which tables of the database a connector captures. The filter in its file decides by name. For partitioned
 * tables it also matters under which name the log sends their changes. An entry of the file that has no effect is an
 * error or a warning.
 */

export interface Capture {
  readonly filter: CaptureFilter;
  /** The entries of table.include.list. If it is empty, every table that passes the filter is captured. */
  readonly listed: readonly ListEntry[];
  /** publish.via.partition.root: changes of a partition are sent under the partitioned table's name. */
  readonly viaRoot: boolean;
  /** Tables that were captured before. It is not an error if one of them has been dropped or renamed since. */
  readonly before: readonly { readonly schema: string; readonly name: string }[];
}

export interface Captured {
  /** Ordered by name. */
  readonly tables: readonly Table[];
  /** Warnings about entries of the lists that have no effect. */
  readonly warnings: readonly string[];
}

/** A permanent table of the database. */
interface PermanentTable {
  readonly oid: string;
  /** With its schema. */
  readonly name: string;
  readonly taken: boolean;
  readonly partitioned: boolean;
  /** Which right to read it this role lacks, and the statements that grant it; undefined if it lacks none. */
  readonly denied: { readonly why: string; readonly next: string } | undefined;
  /** Policies (row level security) would hide rows from this role. */
  readonly hidden: boolean;
  /** OIDs of the partitioned tables, at any level, that this table is a partition of. */
  readonly ancestors: readonly string[];
}

/**
 * The tables whose changes are captured: permanent tables that pass the filter, under the name with which the log sends
 * their changes. System schemas (as with Debezium's table.ignore.builtin) and Fieldgate's own schema are left out.
 * Throws GuardError:
 * - "table-missing", listing every plain name in table.include.list that is not such a table or may not be read, unless
 *   it was captured before; or if nothing is captured, listing every table that may not be read. Otherwise a table that
 *   only matches a pattern and may not be read is left out
 * - "config-invalid" for a partitioned table that is listed by name although its changes are sent under its partitions'
 *   names
 */
export async function readCapturedTables(client: Client, capture: Capture): Promise<Captured> {
  const candidates = await readPermanentTables(client, capture.filter);
  const captured = candidates.filter((candidate) => isCaptured(candidate, candidates, capture.viaRoot));
  const lost = capture.viaRoot ? [] : lostRoots(candidates, capture);
  refuseLost(lost.filter(({ named }) => named));
  refuseMissing(candidates, captured, capture);
  // A table that matches a pattern but may not be read is reported later, and is captured once it may be read.
  const tables = await readByOid(
    client,
    captured.filter(({ denied }) => denied === undefined),
  );
  const vain = capture.listed.filter(({ plain, matches }) => !plain && !candidates.some(({ name }) => matches(name)));
  return {
    tables,
    warnings: [
      ...vain.map(({ text }) => `table.include.list: ${text} matches no table`),
      ...lost.map((root) => `${lostText([root])}: ${VIA_ROOT}`),
    ],
  };
}

const VIA_ROOT = "set publish.via.partition.root to true, or list the partitions as well";

interface TableRow extends Readonly<Record<string, string | null>> {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly role: string;
  readonly readable: string;
  readonly usable: string;
  readonly hidden: string;
  readonly ancestors: string;
}

async function readPermanentTables(client: Client, filter: CaptureFilter): Promise<readonly PermanentTable[]> {
  const rows = await query<TableRow>(
    client,
    "listing the tables",
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
            current_user AS role, has_table_privilege(c.oid, 'SELECT') AS readable,
            has_schema_privilege(n.oid, 'USAGE') AS usable,
            row_security_active(c.oid) AS hidden,
            (SELECT coalesce(json_agg(a.relid::oid::text), '[]') FROM pg_partition_ancestors(c.oid) AS a(relid)
              WHERE a.relid <> c.oid) AS ancestors
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname !~ '^pg_'
        AND n.nspname NOT IN ('information_schema', 'fieldgate') AND c.relname <> 'spatial_ref_sys'
      ORDER BY n.nspname, c.relname`,
  );
  return rows.map((row) => ({
    oid: row.oid,
    name: fullName(row),
    taken: filter.table(row.schema, row.name),
    partitioned: row.kind === "p",
    denied: deniedTo(row),
    hidden: row.hidden === "t",
    ancestors: JSON.parse(row.ancestors) as readonly string[], // the statement builds exactly this
  }));
}

function deniedTo(row: TableRow): PermanentTable["denied"] {
  const [readable, usable] = [row.readable === "t", row.usable === "t"];
  if (readable && usable) return undefined;
  return describeLeftOut(row, { kind: "no-right", readable, usable, role: row.role });
}

function isCaptured(candidate: PermanentTable, all: readonly PermanentTable[], viaRoot: boolean): boolean {
  if (!candidate.taken) return false;
  if (!viaRoot) return !candidate.partitioned;
  return !candidate.ancestors.some((oid) => all.some((other) => other.oid === oid && other.taken));
}

interface LostRoot {
  readonly name: string;
  /** True if the list names the table without a pattern. */
  readonly named: boolean;
  readonly partitions: readonly string[];
}

/**
 * Listed partitioned tables with partitions that are not listed, although the changes are sent under the partitions'
 * names.
 */
function lostRoots(candidates: readonly PermanentTable[], { listed }: Capture): readonly LostRoot[] {
  const roots = candidates.filter(({ partitioned, taken }) => partitioned && taken && listed.length > 0);
  return roots.flatMap(({ oid, name }) => {
    const leaves = candidates.filter(({ partitioned, ancestors }) => !partitioned && ancestors.includes(oid));
    const partitions = leaves.filter(({ taken }) => !taken).map((leaf) => leaf.name);
    const named = listed.some(({ plain, matches }) => plain && matches(name));
    return partitions.length > 0 || (named && leaves.length === 0) ? [{ name, named, partitions }] : [];
  });
}

function refuseLost(roots: readonly LostRoot[]): void {
  if (roots.length > 0) throw new GuardError("config-invalid", lostText(roots), { next: VIA_ROOT });
}

function lostText(roots: readonly LostRoot[]): string {
  const each = roots.map(({ name, partitions }) => {
    const some = partitions.slice(0, 3).join(", ");
    return `${name} (${some === "" ? "no partitions yet" : some}${partitions.length > 3 ? ", …" : ""})`;
  });
  return `changes of partitioned tables are sent under the names of their partitions, which are not captured: ${each.join(", ")}`;
}

function refuseMissing(
  candidates: readonly PermanentTable[],
  captured: readonly PermanentTable[],
  { listed, before }: Capture,
): void {
  const known = before.map(fullName);
  const absent = listed.filter(({ plain, matches }) => {
    return plain && !known.some(matches) && !candidates.some(({ name, taken }) => taken && matches(name));
  });
  const isNamed = (name: string) => listed.some(({ plain, matches }) => plain && matches(name));
  const noneIsReadable = known.length === 0 && captured.every(({ denied }) => denied !== undefined);
  const unreadable = captured.flatMap(({ denied, name }) =>
    denied !== undefined && (noneIsReadable || isNamed(name)) && !known.includes(name) ? [{ name, ...denied }] : [],
  );
  const faults = [
    ...(absent.length === 0 ? [] : [`not a permanent table: ${absent.map(({ text }) => text).join(", ")}`]),
    ...unreadable.map(({ name, why }) => `${name}: ${why}`),
  ];
  if (faults.length > 0) {
    const grants = [...new Set(unreadable.map(({ next }) => next))].join(" ");
    const steps = [absent.length === 0 ? "" : "correct table.include.list", grants].filter((step) => step !== "");
    throw new GuardError("table-missing", faults.join("; "), { next: steps.join("; ") });
  }
  refuseHidden(captured.filter(({ hidden, name }) => hidden && isNamed(name) && !known.includes(name)));
  if (captured.length > 0 || known.length > 0) return;
  throw new GuardError("table-missing", "the include and exclude lists match no table of the database", {
    next: "correct table.include.list: each entry must match the whole of schema.table",
  });
}

/** Its rows could not be read, and its snapshot would wait for ever. */
function refuseHidden(tables: readonly PermanentTable[]): void {
  if (tables.length === 0) return;
  const names = tables.map(({ name }) => name).join(", ");
  throw new GuardError("table-missing", `row level security would hide rows from this role: ${names}`, {
    next: "ALTER ROLE … BYPASSRLS for database.user, as a superuser; or ALTER TABLE … DISABLE ROW LEVEL SECURITY",
  });
}

async function readByOid(client: Client, captured: readonly PermanentTable[]): Promise<readonly Table[]> {
  const rows = await query<{ table: string }>(
    client,
    "reading the captured tables",
    `SELECT ${CATALOG_TABLE_JSON} AS table
       FROM unnest($1::text[]) WITH ORDINALITY AS w(oid, at)
       JOIN pg_class c ON c.oid = w.oid::oid JOIN pg_namespace n ON n.oid = c.relnamespace
      ORDER BY w.at`,
    [captured.map(({ oid }) => oid)],
  );
  return rows.map((row) => parseTable(row.table)).filter((table) => table !== undefined);
}
