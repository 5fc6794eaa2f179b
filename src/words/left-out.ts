import type { LeftOutReason, MappingFault } from "../capture/left-out.ts";
import { fullName, quoteIdentifier, quoteTable, type TableName } from "../table/quote.ts";
import { isItself, lostText, wayBack } from "./gap.ts";
import { identifyNext, unidentifiedText } from "./identity.ts";

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
    case "not-sent": {
      const { why, publication, refusal } = reason;
      const because = refusal === undefined ? "" : ` (${refusal.text})`;
      return { why: `it ${lostText(table, why)}${because}`, next: wayBack(table, publication, why) ?? "nothing" };
    }
    case "unmapped":
      return {
        why: reason.faults.map((fault) => faultText(table, fault)).join("; "),
        next: faultsNext([{ table, faults: reason.faults }]),
      };
    case "failed":
      return { why: reason.error.text, next: reason.error.next ?? "see the message" };
    default:
      return reason satisfies never;
  }
}

const MAPPING_NEXT =
  "leave the table out of table.include.list, give it a key of mapped types, or rename what collides";

/** The faults of one table, each with the table's name, for a message about several tables. */
export function namedFaults(table: TableName, faults: readonly MappingFault[]): string {
  return faults.map((fault) => `${fullName(table)}: ${faultText(table, fault)}`).join("; ");
}

/** The statements that clear these faults, or what to change where there is none. */
export function faultsNext(
  left: readonly { readonly table: TableName; readonly faults: readonly MappingFault[] }[],
): string {
  return [...new Set(left.flatMap(({ table, faults }) => faults.map((fault) => faultNext(table, fault))))].join(" ");
}

function faultNext(table: TableName, fault: MappingFault): string {
  switch (fault.kind) {
    case "unidentified":
      return identifyNext(fault.tables);
    case "unknown-key":
      return fault.near === undefined
        ? `correct ${fault.column} in message.key.columns.`
        : `write ${fault.near} instead of ${fault.column} in message.key.columns.`;
    case "nullable-key":
      return `ALTER TABLE ${quoteTable(table)} ALTER COLUMN ${quoteIdentifier(fault.column)} SET NOT NULL;`;
    case "uncovered-key":
      return uncoveredNext(table);
    case "key-type":
    case "no-columns":
    case "same-field":
    case "same-topic":
      return MAPPING_NEXT;
    default:
      return fault satisfies never;
  }
}

function faultText(table: TableName, fault: MappingFault): string {
  switch (fault.kind) {
    case "key-type":
      return `key column ${fault.column} has type ${fault.type}, which is not mapped`;
    case "no-columns":
      return "no column of a mapped type";
    case "same-field":
      return `several columns would become field ${fault.field}`;
    case "same-topic":
      return `several tables would be published to topic ${fault.topic}`;
    case "unidentified":
      return unidentifiedText(fault.tables, isItself(table, fault.tables));
    case "unknown-key":
      return `message.key.columns names ${fault.column}, which is no column of the table`;
    case "nullable-key":
      return `message.key.columns names ${fault.column}, which can be NULL`;
    case "uncovered-key":
      return uncoveredText(fault.columns);
    default:
      return fault satisfies never;
  }
}

/** Old rows in the log have the columns of the replica identity and no others. */
export function uncoveredText(columns: readonly string[]): string {
  return `message.key.columns names ${columns.join(", ")}, which ${columns.length === 1 ? "is" : "are"} not in the replica identity: the log does not say which key a changed or deleted row had`;
}

export function uncoveredNext(table: TableName): string {
  return `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL;`;
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
