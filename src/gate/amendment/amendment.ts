import type { ErrorCode } from "../../errors.ts";
import type { Finding } from "../../finding.ts";
import type { Attnum, Column } from "../../table/column.ts";
import type { NoCandidate, Reason, Unnamed } from "../decision/reason.ts";

/**
 * An amendment and its parts: what differs between a topic and its table, what the registry and the contracts say about it,
 * and whether it is released. These are plain values that are stored in the state topic.
 */

/** The schema that a topic would have with the amendment in it. `hash` identifies it for verdicts. */
export interface Candidate {
  /** The subject it belongs to: that of the events' value or that of their key. */
  readonly part: "value" | "key";
  /** Names of the row fields that it adds to the current ones. */
  readonly added: readonly string[];
  /** Names of row fields that would be filled from a different column: the same bytes with a new meaning. */
  readonly moved: readonly string[];
  readonly text: string;
  readonly hash: string;
  /**
   * The field that is made optional although its column is not, because the subject's level rejects a required field
   * without a default. undefined if every field is as Debezium maps it.
   */
  readonly widened: string | undefined;
  /** Other amendments that the candidate contains. Their field names would collide, so they are released together. */
  readonly together: readonly string[];
}

/** Whether the registry accepts the candidate at the subject's compatibility level. `text` quotes the registry. */
export type RegistryAnswer =
  | { readonly kind: "fits"; readonly candidate: Candidate }
  | { readonly kind: "refused"; readonly candidate: Candidate; readonly text: string }
  /** No schema can be made that the registry could be asked about. */
  | { readonly kind: "no-candidate"; readonly why: NoCandidate }
  | { readonly kind: "unanswered"; readonly code: ErrorCode; readonly text: string };

/** The answer for one consumer and one candidate. */
export interface Verdict {
  readonly consumer: string;
  readonly environment: string;
  readonly verdict: "ready" | "not-ready" | "unknown";
  readonly findings: readonly Finding[];
}

/** `since` is a position in the log, `time` is ISO 8601. */
export type Gate =
  | {
      readonly kind: "withheld";
      readonly since: string;
      readonly time: string;
      readonly reason: Reason;
    }
  | {
      readonly kind: "released";
      readonly since: string;
      readonly time: string;
      readonly reason: Reason;
      readonly schemaId: number;
      /** Under observe: the consumers that would have held it back under `contracts`. */
      readonly wouldHaveWaitedFor: readonly string[];
      /** Under every policy: groups that were live at that moment and that no contract named. */
      readonly unnamed?: Unnamed | undefined;
    };

/** An operator's command about an amendment. Only the latest counts. */
export interface Order {
  readonly kind: "release" | "withhold";
  readonly actor: string;
  readonly reason: string | undefined;
  /** Applies even against contracts that are not ready; needs a reason. */
  readonly force: boolean;
  readonly backfill: "all" | "none" | undefined;
  /** Keeps the old field and adds the column as a new one, under this name or else the column's. */
  readonly beside?: { readonly name?: string | undefined } | undefined;
  /** The command to answer once this is done. */
  readonly command: string;
}

/** How a published column differs from its field. */
export type Change = "renamed" | "retyped" | "not-null-set" | "not-null-lost" | "default" | "labels";

/** Who made the change, when, and with which SQL command, according to the DDL message in the log. */
export interface Explanation {
  /** `ALTER TABLE`. */
  readonly command: string;
  readonly role: string;
  /** ISO 8601. */
  readonly time: string;
}

/** The net difference between a topic's shape and its table: of one column, of the key, or of the table itself. */
export interface Amendment {
  /** `inventory.public.customers/3`, `…/key`, `…/table`. */
  readonly id: string;
  readonly topic: string;
  readonly kind: "added" | "dropped" | "changed" | "key" | "table";
  /** undefined for an amendment of the key or of the table. */
  readonly attnum: Attnum | undefined;
  /** The name that people use: that of the field in the events, or else that of the column. */
  readonly name: string;
  /**
   * The column at this position in the log. undefined if it was dropped, and for an amendment of the key or of the
   * table.
   */
  readonly column: Column | undefined;
  /** How the column differs from its field; empty unless `kind` is `changed`. */
  readonly changes: readonly Change[];
  /** The columns of the new key, if this is an amendment of the key. */
  readonly key: readonly Attnum[] | undefined;
  /** The column has been dropped in the catalog, although the log still carries it. */
  readonly gone: boolean;
  /**
   * `added`: nothing proves what older rows hold in the column, because the table was rewritten or the column existed
   * before.
   */
  readonly unproven?: boolean | undefined;
  /** `changed`: the column still has its type, but the file's value modes now map it to a different Avro type. */
  readonly byFile?: true | undefined;
  /** Set if the column's type is not supported, so that it cannot flow. */
  readonly unmapped: Finding | undefined;
  /** undefined if the registry has not been asked yet, or if the amendment is released. */
  readonly answer: RegistryAnswer | undefined;
  /** A candidate that the registry called compatible but then rejected. It is not tried again. */
  readonly notTaken: { readonly hash: string; readonly text: string } | undefined;
  readonly verdicts: readonly Verdict[];
  readonly order: Order | undefined;
  readonly gate: Gate;
  /** Since the change, rows were published without the column's value. */
  readonly missed: boolean;
  readonly explained?: Explanation | undefined;
  /** undefined if people have not been alerted to it yet. */
  readonly alerted: Alerted | undefined;
}

/** The last alert about an amendment that people received. */
export interface Alerted {
  /** What the alert was about (`alertKey`). When that changes, people are alerted again. */
  readonly key: string;
  /** ISO 8601. undefined if an early version recorded the alert without its time. */
  readonly time: string | undefined;
  /** How many reminders were sent after the first alert with this key. */
  readonly reminders: number;
}

/** An alert that was sent to people. `id` is the amendment's. */
export interface SentAlert {
  readonly id: string;
  readonly alerted: Alerted;
}

export function amendmentId(topic: string, of: Attnum | "key" | "table"): string {
  return `${topic}/${of}`;
}

/** True if the name means this amendment: it is its id, or `topic.field`. The latter may match several amendments. */
export function isCalled(amendment: Amendment, name: string): boolean {
  const { id, topic, column } = amendment;
  return id === name || name === `${topic}.${amendment.name}` || name === `${topic}.${column?.name}`;
}
