import { renderDuration } from "./duration.ts";

/** How far a snapshot or backfill has come. */
export interface Progress {
  /** Keys read so far, whether or not their rows had to be published. */
  readonly scanned: number;
  /** The table's rows according to its statistics; -1 if unknown. */
  readonly estimate: number;
  /** Keys per second since this process started to work on it; 0 while it does not run. */
  readonly rate: number;
  /** Undefined if unknown: without an estimate, past the estimate, or without movement. */
  readonly secondsLeft: number | undefined;
}

/** `12,288 of about 60,000 rows (20%), 4,210 rows/s, 11 s left`. */
export function renderProgress({ scanned, estimate, rate, secondsLeft }: Progress): string {
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
