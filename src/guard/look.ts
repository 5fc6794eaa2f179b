import { relationOf } from "../gate/seen.ts";
import { type Table, tableOid, type TableOid } from "../table/column.ts";
import type { Lsn } from "../wal/lsn.ts";
import { apply } from "./apply.ts";
import { beside, type Session } from "./session.ts";

/**
 * Looks at a table of ours in the catalog, beside the stream: for what the log does not say, an enum's new label or
 * a DDL nobody vouches for. A mark is written after the look, so at its place in the log the table is at least so far.
 */
export function look(session: Session, oid: number): void {
  const { source, lookups, outside } = session;
  if ([...lookups.values()].some((lookup) => lookup.oid === oid)) return;
  const nonce = outside.uuid();
  // Before the read: a thousand rows with a new label ask once.
  lookups.set(nonce, { oid, seen: undefined });
  beside(session, async () => {
    const { table, end } = await source.table(tableOid(oid));
    if (table === undefined) {
      lookups.delete(nonce);
      return;
    }
    lookups.set(nonce, { oid, seen: { table, end } });
    await source.mark(`look:${nonce}`);
  });
}

/** The mark of a look has come. */
export function looked(session: Session, nonce: string): void {
  const seen = session.lookups.get(nonce)?.seen;
  session.lookups.delete(nonce);
  if (seen !== undefined) seeTable(session, seen.table, seen.end);
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
