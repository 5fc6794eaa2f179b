import { GuardError } from "../../errors.ts";
import type { Attnum, Column, Table, TypeDetail } from "../../table/column.ts";
import { tableOid } from "../../table/column.ts";
import { type KnownColumn, prove } from "../../table/prove.ts";
import type { Lsn } from "../../wal/lsn.ts";
import type { Relation, RelationColumn } from "../../wal/message.ts";
import { isVisible } from "../../wal/snapshot.ts";
import { apply, takeInputs } from "./apply.ts";
import { captureNew } from "./capture-new.ts";
import { look as lookAgain } from "./catalog-read.ts";
import { beside, type Captured, capturedFrom, isWatching, type Session, tableOf } from "../session.ts";
import { atWork } from "./registry-work.ts";

const LOOK_AGAIN_MS = 20;

/** What the catalog says now, if it shows the transaction the row is of. */
interface Look {
  readonly table: Table | undefined;
  readonly end: Lsn;
  readonly visible: boolean;
}

/**
 * Before the first row that uses a new Relation: who its columns are, what of it is new, and for a bounded time
 * whether that may flow at once. Whatever is not known by then is withheld and the rows go on.
 */
export async function proveRelation(
  session: Session,
  captured: Captured,
  row: { readonly lsn: Lsn; readonly xid: number },
): Promise<void> {
  if (captured.news === "unknown") return captureNew(session, captured);
  const { topic, relation } = captured;
  if (topic === undefined) return;
  if (captured.news === "replaces") return refuseReplaced(session, captured, topic);
  const deadline = session.outside.now() + BigInt(session.outside.settings["fieldgate.judge.timeout.ms"]) * 1000n;
  const look = await lookUntilVisible(session, captured, row.xid, deadline);
  const table = look.table ?? droppedTable(session, captured);
  captured.columns = identify(session, captured, { ...look, table }, row.lsn);
  captured.encoder = undefined;
  const doubt = captured.columns.includes(undefined);
  captured.doubtUntil = doubt ? look.end : undefined;
  if (doubt) session.outside.log.warn(`${topic}: columns of ${relation.name} that cannot be identified are withheld`);
  if (!look.visible) recheckWhenVisible(session, captured, row);
  // At a mark the catalog says who they are, also when no further row comes.
  if (doubt && look.visible) lookAgain(session, relation.oid);
  const told = toldOf(session, captured, doubt);
  const types = told === undefined ? await typesOf(session, relation, table) : undefined;
  apply(session, { kind: "seen", topic, relation, columns: captured.columns, table: told ?? table, types });
  await settleWithin(session, topic, deadline);
  apply(session, { kind: "passed", topic, doubt });
}

/** What a DDL message said of exactly these columns is as of then; the catalog may be further. */
function toldOf(session: Session, { relation, columns }: Captured, doubt: boolean): Table | undefined {
  const told = session.told.get(relation.oid);
  session.told.delete(relation.oid);
  if (told === undefined || doubt) return undefined;
  const live = told.columns.filter((column) => !column.generated);
  const same =
    live.length === columns.length &&
    live.every((column, index) => isIt(column, columns[index], relation.columns[index]));
  return same ? told : undefined;
}

function isIt(told: Column, column: Attnum | undefined, seen: RelationColumn | undefined): boolean {
  const { name, type } = told;
  const same = seen !== undefined && name === seen.name && type.oid === seen.typeOid && type.typmod === seen.typmod;
  return same && (column === undefined || column === told.attnum);
}

/** What the catalog says of types that the log names and the table does not have any more. */
async function typesOf(session: Session, relation: Relation, table: Table): Promise<ReadonlyMap<number, TypeDetail>> {
  const live = new Set(table.columns.map((column) => column.type.oid));
  const others = relation.columns.map((column) => column.typeOid).filter((oid) => !live.has(oid));
  return others.length === 0 ? new Map() : session.source.types(others);
}

/** Another table with the name of one of ours: nothing of it is published until an operator says so. */
async function refuseReplaced(session: Session, captured: Captured, topic: string): Promise<void> {
  const { relation } = captured;
  const { table } = await session.source.table(tableOid(relation.oid));
  if (table !== undefined) apply(session, { kind: "replaced", topic, table });
  // Had an operator said so already, the state's table would have this OID.
  session.relations.set(relation.oid, capturedFrom(session, relation));
  // Dropped again already: there is nothing to judge of its rows, and nothing stops where Debezium publishes.
  if (table === undefined && isWatching(session)) {
    session.relations.set(relation.oid, { ...captured, news: undefined, topic: undefined });
  }
  if (session.relations.get(relation.oid)?.news !== "replaces") return;
  throw new GuardError("table-replaced", `${relation.schema}.${relation.name} is another table now`, {
    next: `fieldgate release ${topic}/table --reason "…" lets it take the place; or capture it with a new connector`,
  });
}

/** Commits are streamed before they are visible: the catalog is read until it shows the row's transaction. */
async function lookUntilVisible(session: Session, captured: Captured, xid: number, deadline: bigint): Promise<Look> {
  for (;;) {
    const { table, snapshot, end } = await session.source.table(tableOid(captured.relation.oid));
    const visible = isVisible(snapshot, xid);
    if (visible) session.work.blind = false;
    if (visible || session.work.blind) return { table, end, visible };
    if (session.outside.now() >= deadline) session.work.blind = true;
    await session.outside.sleep(LOOK_AGAIN_MS, session.signal);
  }
}

