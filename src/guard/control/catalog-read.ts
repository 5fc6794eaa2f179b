import { tableByOid } from "../../gate/tables.ts";
import { relationOf } from "../../gate/amendment/seen.ts";
import { enumLabels, newestLabel } from "../../gate/amendment/rewritten.ts";
import type { State, TableState } from "../../gate/state.ts";
import type { UnseenLabel } from "../../event/row-encoder.ts";
import { type Table, tableOid, type TableOid } from "../../table/column.ts";
import { formatLsn, type Lsn, LSN_ZERO } from "../../wal/lsn.ts";
import {
  type CatalogReads,
  type Control,
  inBackground,
  type Parts,
  tableOf,
  type Tape,
  type TopicSchemas,
} from "../session.ts";
import { fullName } from "../../table/quote.ts";
import { isVisible } from "../../wal/snapshot.ts";
import { apply } from "./apply.ts";
import { warnPeople } from "../warn-people.ts";

/**
 * Reads the catalog in the background, for changes that the log does not show: a new enum label, or a DDL that no
 * trusted message explains. The catalog is ahead of the log, so a read applies from its position in the log. That
 * position is a mark, written after the read. Where no marks may be written, it is the first position at or after the
 * log's end at the time of the read.
 */

/**
 * Starts a read of a captured table, unless one is pending. `schemas`: the registry's schemas, read before the table.
 */
export function startCatalogRead(session: Parts<"control" | "tape">, oid: number, schemas?: TopicSchemas): void {
  const { source, control, outside, waker } = session;
  const { pending } = control.catalog;
  if (isReadPending(control, oid)) return;
  const nonce = outside.uuid();
  // Set before the read, so that a thousand rows with a new label start only one read.
  pending.set(nonce, { oid, found: undefined, schemas });
  inBackground(session, async () => {
    const { table, end } = await readDescribed(session, oid);
    if (!pending.has(nonce)) return;
    pending.set(nonce, { oid, found: { table, end }, schemas });
    if (outside.writesMarks) await source.mark(`catalog-read:${nonce}`);
    else waker.wake();
  });
}

/** Pause before reading the catalog again when it does not show a transaction yet. */
const READ_AGAIN_MS = 200;

/**
 * Reads a table when the transaction that a DDL message about it came from is visible. Until then the catalog is behind
 * the log, so a read would undo what the message has said.
 */
async function readDescribed({ source, control, outside, signal }: Parts<"control">, oid: number) {
  for (;;) {
    const read = await source.table(tableOid(oid));
    const xid = control.catalog.described.get(oid);
    if (xid === undefined || isVisible(read.snapshot, xid)) return read;
    await outside.sleep(READ_AGAIN_MS, signal);
  }
}

export function noCatalogReads(): CatalogReads {
  return { latest: new Map(), pending: new Map(), applied: new Map(), explained: new Map(), described: new Map() };
}

export function isReadPending({ catalog }: Control, oid: number): boolean {
  return [...catalog.pending.values()].some((read) => read.oid === oid);
}

/**
 * Drops the pending reads of a table that a DDL message describes, because they may have read the table before the
 * change.
 */
export function dropPendingReads({ catalog }: Control, oid: number): void {
  for (const [nonce, read] of catalog.pending) if (read.oid === oid) catalog.pending.delete(nonce);
}

/** Called when the log reaches the position of a read. */
export function completeCatalogRead(session: Parts<"control" | "tape">, nonce: string): void {
  const { catalog, state } = session.control;
  const read = catalog.pending.get(nonce);
  catalog.pending.delete(nonce);
  if (read?.found === undefined) return;
  const { table, end } = read.found;
  // The log has no more rows of a table that has been dropped.
  if (table === undefined) return trustTrigger(session.control, read.oid);
  const topic = topicOf(state, table.oid);
  if (topic !== undefined && isUnreported(session.control, topic, table)) distrustTrigger(session, table);
  if (read.schemas === undefined || topic === undefined) return applyCatalogRead(session, table, end);
  catalog.latest.set(table.oid, { table, end });
  apply(session, { kind: "observed", topic, ...read.schemas, table });
  trustTrigger(session.control, table.oid);
}

/**
 * From here on, the table's columns are proven. Once those of all tables are, the trigger that was found reports every
 * further change.
 */
