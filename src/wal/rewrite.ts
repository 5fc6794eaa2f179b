import type { RowChange } from "./message.ts";
import { NULL_VALUE, readTuple, TEXT_VALUE, tupleSlots, UNCHANGED_VALUE } from "./tuple.ts";

/**
 * Rewrites a row message of pgoutput: with null in a column, without some columns, or as another operation. The result
 * is a message as the server could have sent it, so whatever reads rows can read it.
 */

/** A change's rows, each as TupleData. */
export interface RowParts {
  readonly kind: RowChange["kind"];
  readonly relation: number;
  readonly old: { readonly kind: "key" | "full"; readonly tuple: Buffer } | undefined;
  readonly now: Buffer | undefined;
}

const TAGS = { insert: "I", update: "U", delete: "D" } as const;

/** The message that has these rows. */
export function rowMessage({ kind, relation, old, now }: RowParts): RowChange {
  const head = Buffer.alloc(5);
  head.write(TAGS[kind], 0, "latin1");
  head.writeUInt32BE(relation, 1);
  const before = old === undefined ? [] : [Buffer.from(old.kind === "key" ? "K" : "O"), old.tuple];
  const after = now === undefined ? [] : [Buffer.from("N"), now];
  const oldBytes = old === undefined ? 0 : 1 + old.tuple.length;
  return {
    kind,
    relation,
    bytes: Buffer.concat([head, ...before, ...after]),
    oldKind: old?.kind ?? "none",
    oldAt: old === undefined ? -1 : head.length + 1,
    newAt: now === undefined ? -1 : head.length + oldBytes + 1,
  };
}

export function rowParts({ kind, relation, bytes, oldKind, oldAt, newAt }: RowChange): RowParts {
  const old = oldKind === "none" || oldAt < 0 ? undefined : { kind: oldKind, tuple: tupleAt(bytes, oldAt) };
  return { kind, relation, old, now: newAt < 0 ? undefined : tupleAt(bytes, newAt) };
}

function tupleAt(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at, readTuple(bytes, at, tupleSlots()));
}

/** What a column of a rewritten tuple is: as it was, null, or no longer in it. */
export type Edit = "keep" | "null" | "cut";

/** The tuple with each column, by its place, as `edit` says. */
export function editTuple(tuple: Buffer, edit: (column: number) => Edit): Buffer {
  return tupleOfCells(
    cellsOf(tuple).flatMap((cell, column) => {
      const what = edit(column);
      if (what === "cut") return [];
      return [what === "null" ? Buffer.of(NULL_VALUE) : cell];
    }),
  );
}

/** The new row with its unchanged values, which are stored out of line, taken from the whole old row. */
export function filledFromOld(parts: RowParts): RowParts {
  const { old, now } = parts;
  if (old?.kind !== "full" || now === undefined) return parts;
  const before = cellsOf(old.tuple);
  const cells = cellsOf(now).map((cell, column) => (cell[0] === UNCHANGED_VALUE ? (before[column] ?? cell) : cell));
  return { ...parts, now: tupleOfCells(cells) };
}

/** Each column of the tuple: its tag, and its length and text if it has one. */
function cellsOf(tuple: Buffer): readonly Buffer[] {
  const slots = tupleSlots();
  readTuple(tuple, 0, slots);
  return Array.from({ length: slots.count }, (_, column) => {
    const from = (slots.start[column] ?? 0) - (slots.kind[column] === TEXT_VALUE ? 5 : 1);
    return tuple.subarray(from, slots.end[column]);
  });
}

function tupleOfCells(cells: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(cells.length);
  return Buffer.concat([head, ...cells]);
}

/** A column's text; null: it is null; undefined: it is unchanged and stored out of line, or not in the tuple. */
export function textIn(tuple: Buffer, column: number): string | null | undefined {
  const slots = tupleSlots();
  readTuple(tuple, 0, slots);
  const kind = column < 0 || column >= slots.count ? UNCHANGED_VALUE : slots.kind[column];
  if (kind === UNCHANGED_VALUE) return undefined;
  return kind === NULL_VALUE ? null : tuple.toString("utf8", slots.start[column], slots.end[column]);
}
