import { needsIdentity, refusedWrites, type Unidentified } from "../../capture/identity.ts";
import type { TablesLook } from "../../capture/look.ts";
import { nearestName } from "../../mistake.ts";
import { fullName, quoteIdentifier, quoteTable } from "../../table/quote.ts";
import { uncoveredNext, uncoveredText } from "../../words/left-out.ts";
import { identifyNext, refusedWritesText } from "../../words/identity.ts";
import type { TableWarning } from "../outside.ts";
import type { Parts } from "../session.ts";
import { isListed } from "./looked-table.ts";
import { unmatchedEntries } from "./unmatched-entries.ts";
import { warnPeople } from "../warn-people.ts";

/**
 * What a look shows to be wrong with a table although its rows flow: PostgreSQL refuses the application's UPDATE and
 * DELETE of it, the log does not say which key a changed row had, its rows cannot be read because of row level security,
 * the file has a key for a table that is not captured, or an entry of its column lists matches no column.
 * Each is reported once, until it is over.
 */
export function warnOfTables(session: Parts<"control">, look: TablesLook): void {
  const { looks } = session.control;
  const before = looks.warnings;
  const refused = refusedWrites(look).map((table) => [`writes-refused/${fullName(table)}`, table] as const);
  const keys = [
    ...uncoveredKeys(session, look),
    ...hiddenRows(session, look),
    ...keysWithoutTable(session),
    ...unmatchedEntries(session),
  ];
  looks.warnings = new Map([...refused.map(([id, table]) => [id, writesWarning(session, [table])] as const), ...keys]);
  const fresh = refused.filter(([id]) => !before.has(id));
  // Tables that a migration changes together are one message.
  if (fresh.length > 0) {
    const id = fresh.map(([one]) => one).join(" ");
    report(
      session,
      id,
      writesWarning(
        session,
        fresh.map(([, table]) => table),
      ),
    );
  }
  for (const [id, warning] of keys) if (!before.has(id)) report(session, id, warning);
}

function report({ outside }: Parts<"control">, id: string, warning: TableWarning): void {
  warnPeople(outside, { id, about: "table-warning", ...warning });
}

/** About at least one table. */
function writesWarning({ outside }: Parts<"control">, tables: readonly Unidentified[]): TableWarning {
  const what = refusedWritesText(tables, outside.settings["publication.name"]);
  return { table: tables.map(fullName).join(", "), what, next: identifyNext(tables) };
}

/**
 * Keys of the connector's file for one table that is not captured, so they have no effect. The file alone does not show
 * this: its lists may take a table that does not exist yet, and ignore the case of names.
 */
function keysWithoutTable({ outside, control }: Parts<"control">): readonly (readonly [string, TableWarning])[] {
  if (outside.delivery === "none") return [];
  const { settings } = outside;
  const prefix = `${settings["topic.prefix"]}.`;
  const captured = [...control.state.tables.keys()].map((topic) => topic.slice(prefix.length));
  const keys = [
    ...[...settings.policyOf.keys()].map((topic) => ["fieldgate.release.policy", topic] as const),
    ...[...settings.poisonOf.keys()].map((topic) => ["fieldgate.on.poison", topic] as const),
  ];
  return keys
    .filter(([, topic]) => !control.state.tables.has(topic))
    .map(([name, topic]) => {
      const table = topic.slice(prefix.length);
      const near = nearestName(table, captured);
      const what = `${name}.${table} has no effect, because no table of that name is captured`;
      const next = `create the table, or ${near === undefined ? "correct its name in" : `write ${name}.${near} into`} the connector's file; names are case-sensitive here`;
      return [`key-without-table/${name}/${topic}`, { table, what, next }] as const;
    });
}

/** Tables whose replica identity no longer has all columns of message.key.columns. */
function uncoveredKeys(
  { outside, control }: Parts<"control">,
  { tables }: TablesLook,
): readonly (readonly [string, TableWarning])[] {
  if (outside.delivery === "none" || !needsIdentity(outside.settings.sent.operations)) return [];
  return [...control.state.tables].flatMap(([topic, table]) => {
    const now = tables.get(Number(table.shape.table.oid));
    if (table.rowKey === undefined || now === undefined || now.covers === null || !isListed(outside, table)) return [];
    const { covers } = now;
    const columns = table.shape.key.filter(({ attnum }) => !covers.includes(Number(attnum))).map(({ name }) => name);
    if (columns.length === 0) return [];
    const warning = {
      table: fullName(now),
      what: `${fullName(now)}: ${uncoveredText(columns)}`,
      next: uncoveredNext(now),
    };
    return [[`uncovered-key/${topic}`, warning] as const];
  });
}

/** Captured tables whose snapshots, backfills and repairs wait, because policies would hide rows from the role. */
function hiddenRows(
  { outside, control }: Parts<"control">,
  { tables }: TablesLook,
): readonly (readonly [string, TableWarning])[] {
  if (outside.delivery === "none") return [];
  const user = outside.settings["database.user"];
  return [...control.state.tables].flatMap(([topic, table]) => {
    const now = tables.get(Number(table.shape.table.oid));
    if (now?.hidden !== true || !isListed(outside, table)) return [];
    const warning = {
      table: fullName(now),
      what: `row level security would hide rows of ${fullName(now)} from ${user}: its snapshots, backfills and repairs wait`,
      next: `ALTER ROLE ${quoteIdentifier(user)} BYPASSRLS; as a superuser, or ALTER TABLE ${quoteTable(now)} DISABLE ROW LEVEL SECURITY;`,
    };
    return [[`rows-hidden/${topic}`, warning] as const];
  });
}
