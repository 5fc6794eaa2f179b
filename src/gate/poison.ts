import type { ErrorCode } from "../errors.ts";
import type { Refusal } from "./decision/reason.ts";
import type { PoisonWay } from "./poison-way.ts";

/**
 * Poison: a change of which only this row is at fault, since a value of it fits no event, or all of it no record. Its
 * topic's record has how many there were and what became of them, the one that waits for an operator, and what was
 * reported to people. It does not grow with the number of changes.
 */

/** The poisoned changes of one table. */
export interface Poison {
  /** How many there were, by what became of them. */
  readonly counts: PoisonCounts;
  /** The last of them; undefined: none yet. */
  readonly last?: PoisonedChange | undefined;
  /** What was reported to people last. */
  readonly reported?: ReportedPoison | undefined;
  /** The change that waits for an operator. */
  readonly stuck?: StuckChange | undefined;
}

/** How many changes a report to people was about, when it was made, and how many reports in a row there have been. */
export interface ReportedPoison {
  readonly count: number;
  readonly time: string;
  readonly times: number;
}

export type PoisonCounts = Readonly<Record<PoisonWay, number>>;

export interface PoisonedChange {
  readonly way: PoisonWay;
  readonly code: ErrorCode;
  /** undefined: all of it is too large. */
  readonly field?: string | undefined;
  readonly position: string;
  readonly time: string;
}

export interface StuckChange {
  /** Names this one change: its place, or for a row that a chunk has read, a digest. */
  readonly at: string;
  readonly code: ErrorCode;
  readonly field?: string | undefined;
  /** What may become of it. */
  readonly ways: readonly PoisonWay[];
  readonly since: string;
  readonly time: string;
  readonly order?: PoisonOrder | undefined;
}

/** What an operator has decided for it. */
export interface PoisonOrder {
  readonly way: PoisonWay;
  readonly actor: string;
  readonly reason: string;
  readonly command: string;
}

export type PoisonInput =
  /** Changes that became one of these since the last commit. */
  | {
      readonly kind: "poisoned";
      readonly topic: string;
      readonly counts: PoisonCounts;
      readonly last: Omit<PoisonedChange, "time">;
    }
  /** This change waits for an operator. */
  | {
      readonly kind: "row-stuck";
      readonly topic: string;
      readonly stuck: Omit<StuckChange, "since" | "time" | "order">;
      /** Why what an operator has ordered for it cannot be done. */
      readonly refused?: Refusal | undefined;
    }
  /** The change that waited no longer does; `way`: what became of it, and undefined: it fits by now, or is gone. */
  | { readonly kind: "row-passed"; readonly topic: string; readonly way: PoisonWay | undefined }
  /** This was reported to people. */
  | { readonly kind: "poison-reported"; readonly topic: string; readonly reported: ReportedPoison };

export function poisonCount({ counts }: Pick<Poison, "counts">): number {
  return counts.null + counts["dead-letter"];
}
