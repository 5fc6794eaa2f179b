const SLAB_BYTES = 1 << 20;

/**
 * Where records are written: slabs of 1 MiB, handed out as subarrays and never written again. One may serve the
 * writers of all tables; a slab is freed when the last record in it is.
 */
export interface Slab {
  buffer: Buffer;
  at: number;
}

export function slab(bytes = 0): Slab {
  return { buffer: Buffer.allocUnsafeSlow(bytes), at: 0 };
}

/** Makes room for `bytes` in one piece; a record larger than a slab gets its own. */
export function reserve(into: Slab, bytes: number): void {
  if (into.buffer.length - into.at >= bytes) return;
  into.buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
  into.at = 0;
}

/** The bytes from where the slab stood up to `end`, as one record. Throws when too little was reserved. */
export function take(into: Slab, end: number): Buffer {
  if (end > into.buffer.length) throw new RangeError("a record is longer than what was reserved for it");
  const record = into.buffer.subarray(into.at, end);
  into.at = end;
  return record;
}
