import { GuardError } from "../errors.ts";

/**
 * Reads and writes TupleData, the part of a pgoutput message that contains a row. This code runs for every row, so one
 * set of slots is allocated and reused for all rows, and values are not copied.
 */

/** How a column's value is sent: a tag byte of TupleData, given as its character code. */
export const NULL_VALUE = 0x6e; // n
/** An unchanged value that is stored outside the row (TOAST) and therefore not sent. */
export const UNCHANGED_VALUE = 0x75; // u
export const TEXT_VALUE = 0x74; // t
export const BINARY_VALUE = 0x62; // b

/**
 * Where the values of one row are. Allocated once and refilled for every row. The value of column i is
 * `bytes.subarray(start[i], end[i])`; for null and unchanged values, start equals end.
 */
export interface TupleSlots {
  count: number;
  readonly kind: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
}

/** PostgreSQL's MaxHeapAttributeNumber, the most columns that a table can have. */
const MAX_COLUMNS = 1600;

/**
 * Creates slots for this many columns. A row with more columns is still read to its end, and `count` includes them all.
 */
export function tupleSlots(columns = MAX_COLUMNS): TupleSlots {
  return {
    count: 0,
    kind: new Uint8Array(columns),
    start: new Int32Array(columns),
    end: new Int32Array(columns),
  };
}

/**
 * Fills `slots` from the TupleData at offset `at` and returns the offset after it.
 * Throws GuardError("wal-invalid") if the tuple is too short or has an unknown tag, leaving `slots` partly filled.
 */
export function readTuple(bytes: Buffer, at: number, slots: TupleSlots): number {
  const { kind, start, end } = slots;
  const length = bytes.length;
  const count = readColumnCount(bytes, at);
  let next = at + 2;
  for (let i = 0; i < count; i++) {
    if (next >= length) throw shortTuple(bytes, next);
    const tag = bytes[next++];
    if (tag === TEXT_VALUE || tag === BINARY_VALUE) {
      if (next + 4 > length) throw shortTuple(bytes, next);
      const size = bytes.readInt32BE(next);
      next += 4;
      if (size < 0 || size > length - next) throw shortTuple(bytes, next);
      kind[i] = tag;
      start[i] = next;
      next += size;
    } else if (tag === NULL_VALUE || tag === UNCHANGED_VALUE) {
      kind[i] = tag;
      start[i] = next;
    } else {
      throw new GuardError("wal-invalid", `unknown tag ${tag} of column ${i + 1} at offset ${next - 1} of ${length}`);
    }
    end[i] = next;
  }
  slots.count = count;
  return next;
}

/** Returns the offset after the TupleData at `at` without recording its values. Throws as readTuple does. */
export function skipTuple(bytes: Buffer, at: number): number {
  const length = bytes.length;
  const count = readColumnCount(bytes, at);
  let next = at + 2;
  for (let i = 0; i < count; i++) {
    if (next >= length) throw shortTuple(bytes, next);
    const tag = bytes[next++];
    if (tag === NULL_VALUE || tag === UNCHANGED_VALUE) continue;
    if (tag !== TEXT_VALUE && tag !== BINARY_VALUE) {
      throw new GuardError("wal-invalid", `unknown tag ${tag} of column ${i + 1} at offset ${next - 1} of ${length}`);
    }
    if (next + 4 > length) throw shortTuple(bytes, next);
    const size = bytes.readInt32BE(next);
    next += 4;
    if (size < 0 || size > length - next) throw shortTuple(bytes, next);
    next += size;
  }
  return next;
}

/** Writes TupleData as pgoutput does: null as `n`, and everything else as text (strings in UTF-8). */
export function tupleFrom(values: readonly (Buffer | string | null)[]): Buffer {
  let size = 2;
  for (const value of values) size += value === null ? 1 : 5 + Buffer.byteLength(value);
  const tuple = Buffer.allocUnsafe(size);
  let at = tuple.writeUInt16BE(values.length, 0);
  for (const value of values) {
    at = tuple.writeUInt8(value === null ? NULL_VALUE : TEXT_VALUE, at);
    if (value === null) continue;
    at = tuple.writeInt32BE(Buffer.byteLength(value), at);
    at += typeof value === "string" ? tuple.write(value, at, "utf8") : value.copy(tuple, at);
  }
  return tuple;
}

function readColumnCount(bytes: Buffer, at: number): number {
  if (at < 0 || at + 2 > bytes.length) throw shortTuple(bytes, at);
  const count = bytes.readUInt16BE(at);
  if (count > MAX_COLUMNS) {
    throw new GuardError("wal-invalid", `a row of ${count} columns at offset ${at} of ${bytes.length}`);
  }
  return count;
}

function shortTuple(bytes: Buffer, at: number): GuardError {
  return new GuardError("wal-invalid", `a row is cut off at offset ${at} of ${bytes.length}`);
}
