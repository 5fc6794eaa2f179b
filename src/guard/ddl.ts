import { relationOf } from "../gate/seen.ts";
import type { TableOid } from "../table/column.ts";
import { readDdl } from "../table/ddl.ts";
import type { LogicalMessage } from "../wal/message.ts";
import { apply } from "./apply.ts";
import { look, topicOf } from "./look.ts";
import type { Session } from "./session.ts";
import { isoTime } from "./time.ts";

/**
 * A DDL message of the trigger: the table as of that command, minutes before its first row. One that nobody vouches
 * for only makes us look at the catalog.
 */
export function onDdl(session: Session, message: LogicalMessage, xid: number): void {
  const read = readDdl(message, xid, session.ddlSecret);
  if (read === undefined) return;
  if (read.kind === "untrusted") {
    for (const oid of read.oids) lookAtOurs(session, oid);
    return;
  }
  const { command, role, time, tables } = read.ddl;
  for (const oid of read.ddl.look) lookAtOurs(session, oid);
  for (const one of tables) {
    const topic = one.change === "dropped" ? undefined : topicOf(session, one.table.oid);
    if (topic === undefined || one.change === "dropped") continue;
    session.told.set(one.table.oid, one.table);
    const explained = { command, role, time: isoTime(time) };
    apply(session, { kind: "seen", topic, ...relationOf(one.table), explained, rewritten: one.rewritten });
  }
}

function lookAtOurs(session: Session, oid: TableOid): void {
  if (topicOf(session, oid) !== undefined) look(session, oid);
}
