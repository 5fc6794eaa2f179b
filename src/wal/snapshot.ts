import { GuardError } from "../errors.ts";

/** The result of `pg_current_snapshot()`. Transaction ids have 64 bits, with the epoch in the upper half. */
export interface Snapshot {
  /** Every transaction with a lower id had finished. */
  readonly xmin: bigint;
  /** No transaction with this id or a higher one had finished. */
  readonly xmax: bigint;
  /** The transactions in between that had not finished. */
  readonly inProgress: ReadonlySet<bigint>;
}

const TEXT = /^(\d{1,20}):(\d{1,20}):((?:\d{1,20},)*\d{1,20})?$/;

/** Reads `xmin:xmax:xip,…`. Throws GuardError("wal-invalid") for anything else. */
export function parseSnapshot(text: string): Snapshot {
  const [, xmin, xmax, list] = TEXT.exec(text) ?? [];
  if (xmin === undefined || xmax === undefined) {
    throw new GuardError("wal-invalid", `a snapshot of ${text.length} characters is not of the form xmin:xmax:xip,…`);
  }
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    inProgress: new Set(list === undefined ? [] : list.split(",").map(BigInt)),
  };
}

/**
 * True if a query with this snapshot sees what the transaction wrote. `xid` is the 32-bit id of a committed
 * transaction, as in a Begin message. It stands for the transaction within 2^31 of the snapshot, which is also how
 * PostgreSQL compares ids.
 */
export function isVisible(snapshot: Snapshot, xid: number): boolean {
  const distance = BigInt.asIntN(32, BigInt(xid) - snapshot.xmax);
  const full = snapshot.xmax + distance;
  if (full < 0n || full >= snapshot.xmax) return false;
  return full < snapshot.xmin || !snapshot.inProgress.has(full);
}
