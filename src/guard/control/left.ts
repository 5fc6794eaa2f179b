import { leftOutKey, type LeftOutReason } from "../../capture/left-out.ts";
import { fullName, type TableName } from "../../table/quote.ts";
import { describeLeftOut } from "../../words/left-out.ts";
import type { Parts } from "../session.ts";
import { warnPeople } from "../warn-people.ts";

/**
 * Leaves out a table that the connector's file captures but that cannot be captured yet. It is retried repeatedly, but
 * each reason is reported only once. If a look at the catalog cannot detect that the obstacle is gone, the table is
 * retried after `againMs`.
 */
export function leave(
  { outside, control }: Parts<"control">,
  oid: number,
  { schema, name }: TableName,
  reason: LeftOutReason,
  againMs = 0,
): false {
  const table = { schema, name };
  const before = control.looks.left.get(oid);
  control.looks.left.set(oid, { table, reason, again: outside.now() + BigInt(againMs) * 1000n });
  const id = leftOutKey(table, reason);
  if (before !== undefined && leftOutKey(before.table, before.reason) === id) return false;
  const { why, next } = describeLeftOut(table, reason);
  const what = `${fullName(table)} is not captured: ${why}`;
  warnPeople(outside, { id, about: "not-captured", what, next });
  return false;
}
