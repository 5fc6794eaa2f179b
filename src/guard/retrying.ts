import { type Fate, GuardError } from "../errors.ts";
import type { Outside } from "./outside.ts";

/** An attempt that ran for this long ended an outage: the delays start again from the shortest. */
const HEALTHY_MICROS = 60_000_000n;

export interface Retries extends Pick<Outside, "now" | "sleep"> {
  readonly signal: AbortSignal;
  /** Milliseconds between attempts; the last delay repeats. */
  readonly delaysMs: readonly [number, ...(readonly number[])];
  /** Default: the error's fate in the table of errors. */
  readonly fateOf?: (error: GuardError) => Fate;
  /** Called before each delay; `failures` counts those before this one. */
  readonly onRetry?: (error: GuardError, failures: number) => void;
}

/**
 * Repeats the attempt until it succeeds. The table in errors.ts is the only judge of what is worth another attempt: an
 * error whose fate is `stop`, or that is not a GuardError, is thrown, and so is the signal's reason.
 */
export async function retrying<T>(attempt: () => Promise<T>, retries: Retries): Promise<T> {
  const { now, sleep, signal, delaysMs, fateOf = (error) => error.fate, onRetry = () => {} } = retries;
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    const start = now();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof GuardError) || fateOf(error) === "stop") throw error;
      if (now() - start > HEALTHY_MICROS) failures = 0;
      onRetry(error, failures);
    }
    await sleep(delaysMs[Math.min(failures, delaysMs.length - 1)] ?? delaysMs[0], signal);
  }
}

/** For questions about withheld fields: rows are published without them while the registry does not answer. */
export function fateWhileJudging(error: GuardError): Fate {
  return error.fateWhileJudging;
}
