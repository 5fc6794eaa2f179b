import { type Fate, GuardError } from "../errors.ts";
import type { Outside } from "./outside.ts";

/** An attempt that ran for longer than this ended the outage, so the delays start again from the shortest. */
const HEALTHY_MICROS = 60_000_000n;

export interface Retries extends Pick<Outside, "now" | "sleep"> {
  readonly signal: AbortSignal;
  /** Milliseconds between attempts; the last delay repeats. */
  readonly delaysMs: readonly [number, ...(readonly number[])];
  /** Decides whether an error is worth another attempt. By default, the error's fate in the table of errors. */
  readonly fateOf?: (error: GuardError) => Fate;
  /** Called before each delay. `failures` is the number of earlier failures. */
  readonly onRetry?: (error: GuardError, failures: number) => void;
}

/**
 * Repeats the attempt until it succeeds. Throws the signal's reason, an error whose fate is `stop`, and any error that
 * is not a GuardError. Which errors are worth another attempt is decided by the table in errors.ts alone, unless
 * `fateOf` is given.
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

/**
 * The fate of an error while the registry is asked about withheld fields. Rows are published without them until it
 * answers.
 */
export function fateWhileJudging(error: GuardError): Fate {
  return error.fateWhileJudging;
}
