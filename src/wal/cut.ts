import type { RowChange } from "./message.ts";
import { BINARY_VALUE, NULL_VALUE, readTuple, TEXT_VALUE, type TupleSlots, tupleSlots } from "./tuple.ts";

/** The bytes of a row's message before its first tuple's tag: the message's own tag and the table's OID. */
const HEAD = 5;
/** The bytes of a value before its text: its tag and its length. */
const TEXT_HEAD = 5;

/**
 * A copy of a row's message without the values of columns that are not kept: they are null in it. `keep` is by the
 * column's place in the tuple.
 */
export function cutColumns(row: RowChange, keep: readonly boolean[]): Buffer {
  const { bytes, oldAt, newAt } = row;
  if (keep.every(Boolean)) return Buffer.from(bytes);
  const slots = tupleSlots(keep.length);
  const parts = [bytes.subarray(0, HEAD)];
  for (const at of [oldAt, newAt]) {
    // The tuple's own tag, K, O or N, comes before it.
    if (at >= 0) parts.push(bytes.subarray(at - 1, at), ...cutTuple(bytes, at, keep, slots));
  }
  return Buffer.concat(parts);
}

const CUT = Buffer.from([NULL_VALUE]);

function cutTuple(bytes: Buffer, at: number, keep: readonly boolean[], slots: TupleSlots): readonly Buffer[] {
  readTuple(bytes, at, slots);
  const parts = [bytes.subarray(at, at + 2)];
  for (let i = 0; i < slots.count; i++) {
    if (keep[i] !== true) {
      parts.push(CUT);
      continue;
    }
    const [kind, start = 0] = [slots.kind[i], slots.start[i]];
    const tag = kind === TEXT_VALUE || kind === BINARY_VALUE ? start - TEXT_HEAD : start - 1;
    parts.push(bytes.subarray(tag, slots.end[i]));
  }
  return parts;
}
