import { GuardError } from "../../errors.ts";
import { NONE_TRUNCATED, sentNews } from "../../capture/sent.ts";
import { type Table, tableOid, columnType } from "../../table/column.ts";
import { NO_EVIDENCE, prove } from "../../table/prove.ts";
import type { Relation } from "../../wal/message.ts";
import type { Lsn } from "../../wal/lsn.ts";
import { type Captured, capturedFrom, type Parts, tableOf } from "../session.ts";
import { apply } from "./apply.ts";
import { sentOf } from "./looked-table.ts";
import { canPass } from "./park.ts";
import { judgeDeadline, readUntilVisible } from "./read-visible.ts";
import { fullName } from "../../table/quote.ts";

/**
 * Handles a row from a different table that has the name of a captured one. None of its rows are published until an
 * operator accepts it. If the catalog shows that this is no longer needed, because that table was dropped or the
 * captured one has its name back, its rows are skipped with a warning and the stream continues on its own.
 */

/**
 * @throws GuardError table-replaced, with the command that resolves it; catalog-behind while the row's transaction is
 * not visible
 */
export async function refuseReplaced(
  session: Parts<"control" | "tape">,
  captured: Captured,
  topic: string,
  xid: number,
): Promise<void> {
  const { control, tape, outside } = session;
  const { relation } = captured;
  const { table, visible } = await readUntilVisible(session, relation, xid, judgeDeadline(outside), "found");
  if (table === undefined && !visible) {
    throw new GuardError(
      "catalog-behind",
      `${fullName(relation)} was created in a transaction that is not visible yet`,
      {
        next: "nothing: Fieldgate tries again until the transaction is visible",
      },
    );
  }
  const over = table === undefined || (await isUndone(session, relation, topic));
  // If an operator has already accepted the table, the one in the state has this OID.
  if (!over) apply(session, { kind: "replaced", topic, table: asInLog(relation, table) });
  const now = capturedFrom(outside, control.state, relation);
  if (over && now.news === "replaces") return passOver(session, captured);
  if (now.news === "replaces" && canPass(session, topic)) {
    tape.relations.set(relation.oid, { ...now, news: undefined, topic: undefined, passedFor: topic });
    return;
  }
  tape.relations.set(relation.oid, now);
  if (now.news !== "replaces") return;
  throw new GuardError("table-replaced", `${fullName(relation)} is now a different table`, {
    next: `fieldgate release ${topic}/table --reason "…" accepts it as the replacement; or capture it with a new connector`,
  });
}

/**
 * The log has other columns of the table than the catalog. If the reason is the publication, rows are passed over until
 * it sends exactly the expected columns again. Otherwise the table is taken in again as it is, if an operator agrees.
 * @throws GuardError amendment-unsupported if that is not possible
 */
export async function refuseUnexplained(
  session: Parts<"control" | "tape">,
  captured: Captured,
  topic: string,
  table: Table,
  row: Lsn,
): Promise<void> {
  const isSent = await wasSent(session, topic, row);
  if (isSent && !canPass(session, topic)) {
    throw new GuardError(
      "amendment-unsupported",
      `the columns of ${fullName(captured.relation)} in the log cannot be matched with its columns in the catalog`,
      {
        next: "capture the table with a new connector, and report which DDL ran on it",
      },
    );
  }
  passUntilSettled(session, captured, topic, table, isSent ? "columns-unexplained" : "columns-not-sent");
}

/**
 * For a row without columns that have been dropped since, although the DDL trigger has not reported that they were dropped
 * before it. If the publication may have left them out for a while, it is taken to have done so: a null in their place
 * would stand for a value. Then the table's rows are passed over until it is certainly sent in full. Returns whether they
 * are.
 */
export async function passIfUnsent(
  session: Parts<"control" | "tape">,
  captured: Captured,
  topic: string,
  table: Table,
  row: Lsn,
): Promise<boolean> {
  if (await wasSent(session, topic, row)) return false;
  passUntilSettled(session, captured, topic, table, "columns-not-sent");
  return true;
}

