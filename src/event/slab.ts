const SLAB_BYTES = 1 << 20;

/**
 * The memory that records are written to: pieces of 1 MiB, handed out as subarrays that are never written to again. The
 * row encoders of a connector share one slab. A piece is freed together with the last record in it.
 */
export interface Slab {
  buffer: Buffer;
  at: number;
}

export function slab(bytes = 0): Slab {
  return { buffer: Buffer.allocUnsafeSlow(bytes), at: 0 };
}

/** Makes room for `bytes` in one piece; a record larger than 1 MiB gets a piece of its own. */
export function reserve(into: Slab, bytes: number): void {
  if (into.buffer.length - into.at >= bytes) return;
  into.buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
  into.at = 0;
}

/**
 * Hands out the bytes from the slab's position to `end` as one record. Throws if they exceed the space that was
 * reserved.
 */
export function takeRecord(into: Slab, end: number): Buffer {
  if (end > into.buffer.length) throw new RangeError("a record is longer than the space reserved for it");
  const record = into.buffer.subarray(into.at, end);
  into.at = end;
  return record;
}
