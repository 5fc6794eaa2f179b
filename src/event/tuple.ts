import { GuardError } from "../errors.ts";
import { BINARY_VALUE, readTuple as readSlots, tupleSlots, type TupleSlots } from "../wal/tuple.ts";

/** One row of a Relation; the object is reused from row to row. */
export interface Tuple {
  bytes: Buffer;
  /** Length of the whole TupleData in bytes; 0 until a row is read. */
  size: number;
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly slots: TupleSlots;
}

export function tupleOf(columns: number): Tuple {
  const slots = tupleSlots(columns);
  return { bytes: Buffer.alloc(0), size: 0, kinds: slots.kind, starts: slots.start, ends: slots.end, slots };
}

/** Reads TupleData at `at` into `tuple`. Throws wal-invalid if it does not match the Relation's columns. */
export function readTuple(tuple: Tuple, bytes: Buffer, at: number): void {
  const { slots, kinds } = tuple;
  const end = readSlots(bytes, at, slots);
  // Fieldgate never asks for binary values.
  if (slots.count !== kinds.length || kinds.includes(BINARY_VALUE)) {
    throw new GuardError("wal-invalid", "a row's columns do not match its Relation message");
  }
  tuple.bytes = bytes;
  tuple.size = end - at;
}
