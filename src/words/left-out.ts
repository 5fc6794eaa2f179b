import type { LeftOutReason, MappingFault } from "../capture/left-out.ts";
import { fullName, quoteIdentifier, quoteTable, type TableName } from "../table/quote.ts";
import { lostText, wayBack } from "./gap.ts";

/** Why a table that the connector's file includes is not captured, and how to make it capturable. */
export interface LeftOutText {
  /** One sentence without its full stop, in which "it" is the table. */
  readonly why: string;
  readonly next: string;
}

export function describeLeftOut(table: TableName, reason: LeftOutReason): LeftOutText {
  switch (reason.kind) {
    case "not-visible":
      return {
        why: "its transaction is not visible yet, perhaps because a synchronous standby is not answering",
        next: "nothing: its rows are read once it is visible",
      };
    case "no-right":
      return rightText(table, reason);
    case "unidentified":
      return {
        why: "it has no key that identifies its rows in the log, so once it is published PostgreSQL would reject UPDATE and DELETE on it",
        next: `ALTER TABLE ${quoteTable(table)} ADD PRIMARY KEY (…); or REPLICA IDENTITY FULL`,
      };
    case "not-sent": {
      const { why, publication, refusal } = reason;
      const because = refusal === undefined ? "" : ` (${refusal.text})`;
      return { why: `it ${lostText(why)}${because}`, next: wayBack(table, publication, why) ?? "nothing" };
    }
    case "unmapped":
      return { why: reason.faults.map(faultText).join("; "), next: MAPPING_NEXT };
    case "failed":
      return { why: reason.error.text, next: reason.error.next ?? "see the message" };
    default:
      return reason satisfies never;
  }
}

export const MAPPING_NEXT =
  "leave the table out of table.include.list, give it a key of mapped types, or rename what collides";

/** The faults of one table, each with the table's name, for a message about several tables. */
export function namedFaults(table: TableName, faults: readonly MappingFault[]): string {
  return faults.map((fault) => `${fullName(table)}: ${faultText(fault)}`).join("; ");
}

function faultText(fault: MappingFault): string {
  switch (fault.kind) {
    case "key-type":
      return `key column ${fault.column} has type ${fault.type}, which is not mapped`;
    case "no-columns":
      return "no column of a mapped type";
    case "same-field":
      return `several columns would become field ${fault.field}`;
    case "same-topic":
      return `several tables would be published to topic ${fault.topic}`;
    default:
      return fault satisfies never;
  }
}

function rightText(
  table: TableName,
  { readable, usable, role }: Extract<LeftOutReason, { readonly kind: "no-right" }>,
): LeftOutText {
  const grants = [
    ...(usable ? [] : [`GRANT USAGE ON SCHEMA ${quoteIdentifier(table.schema)} TO ${quoteIdentifier(role)};`]),
    ...(readable ? [] : [`GRANT SELECT ON ${quoteTable(table)} TO ${quoteIdentifier(role)};`]),
  ];
  const right = readable
    ? "use its schema (USAGE)"
    : usable
      ? "read it (SELECT)"
      : "use its schema (USAGE) or read it (SELECT)";
  return { why: `no right to ${right}`, next: grants.join(" ") };
}
