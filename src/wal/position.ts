import type { Lsn } from "./lsn.ts";

/**
 * How far the log has been processed. Reading resumes at `endLsn`. Of the transaction that commits at `tx.commitLsn`,
 * the first `tx.index` changes (inserts, updates, deletes and truncates as received, before any filter) have been
 * processed, too.
 */
export interface Position {
  /** The end of the last whole transaction. */
  readonly endLsn: Lsn;
  /** The commit LSN of that transaction in Debezium's sense: the first part of the next events' `source.sequence`. */
  readonly commitLsn: Lsn | undefined;
  readonly tx: { readonly commitLsn: Lsn; readonly index: number } | undefined;
  /** Identifies, together with `timeline` and `slot`, the log that this position belongs to. */
  readonly systemId: string;
  readonly timeline: number;
  readonly slot: string;
}
