import { GuardError } from "../errors.ts";

/** What `pg_current_snapshot()` says, with 64-bit transaction ids (epoch in the upper half). */
export interface Snapshot {
  /** Every transaction below is finished. */
  readonly xmin: bigint;
  /** Every transaction from here on had not finished. */
  readonly xmax: bigint;
  /** Those in between that had not finished. */
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
 * Does a query with this snapshot see what the transaction wrote? `xid` is a committed transaction's 32-bit id
 * as a Begin message carries it: the one within 2^31 of the snapshot is meant, as PostgreSQL itself compares.
 */
export function isVisible(snapshot: Snapshot, xid: number): boolean {
  const distance = BigInt.asIntN(32, BigInt(xid) - snapshot.xmax);
  const full = snapshot.xmax + distance;
  if (full < 0n || full >= snapshot.xmax) return false;
  return full < snapshot.xmin || !snapshot.inProgress.has(full);
}
