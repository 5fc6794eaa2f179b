import type { ErrorCode, GuardError } from "../errors.ts";
import { fullName, type TableName } from "../table/quote.ts";
import type { Unidentified } from "./identity.ts";
import type { NotSent } from "./sent.ts";

/**
 * Why a table that the connector's file includes is not captured, as a value. `words/left-out.ts` puts it into
 * sentences. Texts that were written elsewhere are quoted in fields named `text` and `next`: people may read them, but
 * no decision depends on them.
 */
export type LeftOutReason =
  /** The transaction that created it is not visible yet. */
  | { readonly kind: "not-visible" }
  /** `readable`: SELECT is granted. `usable`: USAGE of its schema is granted. */
  | { readonly kind: "no-right"; readonly readable: boolean; readonly usable: boolean; readonly role: string }
  /** `refusal`: it could not be added to the publication. */
  | {
      readonly kind: "not-sent";
      readonly why: NotSent;
      readonly publication: string;
      readonly refusal?: Refusal | undefined;
    }
  | { readonly kind: "unmapped"; readonly faults: readonly MappingFault[] }
  | { readonly kind: "failed"; readonly error: Refusal };

/** An error that leaves a table out but does not stop the connector. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly text: string;
  readonly next: string | undefined;
}

export function refusalOf({ code, text, next }: GuardError): Refusal {
  return { code, text, next };
}

/** Why no events can be made from a table. */
export type MappingFault =
  | { readonly kind: "key-type"; readonly column: string; readonly type: string }
  | { readonly kind: "no-columns" }
  | { readonly kind: "same-field"; readonly field: string }
  | { readonly kind: "same-topic"; readonly topic: string }
  /** It must not be in a publication: the log cannot identify its rows, or those of these partitions. */
  | { readonly kind: "unidentified"; readonly tables: readonly Unidentified[] }
  /** An entry of message.key.columns names this table, and a column that it does not have. `near`: the one it has. */
  | { readonly kind: "unknown-key"; readonly column: string; readonly near: string | undefined }
  /** A column of message.key.columns can be NULL. */
  | { readonly kind: "nullable-key"; readonly column: string }
  /** Columns of message.key.columns are missing from the old rows in the log. */
  | { readonly kind: "uncovered-key"; readonly columns: readonly string[] };

/** Identifies a reason for a table, however it is worded, so that people are alerted to it only once. */
export function leftOutKey(table: TableName, reason: LeftOutReason): string {
  const value = JSON.stringify(reason, (key, part: unknown) => (key === "text" || key === "next" ? undefined : part));
  return `${fullName(table)} ${value}`;
}
