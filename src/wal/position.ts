import type { Lsn } from "./lsn.ts";

/**
 * How far the log has been processed. Reading resumes at `endLsn`; of the transaction that commits at `tx.commitLsn`, the
 * first `tx.index` changes (I, U, D and T as received, before any filter) have been processed too.
 */
export interface Position {
  /** End of the last whole transaction. */
  readonly endLsn: Lsn;
  /** What Debezium calls that transaction's commit LSN: the first part of the next events' `source.sequence`. */
  readonly commitLsn: Lsn | undefined;
  readonly tx: { readonly commitLsn: Lsn; readonly index: number } | undefined;
  /** With `timeline` and `slot`: which log this position belongs to. */
  readonly systemId: string;
  readonly timeline: number;
  readonly slot: string;
}
