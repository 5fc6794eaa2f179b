import type { ErrorCode } from "../../errors.ts";
import type { Finding } from "../../finding.ts";
import type { Attnum, Column } from "../../table/column.ts";
import type { NoCandidate, Reason, Unnamed } from "../decision/reason.ts";

/** The schema a topic would get with the amendment in it. `hash` is its identity for verdicts. */
export interface Candidate {
  /** Whose subject it is of: the events' value, or their key. */
  readonly part: "value" | "key";
  /** Names of row fields that it has over what flows now. */
  readonly added: readonly string[];
  /** Names of row fields that would be filled from another column than now: the same bytes, another meaning. */
  readonly moved: readonly string[];
  readonly text: string;
  readonly hash: string;
  /**
   * The field that is optional although its column is not, because the subject's level rejects a required field
   * without a default; undefined: every field is as Debezium maps it.
   */
  readonly widened: string | undefined;
  /** Other amendments that are in it: their fields' names would collide, so they are released together. */
  readonly together: readonly string[];
}

/** Whether the registry, at the subject's compatibility level, accepts the candidate. `text` is quoted. */
export type RegistryAnswer =
  | { readonly kind: "fits"; readonly candidate: Candidate }
  | { readonly kind: "refused"; readonly candidate: Candidate; readonly text: string }
  /** There is no schema that the registry could be asked about. */
  | { readonly kind: "no-candidate"; readonly why: NoCandidate }
  | { readonly kind: "unanswered"; readonly code: ErrorCode; readonly text: string };

/** One consumer, one candidate. */
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
      /** Under observe: who would have kept it back under `contracts`. */
      readonly wouldHaveWaitedFor: readonly string[];
      /** Live groups at that moment that no contract named, under every policy. */
      readonly unnamed?: Unnamed | undefined;
    };

/** What an operator said of an amendment; the last word counts. */
export interface Order {
  readonly kind: "release" | "withhold";
  readonly actor: string;
  readonly reason: string | undefined;
  /** Also against contracts that are not ready; needs a reason. */
  readonly force: boolean;
  readonly backfill: "all" | "none" | undefined;
  /** The old field stays, and the column as it is now is one more field: of this name, or of the column's. */
  readonly beside?: { readonly name?: string | undefined } | undefined;
  /** The command to answer when it is carried out. */
  readonly command: string;
}

/** What about a published column is another than its field says. */
export type Change = "renamed" | "retyped" | "not-null-set" | "not-null-lost" | "default" | "labels";

/** What a DDL message of the log said about the change: who, when, by which command. */
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
  /** undefined: of the key or of the table. */
  readonly attnum: Attnum | undefined;
  /** What people call it: the field that flows, else the column's name. */
  readonly name: string;
  /** The column as it is at this place in the log; undefined: dropped, or of the key or the table. */
  readonly column: Column | undefined;
  /** What of the column is another; empty unless `changed`. */
  readonly changes: readonly Change[];
  /** The key's columns as they are now, when that is the amendment. */
  readonly key: readonly Attnum[] | undefined;
  /** The column is dropped again in the catalog although the log still carries it. */
  readonly gone: boolean;
  /** Its type is not mapped: it cannot flow. */
  readonly unmapped: Finding | undefined;
  /** undefined: not asked yet, or released: its schema is among those that flow. */
  readonly answer: RegistryAnswer | undefined;
  /** A candidate the registry called compatible and then did not take; it is not tried again. */
  readonly notTaken: { readonly hash: string; readonly text: string } | undefined;
  readonly verdicts: readonly Verdict[];
  readonly order: Order | undefined;
  readonly gate: Gate;
  /** Rows were published without the column's value since the table has it so. */
  readonly missed: boolean;
  readonly explained?: Explanation | undefined;
  /** undefined: people have not been alerted to it yet. */
  readonly alerted: Alerted | undefined;
}

/** The last alert about an amendment that people received. */
export interface Alerted {
  /** What it was about (`alertKey`): when that changes, they are alerted again. */
  readonly key: string;
  /** ISO 8601; undefined: an early version recorded the alert without its time. */
  readonly time: string | undefined;
  /** How many reminders followed the first alert with this key. */
  readonly reminders: number;
}

/** An alert that has reached people. `id` is the amendment's. */
export interface SentAlert {
  readonly id: string;
  readonly alerted: Alerted;
}

export function amendmentId(topic: string, of: Attnum | "key" | "table"): string {
  return `${topic}/${of}`;
}

/** Is this what a person calls the amendment: its id, or `topic.field`? The latter may name several. */
export function isCalled(amendment: Amendment, name: string): boolean {
  const { id, topic, column } = amendment;
  return id === name || name === `${topic}.${amendment.name}` || name === `${topic}.${column?.name}`;
}
