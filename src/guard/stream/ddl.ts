import { relationOf } from "../../gate/amendment/seen.ts";
import type { TableOid } from "../../table/column.ts";
import { readDdl } from "../../table/ddl.ts";
import type { LogicalMessage } from "../../wal/message.ts";
import { apply } from "../control/apply.ts";
import { look, overtaken, topicOf } from "../control/catalog-read.ts";
import { beside, type Session } from "../session.ts";
import { isoTime } from "../../wal/lsn.ts";

/** Messages nobody vouches for have the secret read again so often at most. */
const AGAIN_MICROS = 60_000_000n;

/**
 * A DDL message of the trigger: the table as of that command, minutes before its first row. One that nobody vouches
 * for only makes us look at the catalog.
 */
export function onDdl(session: Session, message: LogicalMessage, xid: number): void {
  const read = readDdl(message, xid, session.ddl.secret);
  if (read === undefined) return;
  if (read.kind === "untrusted") {
    readSecretAgain(session);
    for (const oid of read.oids) lookAtOurs(session, oid);
    return;
  }
  const { command, role, time, tables } = read.ddl;
  for (const oid of read.ddl.undescribed) lookAtOurs(session, oid);
  for (const one of tables) {
    const topic = one.change === "dropped" ? undefined : topicOf(session, one.table.oid);
    if (topic === undefined || one.change === "dropped") continue;
    overtaken(session, one.table.oid);
    session.told.set(one.table.oid, one.table);
    const explained = { command, role, time: isoTime(time) };
    apply(session, { kind: "seen", topic, ...relationOf(one.table), explained, rewritten: one.rewritten });
  }
}

/** The trigger was installed, or its secret replaced, since the session began: later messages can be trusted. */
function readSecretAgain(session: Session): void {
  const { source, outside, ddl } = session;
  const now = outside.now();
  if (now < ddl.readAgain) return;
  ddl.readAgain = now + AGAIN_MICROS;
  beside(session, async () => {
    ddl.secret = await source.ddlSecret();
  });
}

function lookAtOurs(session: Session, oid: TableOid): void {
  if (topicOf(session, oid) !== undefined) look(session, oid);
}
