import { relationOf } from "../../gate/amendment/seen.ts";
import type { TableOid } from "../../table/column.ts";
import { readDdl } from "../../table/ddl.ts";
import { isoTime } from "../../wal/lsn.ts";
import type { LogicalMessage } from "../../wal/message.ts";
import { apply } from "../control/apply.ts";
import { dropPendingReads, startCatalogRead, topicOf } from "../control/catalog-read.ts";
import { inBackground, type Parts } from "../session.ts";

/** After an untrusted message, the secret is read again, but at most this often. */
const AGAIN_MICROS = 60_000_000n;

/**
 * Handles a DDL message from the trigger. It describes the table after that command, possibly minutes before its first
 * row. A message that cannot be verified only causes a catalog read.
 */
export function onDdl(session: Parts<"control" | "tape">, message: LogicalMessage, xid: number): void {
  const { control } = session;
  const read = readDdl(message, xid, control.ddl.secret);
  if (read === undefined) return;
  if (read.kind === "untrusted") {
    // The message may be from the trigger, and may be about any table.
    control.ddl.complete = undefined;
    control.catalog.explained.clear();
    readSecretAgain(session);
    for (const oid of read.oids) readIfCaptured(session, oid);
    return;
  }
  const { command, role, time, tables } = read.ddl;
  for (const oid of read.ddl.undescribed) onUndescribed(session, oid, read.ddl.unlocked.includes(oid));
  for (const one of tables) {
    if (one.change === "dropped") continue;
    const { oid } = one.table;
    const topic = topicOf(control.state, oid);
    if (topic === undefined) continue;
    dropPendingReads(control, oid);
    control.catalog.explained.set(oid, one.table);
    control.catalog.described.set(oid, xid);
    const explained = { command, role, time: isoTime(time) };
    const tableAt = session.tape.tx?.finalLsn;
    apply(session, { kind: "seen", topic, ...relationOf(one.table), tableAt, explained, rewritten: one.rewritten });
    if (session.tape.tx !== undefined) control.catalog.applied.set(oid, session.tape.tx.finalLsn);
    // The message may be from before the trigger that was found, so it does not replace the read.
    if (control.ddl.unproven.has(oid)) startCatalogRead(session, oid);
  }
}

/** The trigger may have been installed, or its secret replaced, after the session began. */
function readSecretAgain(session: Parts<"control">): void {
  const { source, outside, control } = session;
  const now = outside.now();
  if (now < control.ddl.readAgain) return;
  control.ddl.readAgain = now + AGAIN_MICROS;
  inBackground(session, async () => {
    control.ddl.secret = await source.ddlSecret();
  });
}

/** The descriptions of the table in earlier messages are out of date now. `hasItsColumns`: its columns have not changed. */
function onUndescribed(session: Parts<"control" | "tape">, oid: TableOid, hasItsColumns: boolean): void {
  const topic = topicOf(session.control.state, oid);
  if (topic === undefined) return;
  session.control.catalog.explained.delete(oid);
  if (!hasItsColumns) apply(session, { kind: "undescribed", topic });
  startCatalogRead(session, oid);
}

function readIfCaptured(session: Parts<"control" | "tape">, oid: TableOid): void {
  if (topicOf(session.control.state, oid) !== undefined) startCatalogRead(session, oid);
}