/** The table is dropped since: its columns are known from before, and there is nothing to ask about them. */
function droppedTable(session: Session, { topic, relation }: Captured): Table {
  const { shape, known } = tableOf(session, topic ?? "");
  const last = Math.max(0, ...known.map((column) => Number(column.attnum)));
  return {
    oid: shape.table.oid,
    schema: relation.schema,
    name: relation.name,
    columns: [],
    maxAttnum: last + relation.columns.length,
    key: shape.key.map((field) => field.attnum),
    replicaIdentity: relation.identity,
    filenode: 0,
    estimatedRows: -1,
  };
}

function identify(
  session: Session,
  captured: Captured,
  look: Look & { readonly table: Table },
  rowLsn: Lsn,
): readonly (Attnum | undefined)[] {
  const { relation, topic } = captured;
  const { known } = tableOf(session, topic ?? "");
  if (!look.visible) return extended(captured, known);
  const live = look.table.columns.filter((column) => !column.generated);
  const before = session.looks.get(relation.oid);
  session.looks.set(relation.oid, look);
  const goneBefore = (column: number) =>
    (rowLsn >= look.end && isGone(look.table, column)) ||
    (before !== undefined && rowLsn >= before.end && isGone(before.table, column));
  const proof = prove(relation.columns, known, { columns: live, maxAttnum: look.table.maxAttnum }, goneBefore);
  if (proof.kind === "ambiguous") return chosen(session, captured, proof.columns);
  if (proof.kind === "proven") return proof.columns;
  // The catalog shows the row's transaction: looking again would say the same.
  throw new GuardError(
    "amendment-unsupported",
    `the catalog does not explain ${nameOf(captured)}'s columns in the log`,
    {
      next: "capture the table with a new connector, and report which DDL ran on it",
    },
  );
}

/** A DDL message that came since the last proof, and contradicts nothing, says which reading it is. */
function chosen(
  session: Session,
  { relation }: Captured,
  columns: readonly (Attnum | undefined)[],
): readonly (Attnum | undefined)[] {
  const told = session.told.get(relation.oid)?.columns.filter((column) => !column.generated);
  const fits =
    told?.length === columns.length &&
    told.every((column, index) => isIt(column, columns[index], relation.columns[index]));
  return fits ? told.map((column) => column.attnum) : columns;
}

/** Existed once and does not any more; a higher attnum is none the catalog could know. */
function isGone(table: Table, column: number): boolean {
  return column <= table.maxAttnum && !table.columns.some((live) => live.attnum === column);
}

/** Without the catalog only one reading is safe: the columns as they were, and more behind them, which are withheld. */
function extended(captured: Captured, known: readonly KnownColumn[]): readonly (Attnum | undefined)[] {
  const columns = captured.relation.columns.map((column, index) => {
    const before = known[index];
    const same =
      before?.name === column.name && before.type.oid === column.typeOid && before.type.typmod === column.typmod;
    return same ? before.attnum : undefined;
  });
  if (known.every((_, index) => columns[index] !== undefined)) return columns;
  throw new GuardError(
    "catalog-behind",
    `${nameOf(captured)} changed in a transaction that is not visible yet, as with a synchronous standby that does not answer`,
    { next: "it is tried again until the transaction is visible" },
  );
}

function nameOf({ relation }: Captured): string {
  return `${relation.schema}.${relation.name}`;
}

/** Rows go on without the new columns; once the catalog shows them, it is looked at again, also without a row. */
function recheckWhenVisible(
  session: Session,
  captured: Captured,
  row: { readonly lsn: Lsn; readonly xid: number },
): void {
  beside(session, async () => {
    for (;;) {
      await session.outside.sleep(LOOK_AGAIN_MS * 10, session.signal);
      const { snapshot } = await session.source.table(tableOid(captured.relation.oid));
      if (isVisible(snapshot, row.xid)) break;
    }
    session.rechecks.push({ captured, ...row });
    session.wake.wake();
  });
}

/** Proves again what could not be seen when its row came, unless a newer Relation took its place. */
export async function recheck(session: Session): Promise<void> {
  for (let next = session.rechecks.shift(); next !== undefined; next = session.rechecks.shift()) {
    if (session.relations.get(next.captured.relation.oid) !== next.captured) continue;
    await proveRelation(session, next.captured, next);
  }
}

/**
 * Gives the registry and the verdicts their bounded time, so that an unopposed column is in its first row. After
 * one timeout no Relation waits again until the registry has answered.
 */
async function settleWithin(session: Session, topic: string, deadline: bigint): Promise<void> {
  // Nothing waits for an answer where Debezium publishes.
  if (session.work.silent || isWatching(session)) return;
  takeInputs(session);
  while (atWork(session, topic)) {
    const left = Number((deadline - session.outside.now()) / 1000n);
    if (left <= 0) {
      session.work.silent = true;
      return;
    }
    await session.wake.wait(Math.min(left, 100));
    session.signal.throwIfAborted();
    if (session.failure !== undefined) throw session.failure;
    takeInputs(session);
  }
}
