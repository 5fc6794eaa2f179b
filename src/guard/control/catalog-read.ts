import type { Input } from "../../gate/state.ts";
import { relationOf } from "../../gate/amendment/seen.ts";
import { type Table, tableOid, type TableOid } from "../../table/column.ts";
import type { Lsn } from "../../wal/lsn.ts";
import { apply } from "./apply.ts";
import { beside, isWatching, type Lookup, type Registered, type Session } from "../session.ts";

/**
 * Looks at a table of ours in the catalog, beside the stream: for what the log does not say, an enum's new label or
 * a DDL nobody vouches for. A mark is written after the look, so at its place in the log the table is at least so far.
 * While watching none is written, since Debezium would publish it as a message: the log is waited for to come so far.
 */
export function look(session: Session, oid: number, registered?: Registered): void {
  const { source, lookups, outside } = session;
  if (isLookedAt(session, oid)) return;
  const nonce = outside.uuid();
  // Before the read: a thousand rows with a new label ask once.
  lookups.set(nonce, { oid, seen: undefined, registered });
  beside(session, async () => {
    const { table, end } = await source.table(tableOid(oid));
    if (!lookups.has(nonce)) return;
    if (table === undefined) {
      lookups.delete(nonce);
      return;
    }
    lookups.set(nonce, { oid, seen: { table, end }, registered });
    if (isWatching(session)) session.wake.wake();
    else await source.mark(`catalog-read:${nonce}`);
  });
}

/** Is a look at it under way? */
export function isLookedAt({ lookups }: Session, oid: number): boolean {
  return [...lookups.values()].some((lookup) => lookup.oid === oid);
}

/** A DDL message says how the table is from its place on; a look that began before it may have read it as it was. */
export function overtaken({ lookups }: Session, oid: number): void {
  for (const [nonce, lookup] of lookups) if (lookup.oid === oid) lookups.delete(nonce);
}

/** The mark of a look has come. */
export function looked(session: Session, nonce: string): void {
  const lookup = session.lookups.get(nonce);
  session.lookups.delete(nonce);
  if (lookup !== undefined) take(session, lookup);
}

/** Watching: the looks whose place in the log was reached, between two transactions. */
export function takeLooks(session: Session): void {
  if (!isWatching(session) || session.tx !== undefined) return;
  const { keepaliveEnd = 0n, position } = session;
  const reached = position.endLsn > keepaliveEnd ? position.endLsn : keepaliveEnd;
  for (const [nonce, lookup] of session.lookups) {
    if (lookup.seen !== undefined && lookup.seen.end <= reached) looked(session, nonce);
  }
}

function take(session: Session, { seen, registered }: Lookup): void {
  if (seen === undefined) return;
  const topic = topicOf(session, seen.table.oid);
  if (registered === undefined || topic === undefined) return seeTable(session, seen.table, seen.end);
  const { table, end } = seen;
  session.looks.set(table.oid, { table, end });
  const input: Input = { kind: "observed", topic, ...registered, table };
  apply(session, input);
}

/** The table as a catalog read says it is by now; nothing when a later read was seen already. */
export function seeTable(session: Session, table: Table, end: Lsn): void {
  const topic = topicOf(session, table.oid);
  const before = session.looks.get(table.oid);
  if (topic === undefined || (before !== undefined && before.end > end)) return;
  session.looks.set(table.oid, { table, end });
  apply(session, { kind: "seen", topic, ...relationOf(table) });
}

/** The topic of a table of ours, by its OID. */
export function topicOf(session: Session, oid: TableOid): string | undefined {
  for (const { shape } of session.state.tables.values()) if (shape.table.oid === oid) return shape.topic;
  return undefined;
}
