import { expect, it } from "vitest";
import { onDdl } from "../../../src/guard/stream/ddl.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import type { LogicalMessage } from "../../../src/wal/message.ts";
import { ID, tableIn, tableOf } from "../../gate/customers.ts";
import { SECRET, signed } from "../../table/signed.ts";
import { sessionIn, worldOf } from "../session.ts";

const OID = Number(tableOf([ID]).oid);
const XID = 735;

function message(content: string): LogicalMessage {
  return { kind: "message", transactional: true, lsn: lsn(1n), prefix: "fieldgate.ddl", content: Buffer.from(content) };
}

/** A message that names the table in `look`, as one from a REPEATABLE READ transaction does. */
function naming(oid: number, unlocked: readonly number[] = []): LogicalMessage {
  const payload = { format: 1, command: "ALTER TABLE", role: "migrator", xid: String(XID), time: 0 };
  return message(signed(JSON.stringify({ ...payload, tables: [], dropped: [], look: [oid], unlocked })));
}

function sessionWithTrigger() {
  const session = sessionIn(worldOf());
  session.control.ddl.secret = SECRET;
  session.control.ddl.complete = "as before";
  session.control.catalog.explained.set(OID, tableOf([ID]));
  return session;
}

it("a message that only names a table makes what earlier ones have said about it count no longer", () => {
  const session = sessionWithTrigger();
  onDdl(session, naming(OID), XID);
  expect(tableIn(session.control.state).undescribed).toBe(true);
  expect(session.control.catalog.explained.size).toBe(0);
  expect(session.control.catalog.pending.size).toBe(1);
  expect(session.control.ddl.complete).toBe("as before");
});

it("a message about a type of a table that it has not locked leaves it known which columns the table has", () => {
  const session = sessionWithTrigger();
  onDdl(session, naming(OID, [OID]), XID);
  expect(tableIn(session.control.state).undescribed).toBeUndefined();
  expect(session.control.catalog.explained.size).toBe(0);
  expect(session.control.catalog.pending.size).toBe(1);
});

it("a message that names a table which is not captured changes nothing", () => {
  const session = sessionWithTrigger();
  const { state } = session.control;
  onDdl(session, naming(OID + 1), XID);
  expect(session.control.state).toBe(state);
  expect(session.control.catalog.explained.size).toBe(1);
});

it("a message that cannot be trusted makes what all earlier ones have said count no longer", () => {
  const session = sessionWithTrigger();
  onDdl(session, message('{"error":"57014"}'), XID);
  expect(session.control.catalog.explained.size).toBe(0);
  expect(session.control.ddl.complete).toBeUndefined();
});
