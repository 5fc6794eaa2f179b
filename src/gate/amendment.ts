import type { Finding } from "../finding.ts";
import type { Attnum, Column } from "../table/column.ts";
import type { Field } from "../table/shape.ts";

/** The schema a topic would get with the amendment in it. `hash` is its identity for verdicts. */
export interface Candidate {
  readonly field: Field;
  readonly text: string;
  readonly hash: string;
  /** Why the field is optional although the column is not; undefined: as Debezium maps it. */
  readonly widened: string | undefined;
}

/** What the registry, at the subject's level, says of the candidate. */
export type Answer =
  | { readonly kind: "fits"; readonly candidate: Candidate }
  | { readonly kind: "refused"; readonly candidate: Candidate; readonly why: string }
  | { readonly kind: "unanswered"; readonly why: string };

/** One consumer, one candidate. */
export interface Verdict {
  readonly consumer: string;
  readonly environment: string;
  readonly verdict: "ready" | "not-ready" | "unknown";
  readonly findings: readonly Finding[];
}

/** `since` is a position in the log, `time` is ISO 8601. */
export type Gate =
  | { readonly kind: "withheld"; readonly since: string; readonly time: string; readonly why: string }
  | {
      readonly kind: "released";
      readonly since: string;
      readonly time: string;
      readonly why: string;
      readonly schemaId: number;
      /** Under observe: who would have kept it back under `contracts`. */
      readonly wouldHaveWaitedFor: readonly string[];
    };

/** What an operator said of an amendment; the last word counts. */
export interface Order {
  readonly kind: "release" | "withhold";
  readonly actor: string;
  readonly reason: string | undefined;
  /** Also against contracts that are not ready; needs a reason. */
  readonly force: boolean;
  readonly backfill: "all" | "none" | undefined;
  /** The command to answer when it is carried out. */
  readonly command: string;
}

/** A column the table has and the topic's events have not, or had not. */
export interface Amendment {
  /** `inventory.public.customers/3`. */
  readonly id: string;
  readonly topic: string;
  readonly kind: "added";
  readonly attnum: Attnum;
  readonly column: Column;
  /** The column is dropped again in the catalog although the log still carries it. */
  readonly gone: boolean;
  /** Its type is not mapped: it cannot flow. */
  readonly unmapped: Finding | undefined;
  /** undefined: not asked yet, or released: its schema is among those that flow. */
  readonly answer: Answer | undefined;
  /** A candidate the registry called compatible and then did not take; it is not tried again. */
  readonly notTaken: { readonly hash: string; readonly why: string } | undefined;
  readonly verdicts: readonly Verdict[];
  readonly order: Order | undefined;
  readonly gate: Gate;
  /** Rows were published without the field since the table has the column. */
  readonly missed: boolean;
  /** What people were told last: `gate kind: why`. Another text is told again. */
  readonly told: string | undefined;
  /** When they were told last, ISO 8601, and how often reminded since. Absent in state records of version 0.1. */
  readonly toldAt?: string | undefined;
  readonly reminders?: number | undefined;
}

/** People were told what `text` says about an amendment; with `reminders` above 0 not for the first time. */
export interface Told {
  readonly id: string;
  readonly text: string;
  /** ISO 8601. */
  readonly time: string;
  readonly reminders: number;
}

export function amendmentId(topic: string, column: Attnum): string {
  return `${topic}/${column}`;
}

/** Is this what a person calls the amendment: its id, or `topic.field`? The latter may name several. */
export function isCalled(amendment: Amendment, name: string): boolean {
  return amendment.id === name || `${amendment.topic}.${amendment.column.name}` === name;
}
