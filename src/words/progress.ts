import { renderDuration } from "./duration.ts";

/** How far a snapshot or backfill has progressed. */
export interface Progress {
  /** Keys read so far, whether or not their rows had to be published. */
  readonly scanned: number;
  /** The table's rows according to its statistics; -1 if unknown. */
  readonly estimate: number;
  /** Keys per second since this process started to work on it; 0 while it is not running. */
  readonly rate: number;
  /** undefined if unknown: there is no estimate, the estimate was exceeded, or the job makes no progress. */
  readonly secondsLeft: number | undefined;
}

/** `12,288 of about 60,000 rows (20%), 4,210 rows/s, 11 s left`. */
export function renderProgress({ scanned, estimate, rate, secondsLeft }: Progress): string {
  const unknown = estimate < 0 ? " of an unknown number" : "";
  const share = scanned < estimate ? ` (${Math.floor((100 * scanned) / estimate)}%)` : "";
  const parts = [
    estimate > 0 ? `${count(scanned)} of about ${renderRows(estimate)}${share}` : `${renderRows(scanned)}${unknown}`,
  ];
  if (rate > 0) parts.push(`${renderRows(rate)}/s`);
  if (secondsLeft !== undefined) parts.push(`${renderDuration(secondsLeft * 1000)} left`);
  return parts.join(", ");
}

/** `1 row`, `12,288 rows`. */
export function renderRows(rows: number): string {
  return `${count(rows)} ${rows === 1 ? "row" : "rows"}`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
