import { GuardError } from "../errors.ts";
import { byteAt } from "./bytes.ts";

/** Kinds of a column in pgoutput's TupleData; BINARY is never asked for. */
export const NULL = 110;
export const UNCHANGED = 117;
export const TEXT = 116;

/** Where each column of one TupleData is; reused from row to row. */
export interface Tuple {
  bytes: Buffer;
  /** Length of the whole TupleData in bytes; 0: none was read. */
  size: number;
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export function tupleOf(columns: number): Tuple {
  return {
    bytes: Buffer.alloc(0),
    size: 0,
    kinds: new Uint8Array(columns),
    starts: new Int32Array(columns),
    ends: new Int32Array(columns),
  };
}

/** Reads TupleData at `at` into `tuple`. Throws wal-invalid when it has other columns than the Relation said. */
export function readTuple(tuple: Tuple, bytes: Buffer, at: number): void {
  const { kinds, starts, ends } = tuple;
  const count = kinds.length;
  if (bytes.length < at + 2 || ((byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)) !== count) throw malformed();
  let o = at + 2;
  for (let i = 0; i < count; i++) {
    const kind = bytes[o++];
    if (kind === TEXT) {
      const start = o + 4;
      o =
        start +
        ((byteAt(bytes, o) << 24) | (byteAt(bytes, o + 1) << 16) | (byteAt(bytes, o + 2) << 8) | byteAt(bytes, o + 3));
      starts[i] = start;
      ends[i] = o;
    } else if (kind !== NULL && kind !== UNCHANGED) throw malformed();
    kinds[i] = kind;
  }
  if (o > bytes.length) throw malformed();
  tuple.bytes = bytes;
  tuple.size = o - at;
}

function malformed(): GuardError {
  return new GuardError("wal-invalid", "a row has other columns than its Relation message announced");
}