function trustTrigger({ ddl }: Control, oid: number): void {
  ddl.unproven.delete(oid);
  if (ddl.found === undefined || ddl.unproven.size > 0) return;
  ddl.complete = ddl.found;
  ddl.found = undefined;
}

/** True if the columns differ from those that were proven last, although the trigger should have reported that. */
function isUnreported({ state, ddl }: Control, topic: string, table: Table): boolean {
  const { known, assigned, undescribed } = tableOf(state, topic);
  if (ddl.complete === undefined || undescribed === true || assigned === undefined) return false;
  const live = table.columns.filter((column) => !column.generated);
  return (
    live.length !== known.length ||
    live.some(({ attnum, name }, index) => attnum !== known[index]?.attnum || name !== known[index].name)
  );
}

/** The absence of messages proves nothing any longer, until the columns of every table are proven in another session. */
function distrustTrigger({ control, outside }: Parts<"control">, table: Table): void {
  control.ddl.complete = undefined;
  const what = `columns of ${fullName(table)} were changed without a message from the DDL trigger: somebody switched event triggers off (event_triggers = off, or DISABLE)`;
  const next = "nothing: its columns were read from the catalog instead; keep event triggers on in migrations";
  warnPeople(outside, { id: `ddl-unreported/${table.oid}`, about: "table-warning", what, next });
}

/** How far the log has been read between two transactions: to the position, or to a later keepalive. */
export function reachedEnd({ keepaliveEnd = LSN_ZERO, position }: Tape): Lsn {
  return position.endLsn > keepaliveEnd ? position.endLsn : keepaliveEnd;
}

/** Completes the reads without a mark whose position was reached. Such positions are between two transactions. */
export function completeUnmarkedReads(session: Parts<"control" | "tape">): void {
  const { tape, control, outside } = session;
  if (outside.writesMarks || tape.tx !== undefined) return;
  const reached = reachedEnd(tape);
  for (const [nonce, { found }] of control.catalog.pending) {
    if (found !== undefined && found.end <= reached) completeCatalogRead(session, nonce);
  }
}

/** Applies a catalog read, unless a newer one of the table was applied already. */
export function applyCatalogRead(session: Parts<"control" | "tape">, table: Table, end: Lsn): void {
  const { catalog, state, ddl } = session.control;
  const topic = topicOf(state, table.oid);
  const before = catalog.latest.get(table.oid);
  if (topic === undefined) return trustTrigger(session.control, table.oid);
  if (before !== undefined && before.end > end) {
    // The newer read identified a Relation, of a row that may be from before this position in the log, and before an
    // unreported DDL. If it left a doubt, this position is too early to resolve it.
    const { doubt, unseen } = tableOf(state, topic);
    const unsettled = doubt || ddl.unproven.has(table.oid) || unseen !== undefined;
    if (unsettled) startCatalogRead(session, table.oid);
    return;
  }
  catalog.latest.set(table.oid, { table, end });
  catalog.applied.set(table.oid, end);
  // An older DDL message explains no row that follows.
  catalog.explained.delete(table.oid);
  apply(session, { kind: "seen", topic, ...relationOf(table), tableAt: end, readTo: end });
  trustTrigger(session.control, table.oid);
  if (tableOf(session.control.state, topic).unseen !== undefined) startCatalogRead(session, table.oid);
}

/**
 * A row was published with labels that their fields do not list. Unless the last catalog read has them already, it is
 * read again.
 */
export function noteUnseenLabels(
  session: Parts<"control" | "tape">,
  { known, shape, unseen }: TableState,
  labels: readonly UnseenLabel[],
  lsn: Lsn,
): void {
  const fresh = labels.filter(({ attnum, label }) => enumLabels(known, attnum)?.includes(label) !== true);
  if (fresh.length === 0) return;
  const before = unseen?.labels ?? [];
  const more = fresh.filter((one) => !before.some(({ attnum, label }) => attnum === one.attnum && label === one.label));
  const all = [...before, ...more.map((one) => ({ ...one, newest: newestLabel(known, one.attnum) }))];
  const { topic } = shape;
  apply(session, { kind: "labels-published", topic, unseen: { labels: all, at: formatLsn(lsn) } });
  startCatalogRead(session, shape.table.oid);
}

/** The topic of a captured table; undefined if it is not captured. */
export function topicOf(state: State, oid: TableOid): string | undefined {
  return tableByOid(state, oid)?.shape.topic;
}
