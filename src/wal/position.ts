import type { Lsn } from "./lsn.ts";

/**
 * How far the log is dealt with. Reading starts again at `endLsn`; of the transaction that commits at
 * `tx.commitLsn` the first `tx.index` changes (I, U, D, T as received, before every filter) are dealt with too.
 */
export interface Position {
  /** End of the last whole transaction. */
  readonly endLsn: Lsn;
  /** The LSN Debezium has for its commit, which is its end: the first part of the next events' `source.sequence`. */
  readonly commitLsn: Lsn | undefined;
  readonly tx: { readonly commitLsn: Lsn; readonly index: number } | undefined;
  /** Which log this is a position in. */
  readonly systemId: string;
  readonly timeline: number;
  readonly slot: string;
}
