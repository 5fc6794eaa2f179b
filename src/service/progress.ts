import type { ChunkJob } from "../chunk/job.ts";
import { renderDuration } from "../words/duration.ts";

/** When a job began to move in this process, in milliseconds, and how many keys it had read then. */
interface Seen {
  readonly at: number;
  readonly scanned: number;
}

/** How far a snapshot or backfill is. */
export interface Progress {
  /** Keys read through, whether their rows were due or not. */
  readonly scanned: number;
  /** Rows the table has by its statistics; -1 when unknown. */
  readonly estimate: number;
  /** Keys a second since it began to move here; 0 when it does not run. */
  readonly rate: number;
  /** Undefined when it cannot be told: no estimate, or it is used up, or nothing moves. */
  readonly secondsLeft: number | undefined;
}

/** The job's progress at `now`, in milliseconds of the same clock as `seen`. */
export function progressOf({ scanned, estimate, state }: ChunkJob, seen: Seen | undefined, now: number): Progress {
  const seconds = seen === undefined ? 0 : (now - seen.at) / 1000;
  const rate = state !== "running" || seen === undefined || seconds <= 0 ? 0 : (scanned - seen.scanned) / seconds;
  const left = estimate - scanned;
  const secondsLeft = left > 0 && rate > 0 ? Math.round(left / rate) : undefined;
  return { scanned, estimate, rate: Math.round(rate), secondsLeft };
}

/** `12,288 of about 60,000 rows (20%), 4,210 rows/s, 11 s left`. */
export function progressText({ scanned, estimate, rate, secondsLeft }: Progress): string {
  const share = scanned < estimate ? ` (${Math.floor((100 * scanned) / estimate)}%)` : "";
  const parts = [
    estimate > 0 ? `${count(scanned)} of about ${count(estimate)} rows${share}` : `${count(scanned)} rows`,
  ];
  if (rate > 0) parts.push(`${count(rate)} rows/s`);
  if (secondsLeft !== undefined) parts.push(`${renderDuration(secondsLeft * 1000)} left`);
  return parts.join(", ");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

const EVERY_MS = 10_000;

interface Teller {
  info(fields: { readonly progress: Progress & { readonly job: string } }, message: string): void;
  warn(message: string): void;
}

/** What is known of the jobs of one connector in this process. */
export interface JobWatch {
  readonly seen: ReadonlyMap<string, Seen>;
  note(jobs: Iterable<ChunkJob>, now: number): void;
}

/**
 * Notes when jobs begin to move, and tells of each that runs, at its first step and at most every 10 s after it; once
 * of each that is not done or waits for somebody, and why. A good end is told by whoever ends it.
 */
export function watchJobs(log: Teller): JobWatch {
  const seen = new Map<string, Seen>();
  const told = new Map<string, number>();
  const stands = new Map<string, string>();
  const tellWhy = ({ id, state, why }: ChunkJob): void => {
    if (why === undefined || stands.get(id) === why || (state !== "waiting" && state !== "refused")) return;
    stands.set(id, why);
    log.warn(`${id}: ${state}: ${why}`);
  };
  return {
    seen,
    note(jobs, now) {
      for (const job of jobs) {
        tellWhy(job);
        if (job.state !== "running") continue;
        const began = seen.get(job.id);
        // Its turn may come long after it was made: until then it only waits.
        if (began === undefined || began.scanned === job.scanned) {
          seen.set(job.id, { at: now, scanned: job.scanned });
          continue;
        }
        if (now - (told.get(job.id) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) continue;
        told.set(job.id, now);
        const progress = progressOf(job, began, now);
        log.info({ progress: { job: job.id, ...progress } }, `${job.id}: ${progressText(progress)}`);
      }
    },
  };
}
