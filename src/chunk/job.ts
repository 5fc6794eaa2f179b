import type { Attnum } from "../table/column.ts";

/** A read through one table in key order: its cursor is state, so it goes on after any crash. */
export interface ChunkJob {
  /** `snapshot/inventory.public.customers`, `backfill/inventory.public.customers/3`. */
  readonly id: string;
  readonly topic: string;
  readonly kind: "snapshot" | "backfill";
  /** The released column a backfill is for. */
  readonly column: Attnum | undefined;
  /** Only rows whose released value is not this are due: null, or `all` when old events may say anything. */
  readonly due: "not-null" | "all";
  /** Text of the last key dealt with, in key order; undefined: at the beginning. */
  readonly cursor: readonly string[] | undefined;
  /** Keys to read again first: their change in the last window did not carry every value. */
  readonly again: readonly (readonly string[])[];
  /** Rows published. */
  readonly rows: number;
  /** Keys read through. */
  readonly scanned: number;
  /** Rows the table has by its statistics; -1 when unknown. */
  readonly estimate: number;
  readonly state: "running" | "waiting" | "done" | "refused";
  readonly why: string | undefined;
}

/** A job at its beginning: every row of the topic's table. */
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
    why: undefined,
  };
}

/** What one finished window changes in its job. */
export interface ChunkStep {
  readonly published: number;
  readonly scanned: number;
  readonly last: readonly string[] | undefined;
  readonly done: boolean;
  readonly again: readonly (readonly string[])[];
}

/**
 * The job after a window. Keys that were read `again` do not move the cursor. The job is done when the range was
 * read to its end and nothing is left to read again.
 */
export function advance(job: ChunkJob, step: ChunkStep): ChunkJob {
  const wasAgain = job.again.length > 0;
  const done = !wasAgain && step.done && step.again.length === 0;
  return {
    ...job,
    cursor: wasAgain || step.last === undefined ? job.cursor : step.last,
    again: step.again,
    rows: job.rows + step.published,
    scanned: job.scanned + step.scanned,
    state: done ? "done" : job.state,
  };
}

/** The first job that can go on: snapshots before backfills, else in the order they were made. */
export function nextJob(jobs: Iterable<ChunkJob>): ChunkJob | undefined {
  const running = [...jobs].filter((job) => job.state === "running");
  return running.find((job) => job.kind === "snapshot") ?? running[0];
}