function passUntilSettled(
  session: Parts<"control" | "tape">,
  captured: Captured,
  topic: string,
  table: Table,
  unexplained: "columns-unexplained" | "columns-not-sent",
): void {
  const { control, tape, outside } = session;
  apply(session, { kind: "replaced", topic, table, unexplained });
  tape.relations.set(captured.relation.oid, capturedFrom(outside, control.state, captured.relation));
}

/**
 * Was the table sent in full when the row was written? If it is not sent in full now, that is reported. If it was not for a
 * while, the next look finds that out, or the one at the start of this session has.
 */
async function wasSent(session: Parts<"control" | "tape">, topic: string, row: Lsn): Promise<boolean> {
  if (session.outside.delivery === "none") return true;
  const table = tableOf(session.control.state, topic);
  if (table.gap?.news.kind === "again" && row < session.control.looks.began) return false;
  const sent = sentOf(session.outside, await session.source.look(), table);
  const news = sentNews(table.sent, sent, NONE_TRUNCATED);
  if (news.kind === "lost") apply(session, { kind: "sent", topic, sent, news });
  return sent.kind === "sent" && news.kind !== "again";
}

/** Withdraws what waits to be accepted once the other table is gone or has lost the name. */
export function endReplaced(session: Parts<"control" | "tape">, topic: string): void {
  const captured = [...session.tape.relations.values()].filter((one) => one.passedFor === topic);
  apply(session, { kind: "replaced-over", topic });
  for (const one of captured) passOver(session, one);
}

/**
 * Runs while a replaced table halts the reading. Continues once the other table is gone or the captured one has its
 * name back.
 */
export async function lookAtReplaced(session: Parts<"control" | "tape">): Promise<void> {
  const { control, tape, source } = session;
  for (const [topic, { code }] of control.halts) {
    if (code !== "table-replaced") continue;
    const captured = [...tape.relations.values()].find((one) => one.topic === topic && one.news === "replaces");
    if (captured === undefined) continue;
    const { table } = await source.table(tableOid(captured.relation.oid));
    if (table !== undefined && !(await isUndone(session, captured.relation, topic))) continue;
    passOver(session, captured);
    control.halts.delete(topic);
  }
}

/** True if the captured table has its name back, which means that the other one has lost it. */
async function isUndone({ source, control }: Parts<"control">, relation: Relation, topic: string): Promise<boolean> {
  const { oid } = tableOf(control.state, topic).shape.table;
  if (Number(oid) === relation.oid) return false;
  const { table } = await source.table(oid);
  return table?.oid === oid && table.schema === relation.schema && table.name === relation.name;
}

function passOver({ tape, outside }: Parts<"tape">, captured: Captured): void {
  const { relation } = captured;
  tape.relations.set(relation.oid, { ...captured, news: undefined, topic: undefined, passedFor: undefined });
  if (outside.delivery === "none") return;
  outside.log.warn(
    `${fullName(relation)} was a different table for a while, but that table is gone: rows written to it are not published`,
  );
}

/**
 * The table with the columns of this row, as far as they are known, followed by columns that were added later. The
 * catalog is ahead of the log, and fields are bound to columns by name.
 */
function asInLog(relation: Relation, table: Table): Table {
  const { schema, name } = relation;
  const live = table.columns.filter((column) => !column.generated);
  const none = { columns: [], assigned: 0 };
  const proof = prove(relation.columns, none, { columns: live, maxAttnum: table.maxAttnum }, NO_EVIDENCE);
  if (proof.kind !== "proven") return table;
  const columns = relation.columns.flatMap((seen, index) => {
    const attnum = proof.columns[index];
    if (attnum === undefined) return [];
    const now = live.find((column) => column.attnum === attnum);
    const isSame = now?.type.oid === seen.typeOid && now.type.typmod === seen.typmod;
    if (now !== undefined && isSame) return [{ ...now, name: seen.name }];
    const type = columnType(seen.typeOid, seen.typmod, undefined);
    const unknown = { typeName: "", notNull: false, defaultExpr: undefined, identity: false, generated: false };
    return [{ attnum, name: seen.name, type, ...unknown }];
  });
  const later = table.columns.filter(({ attnum }) => !proof.columns.includes(attnum));
  return { ...table, schema, name, columns: [...columns, ...later] };
}
