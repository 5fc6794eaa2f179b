import type { NamedTable } from "../outside.ts";
import type { Parts } from "../session.ts";

/**
 * Tables that the connector's file captures and that cannot be captured yet. They are tried again and again, and
 * each reason is reported once. What a look cannot see change is tried again after `againMs`.
 */
export function leave(
  { outside, control }: Parts<"control">,
  oid: number,
  { schema, name }: NamedTable,
  { why, next }: { readonly why: string; readonly next: string },
  againMs = 0,
): false {
  const table = `${schema}.${name}`;
  const before = control.looks.left.get(oid);
  control.looks.left.set(oid, { table, why, next, again: outside.now() + BigInt(againMs) * 1000n });
  if (before?.why === why && before.table === table) return false;
  const what = `${table} is not captured: ${why.replace(`${table}: `, "")}`;
  outside.log.warn(`${what}; next: ${next}`);
  void outside.notice({ severity: "warn", what, next });
  return false;
}
