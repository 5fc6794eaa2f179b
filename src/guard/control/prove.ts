import { GuardError } from "../../errors.ts";
import { type Attnum, type Table, tableOid, type TypeDetail } from "../../table/column.ts";
import { type KnownColumn, type KnownColumns, prove } from "../../table/prove.ts";
import type { TableState } from "../../gate/state.ts";
import { type Lsn, parseLsn } from "../../wal/lsn.ts";
import type { Relation, RelationColumn } from "../../wal/message.ts";
import { isVisible } from "../../wal/snapshot.ts";
import { type Captured, type CatalogReads, inBackground, type Parts, tableOf } from "../session.ts";
import { apply, takeInputs } from "./apply.ts";
import { captureNew } from "./capture-new.ts";
import { startCatalogRead } from "./catalog-read.ts";
import { judgeDeadline, READ_AGAIN_MS, readUntilVisible, type VisibleRead } from "./read-visible.ts";
import { isAwaited } from "./registry-work.ts";
import { passIfUnsent, refuseReplaced, refuseUnexplained } from "./replaced.ts";
import { fullName } from "../../table/quote.ts";

/**
 * Identifies a new Relation's columns before the first row that uses it: the log has their names and types, the catalog
 * their attnums. The catalog may be ahead of the log, or behind it for a moment. So this is a proof (table/prove.ts)
 * from a catalog read that shows the row's transaction. Columns that cannot be identified are withheld, and rows
 * continue.
 */

interface Row {
  readonly lsn: Lsn;
  readonly xid: number;
}

/**
 * Identifies the columns of a Relation before its first row. Then waits a bounded time to find out whether new columns
 * may flow at once. Columns still undecided at the timeout are withheld.
 */
export async function proveRelation(
  session: Parts<"control" | "tape" | "batch">,
  captured: Captured,
  row: Row,
): Promise<void> {
  const { outside, control } = session;
  const { topic, relation, news } = captured;
  if (news === "unknown") return captureNew(session, captured, row.xid);
  if (topic === undefined) return;
  if (news === "replaces") return refuseReplaced(session, captured, topic, row.xid);
  const deadline = judgeDeadline(outside);
  const read = await readUntilVisible(session, relation, row.xid, deadline, "visible");
  const table = read.table ?? droppedTable(captured, tableOf(control.state, topic));
  const state = tableOf(control.state, topic);
  const columns = identify(control.catalog, captured, state, { ...read, table }, row.lsn);
  if (columns === undefined) return refuseUnexplained(session, captured, topic, table, row.lsn);
  const isShorter = lacksKnown(state, columns) && explanationOf(control.catalog, relation, columns) === undefined;
  const isPart = isShorter && (await reportsAll(session, state));
  if (isPart && (await passIfUnsent(session, captured, topic, table, row.lsn))) return;
  captured.columns = columns;
  captured.proven = true;
  captured.encoder = undefined;
  if (captured.columns.includes(undefined)) captured.columns = await columnsByTrigger(session, captured, topic);
  const doubt = captured.columns.includes(undefined);
  captured.doubtUntil = doubt ? read.end : undefined;
  if (doubt) outside.log.warn(`${topic}: columns of ${relation.name} that cannot be identified are withheld`);
  if (!read.visible) proveAgainWhenVisible(session, captured, row);
  // When the log reaches this read's position, the doubt is resolved, even if no further row arrives.
  if (doubt && read.visible) startCatalogRead(session, relation.oid);
  const explained = takeExplained(control.catalog, captured, doubt);
  const assigned = explained?.maxAttnum ?? Math.max(0, ...captured.columns.map((column) => Number(column ?? 0)));
  const types = explained === undefined ? await typesGone(session, relation, table) : undefined;
  apply(session, {
    kind: "seen",
    topic,
    relation,
    columns: captured.columns,
    table: explained ?? table,
    // A read that does not show the row's transaction shows no position in the log that matters here.
    tableAt: explained === undefined && read.visible ? read.end : undefined,
    assigned,
    types,
  });
  await waitForAnswers(session, topic, deadline);
  apply(session, { kind: "passed", topic, doubt });
}

/**
 * The absence of a DDL message is a proof too: if the trigger reports every DDL and the Relation has the columns that
 * were last proven, nothing has changed since. Used only where the catalog leaves a doubt.
 */
