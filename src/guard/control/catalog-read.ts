import { tableByOid } from "../../gate/tables.ts";
import { relationOf } from "../../gate/amendment/seen.ts";
import type { State } from "../../gate/state.ts";
import { type Table, tableOid, type TableOid } from "../../table/column.ts";
import { type Lsn, LSN_ZERO } from "../../wal/lsn.ts";
import { type Control, inBackground, type Parts, type Tape, type TopicSchemas } from "../session.ts";
import { apply } from "./apply.ts";

/**
 * Catalog reads in the background, for what the log does not say: an enum's new label, or a DDL that no trusted message
 * explains. The catalog is ahead of the log, so a read counts from its place in the log. That place is a mark, written
 * after the read; where no marks may be written, it is the first position that is not before the log's end as of the read.
 */

/** Starts a read of a captured table, unless one is pending. `schemas`: what the registry had before it. */
export function startCatalogRead(session: Parts<"control" | "tape">, oid: number, schemas?: TopicSchemas): void {
  const { source, control, outside, waker } = session;
  const { pending } = control.catalog;
  if (isReadPending(control, oid)) return;
  const nonce = outside.uuid();
  // Before the read: a thousand rows with a new label start one read.
  pending.set(nonce, { oid, found: undefined, schemas });
  inBackground(session, async () => {
    const { table, end } = await source.table(tableOid(oid));
    if (!pending.has(nonce)) return;
    if (table === undefined) {
      pending.delete(nonce);
      return;
    }
    pending.set(nonce, { oid, found: { table, end }, schemas });
    if (outside.writesMarks) await source.mark(`catalog-read:${nonce}`);
    else waker.wake();
  });
}

export function isReadPending({ catalog }: Control, oid: number): boolean {
  return [...catalog.pending.values()].some((read) => read.oid === oid);
}

/** Drops the pending reads of a table that a DDL message describes: they may have read it as it was before. */
export function dropPendingReads({ catalog }: Control, oid: number): void {
  for (const [nonce, read] of catalog.pending) if (read.oid === oid) catalog.pending.delete(nonce);
}

/** The log has reached the place of a read. */
export function completeCatalogRead(session: Parts<"control" | "tape">, nonce: string): void {
  const { catalog, state } = session.control;
  const read = catalog.pending.get(nonce);
  catalog.pending.delete(nonce);
  if (read?.found === undefined) return;
  trustTrigger(session.control);
  const { table, end } = read.found;
  const topic = topicOf(state, table.oid);
  if (read.schemas === undefined || topic === undefined) return applyCatalogRead(session, table, end);
  catalog.latest.set(table.oid, read.found);
  apply(session, { kind: "observed", topic, ...read.schemas, table });
}

/** From the place of the last read, all columns are proven, and the trigger reports what changes. */
function trustTrigger({ ddl, catalog }: Control): void {
  if (ddl.found === undefined || catalog.pending.size > 0) return;
  ddl.complete = ddl.found;
  ddl.found = undefined;
}

/** How far the log has been read between two transactions: up to the position, or to a later keepalive. */
export function reachedEnd({ keepaliveEnd = LSN_ZERO, position }: Tape): Lsn {
  return position.endLsn > keepaliveEnd ? position.endLsn : keepaliveEnd;
}

/** Completes the reads without a mark whose place was reached. Places are between two transactions. */
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
  const { catalog, state } = session.control;
  const topic = topicOf(state, table.oid);
  const before = catalog.latest.get(table.oid);
  if (topic === undefined) return;
  if (before !== undefined && before.end > end) {
    // The newer one identified a Relation, and where it could not, this place in the log is too early for it.
    if (state.tables.get(topic)?.doubt === true) startCatalogRead(session, table.oid);
    return;
  }
  catalog.latest.set(table.oid, { table, end });
  apply(session, { kind: "seen", topic, ...relationOf(table) });
}

/** The topic of a captured table; undefined: it is not captured. */
export function topicOf(state: State, oid: TableOid): string | undefined {
  return tableByOid(state, oid)?.shape.topic;
}
