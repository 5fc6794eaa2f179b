import type { ChunkJob } from "../chunk/job.ts";
import { type Progress, renderProgress } from "../words/progress.ts";
import { renderJobReason } from "../words/reason.ts";

/**
 * Tracks the snapshots and backfills of a connector: estimates their rate and the time left, and logs their progress
 * and why they wait.
 */

/** When a job began to make progress in this process, and how many keys it had read at that point. */
interface Start {
  /** Milliseconds. */
  readonly at: number;
  readonly scanned: number;
}

/** `now` is in milliseconds, from the same clock as `start`. */
export function progressOf({ scanned, estimate, state }: ChunkJob, start: Start | undefined, now: number): Progress {
  const seconds = start === undefined ? 0 : (now - start.at) / 1000;
  const rate = state !== "running" || start === undefined || seconds <= 0 ? 0 : (scanned - start.scanned) / seconds;
  const left = estimate - scanned;
  const secondsLeft = left > 0 && rate > 0 ? Math.round(left / rate) : undefined;
  return { scanned, estimate, rate: Math.round(rate), secondsLeft };
}

const LOG_EVERY_MS = 10_000;

interface ProgressLog {
  info(fields: { readonly progress: Progress & { readonly job: string } }, message: string): void;
  warn(message: string): void;
}

export interface JobTracker {
  /** By job id. */
  readonly starts: ReadonlyMap<string, Start>;
  update(jobs: Iterable<ChunkJob>, now: number): void;
}

/**
 * Logs a running job's progress at its first step and then at most every 10 s. Logs once why a job waits for a person
 * or was refused. The loop itself logs the end of a job.
 */
export function trackJobs(log: ProgressLog): JobTracker {
  const starts = new Map<string, Start>();
  const loggedAt = new Map<string, number>();
  const reasons = new Map<string, string>();
  const logReason = ({ id, state, reason }: ChunkJob): void => {
    if (reason === undefined || reasons.get(id) === reason.kind || (state !== "waiting" && state !== "refused")) return;
    reasons.set(id, reason.kind);
    log.warn(`${id}: ${state}: ${renderJobReason(reason)}`);
  };
  return {
    starts,
    update(jobs, now) {
      for (const job of jobs) {
        logReason(job);
        if (job.state !== "running") continue;
        const start = starts.get(job.id);
        // A job may be queued for a long time before it runs; that time does not count.
        if (start === undefined || start.scanned === job.scanned) {
          starts.set(job.id, { at: now, scanned: job.scanned });
          continue;
        }
        if (now - (loggedAt.get(job.id) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) continue;
        loggedAt.set(job.id, now);
        const progress = progressOf(job, start, now);
        log.info({ progress: { job: job.id, ...progress } }, `${job.id}: ${renderProgress(progress)}`);
      }
    },
  };
}