async function columnsByTrigger(
  session: Parts<"control">,
  { relation, columns }: Captured,
  topic: string,
): Promise<Captured["columns"]> {
  const table = tableOf(session.control.state, topic);
  const { known } = table;
  const same =
    known.length === relation.columns.length &&
    known.every((column, index) => isSame(column, columns[index], relation.columns[index]));
  return same && (await reportsAll(session, table)) ? known.map(({ attnum }) => attnum) : columns;
}

/** True if the trigger has reported every DDL on the table since its columns were last proven. */
async function reportsAll({ control, source }: Parts<"control">, { undescribed }: TableState): Promise<boolean> {
  const { complete } = control.ddl;
  return complete !== undefined && undescribed !== true && (await source.triggerIdentity()) === complete;
}

/** True if the row does not have all columns that were last proven. Those that are not identified may be any of them. */
function lacksKnown({ known }: TableState, columns: readonly (Attnum | undefined)[]): boolean {
  const lacking = known.filter(({ attnum }) => !columns.includes(attnum));
  return lacking.length > columns.filter((column) => column === undefined).length;
}

/** The table as a DDL message describes it, if it says that the table has these columns. */
function explanationOf(
  { explained }: CatalogReads,
  relation: Relation,
  columns: readonly (Attnum | undefined)[],
): Table | undefined {
  const table = explained.get(relation.oid);
  return table !== undefined && fits(table, relation, columns) ? table : undefined;
}

function knownColumns({ known, assigned }: TableState): KnownColumns {
  return { columns: known, assigned: assigned ?? 0 };
}

/**
 * Takes the table from a DDL message that describes exactly these columns at this position in the log. The catalog may
 * already be ahead.
 */
function takeExplained(catalog: CatalogReads, captured: Captured, doubt: boolean): Table | undefined {
  const table = explanationOf(catalog, captured.relation, captured.columns);
  catalog.explained.delete(captured.relation.oid);
  return doubt ? undefined : table;
}

/** True if the table has these columns of the log in this order. A column that is not identified matches any column. */
function fits(table: Table, relation: Relation, columns: readonly (Attnum | undefined)[]): boolean {
  const live = table.columns.filter((column) => !column.generated);
  return (
    live.length === columns.length &&
    live.every((column, index) => isSame(column, columns[index], relation.columns[index]))
  );
}

function isSame(
  { name, type, attnum }: KnownColumn,
  known: Attnum | undefined,
  logged: RelationColumn | undefined,
): boolean {
  const same =
    logged !== undefined && name === logged.name && type.oid === logged.typeOid && type.typmod === logged.typmod;
  return same && (known === undefined || known === attnum);
}

/** The catalog's details of types that the log names but the table no longer has. */
async function typesGone(
  { source }: Parts<"control">,
  relation: Relation,
  table: Table,
): Promise<ReadonlyMap<number, TypeDetail>> {
  const live = new Set(table.columns.map((column) => column.type.oid));
  const others = relation.columns.map((column) => column.typeOid).filter((oid) => !live.has(oid));
  return others.length === 0 ? new Map() : source.types(others);
}

/**
 * Stands in for a table that was dropped in the meantime. The catalog has nothing to add to what is known from before:
 * any column may have been dropped or added until the row. With one attnum more than new columns could need, no new
 * column has only one possible attnum.
 */
function droppedTable({ relation }: Captured, { shape, known, assigned = 0 }: TableState): Table {
  const last = Math.max(assigned, ...known.map((column) => Number(column.attnum)));
  return {
    oid: shape.table.oid,
    schema: relation.schema,
    name: relation.name,
    columns: [],
    maxAttnum: last + relation.columns.length + 1,
    key: shape.key.map((field) => field.attnum),
    otherKeys: [],
    identified: [],
    replicaIdentity: relation.identity,
    filenode: 0,
    estimatedRows: -1,
  };
}

