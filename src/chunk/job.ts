import type { ErrorCode } from "../errors.ts";
import type { Attnum } from "../table/column.ts";

/**
 * A job reads a whole table in chunks, for a snapshot, a backfill or a repair. It is stored with its cursor and its counts.
 */

/** Why a job waits, was refused or ended early. `words/reason.ts` has the sentences. */
export type JobReason =
  | { readonly kind: "keyless" }
  /** Rows that readers lack, or have with old values, are not published. */
  | { readonly kind: "keyless-repair" }
  /**
   * `amendment` is the name that an operator uses to start or decline the job: an amendment's id, or `TOPIC/repair`.
   * `rows` is -1 if the number is not known. In that case `moreThan`, if set, is a number that the rows exceed.
   */
  | {
      readonly kind: "too-many-rows";
      readonly rows: number;
      readonly moreThan?: number | undefined;
      readonly amendment: string;
    }
  | { readonly kind: "declined"; readonly actor: string }
  | { readonly kind: "table-replaced" }
  | { readonly kind: "table-dropped" }
  | { readonly kind: "key-changed" }
  | { readonly kind: "column-dropped" }
  /** A sentence that an earlier version stored and that this one cannot parse. */
  | { readonly kind: "recorded"; readonly sentence: string };

/** A pass over one table in key order. Its cursor is part of the state, so it resumes after any crash. */
export interface ChunkJob {
  /** `snapshot/inventory.public.customers`, `backfill/inventory.public.customers/3`. */
  readonly id: string;
  readonly topic: string;
  readonly kind: "snapshot" | "backfill";
  /** The released column that a backfill is for. */
  readonly column: Attnum | undefined;
  /** Which rows to publish: those whose released value is not null, or all of them if old events may hold any value. */
  readonly due: "not-null" | "all";
  /** The last key processed, as text, in the order of the key's columns; undefined at the beginning. */
  readonly cursor: readonly string[] | undefined;
  /**
   * Identifies the order of the keys that the cursor belongs to. undefined at the beginning, and in records of older
   * versions.
   */
  readonly order?: string | undefined;
  /** Keys to read again first, because their change in the last window did not contain every value. */
  readonly again: readonly (readonly string[])[];
  /** How many rows were published. */
  readonly rows: number;
  /** How many keys were read. */
  readonly scanned: number;
  /** How many rows the table has according to its statistics; -1 if unknown. */
  readonly estimate: number;
  /** Set once its rows were compared with fieldgate.backfill.max.rows, or once an operator agreed to the job. */
  readonly cleared?: true | undefined;
  readonly state: "running" | "waiting" | "done" | "refused";
  readonly reason: JobReason | undefined;
  /** Why its next row cannot be written; undefined unless it waits for that. */
  readonly stuck?: StuckRow | undefined;
}

/** The row that a job waits at, without its values. */
export interface StuckRow {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  /** Names the row, if an operator may decide what becomes of it. */
  readonly at: string | undefined;
  /** The error's own words, which people read and nothing is decided by. */
  readonly text: string;
  readonly next: string | undefined;
}

/** A new job that covers every row of the topic's table. */
export function newJob(id: string, topic: string, kind: ChunkJob["kind"]): ChunkJob {
  return {
    id,
    topic,
    kind,
    column: undefined,
    due: "all",
    cursor: undefined,
    again: [],
    rows: 0,
    scanned: 0,
    estimate: -1,
    state: "running",
    reason: undefined,
  };
}

/** The result of one finished window. */
export interface ChunkStep {
  readonly published: number;
  readonly scanned: number;
  readonly last: readonly string[] | undefined;
  readonly order: string;
  readonly done: boolean;
  readonly again: readonly (readonly string[])[];
}

/**
 * The job after a window. Keys from `again` do not move the cursor. The job is done when the table was read to its end
 * and no key is left to read again.
 */
export function advance(job: ChunkJob, step: ChunkStep): ChunkJob {
  const wasAgain = job.again.length > 0;
  const done = !wasAgain && step.done && step.again.length === 0;
  return {
    ...job,
    ...(job.kind === "backfill" ? { cleared: true } : {}),
    cursor: wasAgain || step.last === undefined ? job.cursor : step.last,
    order: step.order,
    again: step.again,
    rows: job.rows + step.published,
    scanned: job.scanned + step.scanned,
    state: done ? "done" : job.state,
  };
}

/** The job after an operator agreed to read the whole table. */
export function agreedTo(job: ChunkJob): ChunkJob {
  return { ...job, state: "running", reason: undefined, cleared: true };
}

/** Restarts the job, because the order or the types of its keys have changed. */
export function startOver(job: ChunkJob): ChunkJob {
  return { ...job, cursor: undefined, order: undefined, again: [] };
}

/** The job to continue: snapshots before backfills, otherwise the one that was created first. */
export function nextJob(jobs: Iterable<ChunkJob>): ChunkJob | undefined {
  const running = [...jobs].filter((job) => job.state === "running");
  return running.find((job) => job.kind === "snapshot") ?? running[0];
}