/** Undefined if the catalog cannot explain the columns. */
function identify(
  catalog: CatalogReads,
  captured: Captured,
  state: TableState,
  read: VisibleRead & { readonly table: Table },
  rowLsn: Lsn,
): readonly (Attnum | undefined)[] | undefined {
  const { relation } = captured;
  const known = knownColumns(state);
  if (!read.visible) return asBefore(relation, known.columns);
  const before = catalog.latest.get(relation.oid);
  catalog.latest.set(relation.oid, read);
  const gone = (column: number) =>
    (rowLsn >= read.end && isGone(read.table, column)) ||
    (before !== undefined && rowLsn >= before.end && isGone(before.table, column));
  const live = read.table.columns.filter((column) => !column.generated);
  const unchanged = (column: number) => isUnchanged(state, read.table, column, rowLsn);
  const columns = { columns: live, maxAttnum: read.table.maxAttnum };
  const proof = prove(relation.columns, known, columns, { gone, unchanged });
  switch (proof.kind) {
    case "proven":
      return proof.columns;
    case "ambiguous": {
      // A DDL message since the last proof shows which reading is right, unless it contradicts what is certain.
      const explained = explanationOf(catalog, relation, proof.columns);
      if (explained === undefined) return proof.columns;
      return explained.columns.filter((column) => !column.generated).map((column) => column.attnum);
    }
    case "impossible":
      // The catalog already shows the row's transaction, so reading it again would change nothing.
      return undefined;
    default:
      return proof satisfies never;
  }
}

/** Whether the column's definition is the one that it had at or before the row. */
function isUnchanged({ defined }: TableState, { columns }: Table, column: number, row: Lsn): boolean {
  const before = defined?.[String(column)];
  const version = columns.find((live) => live.attnum === column)?.version;
  return before !== undefined && before.version === version && row >= (parseLsn(before.since) ?? row + 1n);
}

/** Whether the column existed and was dropped. Attnums above the catalog's highest are not in it yet. */
function isGone(table: Table, column: number): boolean {
  return column <= table.maxAttnum && !table.columns.some((live) => live.attnum === column);
}

/**
 * Without the catalog only one reading is safe: the old columns are unchanged, and any new ones follow them. The new
 * ones are withheld.
 */
function asBefore(relation: Relation, known: readonly KnownColumn[]): readonly (Attnum | undefined)[] {
  const columns = relation.columns.map((column, index) => {
    const before = known[index];
    const same =
      before?.name === column.name && before.type.oid === column.typeOid && before.type.typmod === column.typmod;
    return same ? before.attnum : undefined;
  });
  if (known.every((_, index) => columns[index] !== undefined)) return columns;
  throw new GuardError(
    "catalog-behind",
    `${fullName(relation)} changed in a transaction that is not visible yet, perhaps because a synchronous standby is not answering`,
    { next: "nothing: Fieldgate tries again until the transaction is visible" },
  );
}

/** Rows continue without the new columns. Once the catalog shows them, they are identified, even if no row arrives. */
function proveAgainWhenVisible(session: Parts<"control">, captured: Captured, row: Row): void {
  const { outside, source, signal, control, waker } = session;
  inBackground(session, async () => {
    for (;;) {
      await outside.sleep(READ_AGAIN_MS * 10, signal);
      const { snapshot } = await source.table(tableOid(captured.relation.oid));
      if (isVisible(snapshot, row.xid)) break;
    }
    control.rechecks.push({ captured, ...row });
    waker.wake();
  });
}

/** Proves the columns that were not visible when their row arrived, unless a newer Relation has replaced theirs. */
export async function proveVisible(session: Parts<"control" | "tape" | "batch">): Promise<void> {
  const { rechecks } = session.control;
  for (let next = rechecks.shift(); next !== undefined; next = rechecks.shift()) {
    if (session.tape.relations.get(next.captured.relation.oid) !== next.captured) continue;
    await proveRelation(session, next.captured, next);
  }
}

/**
 * Gives the registry and the verdicts a bounded time, so that a column without objections is in its first row. After a
 * timeout no Relation waits until the registry answers again.
 */
async function waitForAnswers(session: Parts<"control" | "tape">, topic: string, deadline: bigint): Promise<void> {
  const { control, outside, waker, signal } = session;
  // In watch mode no row waits for an answer.
  if (control.work.silent || outside.delivery === "none") return;
  takeInputs(session);
  using _wait = outside.waits.begin("the registry", `to judge what is new on ${topic}`);
  while (isAwaited(control.work, tableOf(control.state, topic))) {
    const left = Number((deadline - outside.now()) / 1000n);
    if (left <= 0) {
      control.work.silent = true;
      return;
    }
    await waker.wait(control.inbox.length === 0 ? Math.min(left, 100) : 0);
    signal.throwIfAborted();
    waker.throwIfFailed();
    takeInputs(session);
  }
}
