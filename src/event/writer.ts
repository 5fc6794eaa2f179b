import { GuardError } from "../errors.ts";
import { formatLsn } from "../wal/lsn.ts";
import type { Relation, RowChange } from "../wal/message.ts";
import type { Attnum } from "../table/column.ts";
import type { SchemaId, Shape } from "../table/shape.ts";
import { copyBytes } from "./bytes.ts";
import { cellOf, type Cell } from "./cell.ts";
import { UNFIT } from "./encode.ts";
import { keyHeader } from "./header.ts";
import { reserve, slab, take, type Slab } from "./slab.ts";
import { sourceTail, type EventMark, type Origin } from "./source.ts";
import { NULL, readTuple, TEXT, tupleOf, UNCHANGED, type Tuple } from "./tuple.ts";

/** One record for the topic. `headers` only where a key changed. */
export interface EventRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer>> | undefined;
}

export interface WriterOptions {
  readonly shape: Shape;
  /** The Relation's columns in wire order; undefined: not identified, never published. */
  readonly columns: readonly (Attnum | undefined)[];
  readonly identity: Relation["identity"];
  readonly origin: Origin;
  readonly tombstones: boolean;
  /** Stands for an unchanged value stored out of line that is not in the log. */
  readonly placeholder?: string | undefined;
  /** Shared by the writers of a connector; its own when absent. */
  readonly slab?: Slab | undefined;
}

export interface EventWriter {
  /** c | u | d and tombstone | d, tombstone and c when the key changed. */
  change(row: RowChange, mark: EventMark): readonly EventRecord[];
  /** One row read by a chunk, op r; `tuple` holds pgoutput TupleData at `at`. */
  chunkRow(tuple: Buffer, at: number, mark: EventMark): EventRecord;
  /** Every key the change touches, old and new, as latin1 of the record's key bytes; empty without a key. */
  keysOf(row: RowChange): readonly string[];
  /** The same for a chunk's row; empty text without a key. */
  keyOfTuple(tuple: Buffer, at: number): string;
  /** A published field's value is not in the log: it was stored out of line and did not change. */
  hasUnchangedToast(row: RowChange): boolean;
}

const PLACEHOLDER = "__debezium_unavailable_value";
const FRAME = 5;

/** A row to write: its tuple, and where a value may be taken from that the tuple leaves out. */
interface RowSource {
  readonly tuple: Tuple;
  readonly other: Tuple | undefined;
  /** A null in a required field: refused, a column the key tuple does not hold, or one to take from `other`. */
  readonly nulls: "refuse" | "fallback" | "other";
}

/**
 * The writer of one (Relation, shape): from pgoutput's texts straight to framed Avro (0x00, schema id, body). A
 * column that is not a field of the shape has no cell here, so nothing can write it. Throws amendment-unsupported
 * at once for a field type it cannot write, and value-unfit by field and position for a value that does not fit.
 */
export function eventWriter(options: WriterOptions): EventWriter {
  const { shape, columns, tombstones } = options;
  const placeholder = options.placeholder ?? PLACEHOLDER;
  const cells = shape.fields.map((field) => cellOf(field, columns, placeholder));
  const keyCells = shape.key.map((field) => cellOf(field, columns, placeholder));
  const into = options.slab ?? slab();
  const tail = sourceTail(options.origin, shape.table.schema, shape.table.name);
  const valueFrame = frame(shape.valueSchema.id);
  const keyFrame = shape.keySchema === undefined ? undefined : frame(shape.keySchema.id);
  const rowRoom = roomOf(cells);
  const keyRoom = roomOf(keyCells);
  const current = tupleOf(columns.length);
  const previous = tupleOf(columns.length);

  const writeCells = (list: readonly Cell[], row: RowSource, p: number, mark: EventMark | undefined): number => {
    const out = into.buffer;
    const { bytes, kinds, starts, ends } = row.tuple;
    for (const cell of list) {
      const { column } = cell;
      if (column >= 0 && kinds[column] === TEXT) {
        if (cell.branch !== -1) out[p++] = cell.branch;
        // a column below the tuple's length has both offsets
        p = cell.encode(bytes, starts[column] as number, ends[column] as number, out, p); // see the line before
        if (p === UNFIT) throw unfit(shape, cell, mark, "a value its type cannot hold");
      } else p = writeOther(shape, cell, row, out, p, mark);
    }
    return p;
  };

  const keyOf = (row: RowSource, mark: EventMark | undefined): Buffer | null => {
    if (keyFrame === undefined) return null;
    reserve(into, FRAME + keyRoom(row));
    const p = copyBytes(keyFrame, 0, FRAME, into.buffer, into.at);
    return take(into, writeCells(keyCells, row, p, mark));
  };

  const valueOf = (
    before: RowSource | undefined,
    after: RowSource | undefined,
    mark: EventMark,
    op: "c" | "u" | "d" | "r",
  ): Buffer => {
    reserve(into, FRAME + 2 + rowRoom(before) + rowRoom(after) + tail.room(mark));
    let p = copyBytes(valueFrame, 0, FRAME, into.buffer, into.at);
    for (const row of [before, after]) {
      into.buffer[p++] = row === undefined ? 0 : 2;
      if (row !== undefined) p = writeCells(cells, row, p, mark);
    }
    return take(into, tail.write(into.buffer, p, mark, op));
  };

  const readNew = (row: RowChange, old: RowSource | undefined): RowSource => {
    readTuple(current, row.bytes, row.newAt);
    return { tuple: current, other: old?.tuple, nulls: "refuse" };
  };
  const readOld = (row: RowChange): RowSource | undefined => {
    if (row.oldKind === "none" || row.oldAt < 0) return undefined;
    readTuple(previous, row.bytes, row.oldAt);
    return { tuple: previous, other: undefined, nulls: row.oldKind === "key" ? "fallback" : "refuse" };
  };

  const deleted = (
    old: RowSource,
    key: Buffer | null,
    mark: EventMark,
    headers?: Record<string, Buffer>,
  ): EventRecord[] => {
    const event: EventRecord = { key, value: valueOf(old, undefined, mark, "d"), ...(headers && { headers }) };
    return tombstones ? [event, { key, value: null, ...(headers && { headers }) }] : [event];
  };

  const updated = (row: RowChange, mark: EventMark): readonly EventRecord[] => {
    const old = readOld(row);
    const now = readNew(row, old);
    const key = keyOf(now, mark);
    const oldKey = old === undefined ? key : keyOf(oldKeySource(old, now), mark);
    if (old === undefined || key === null || oldKey === null || oldKey.equals(key)) {
      return [{ key, value: valueOf(old, now, mark, "u") }];
    }
    return [
      ...deleted(old, oldKey, mark, { "__debezium.newkey": keyHeader(shape.key, key) }),
      {
        key,
        value: valueOf(undefined, now, mark, "c"),
        headers: { "__debezium.oldkey": keyHeader(shape.key, oldKey) },
      },
    ];
  };

  const removed = (row: RowChange, mark: EventMark): readonly EventRecord[] => {
    const old = readOld(row);
    if (old === undefined)
      throw new GuardError("wal-invalid", `a delete of ${tableOf(shape)} came without its old row`);
    return deleted(old, keyOf(oldKeySource(old, undefined), mark), mark);
  };

  return {
    change: (row, mark) => {
      if (row.kind === "update") return updated(row, mark);
      if (row.kind === "delete") return removed(row, mark);
      const now = readNew(row, undefined);
      return [{ key: keyOf(now, mark), value: valueOf(undefined, now, mark, "c") }];
    },
    chunkRow: (tuple, at, mark) => {
      readTuple(current, tuple, at);
      const row: RowSource = { tuple: current, other: undefined, nulls: "refuse" };
      return { key: keyOf(row, mark), value: valueOf(undefined, row, mark, "r") };
    },
    keysOf: (row) => {
      if (keyFrame === undefined) return [];
      const old = readOld(row);
      const now = row.newAt < 0 ? undefined : readNew(row, old);
      const sources = [old && oldKeySource(old, now), now].filter((source) => source !== undefined);
      return [...new Set(sources.map((source) => scratch(into, () => keyOf(source, undefined))))];
    },
    keyOfTuple: (tuple, at) => {
      if (keyFrame === undefined) return "";
      readTuple(current, tuple, at);
      return scratch(into, () => keyOf({ tuple: current, other: undefined, nulls: "refuse" }, undefined));
    },
    hasUnchangedToast: (row) => {
      if (row.newAt < 0) return false;
      const old = readOld(row);
      const { tuple } = readNew(row, old);
      return cells.some(({ column }) => tuple.kinds[column] === UNCHANGED && old?.tuple.kinds[column] !== TEXT);
    },
  };
}

/** A key column outside the replica identity is not in the old tuple: it is taken as it is now, or refused. */
function oldKeySource(old: RowSource, now: RowSource | undefined): RowSource {
  return { tuple: old.tuple, other: now?.tuple, nulls: now === undefined ? "refuse" : "other" };
}

/** Runs `write` and gives the slab back what it took: for a key that becomes text. */
function scratch(into: Slab, write: () => Buffer | null): string {
  const { buffer, at } = into;
  const text = (write() ?? Buffer.alloc(0)).toString("latin1");
  if (into.buffer === buffer) into.at = at;
  return text;
}

/** What is not a text in the tuple: null, not in the log, or unchanged and out of line. */
function writeOther(
  shape: Shape,
  cell: Cell,
  row: RowSource,
  out: Buffer,
  p: number,
  mark: EventMark | undefined,
): number {
  const kind = cell.column < 0 ? undefined : row.tuple.kinds[cell.column];
  const other = kind !== undefined && row.other?.kinds[cell.column] === TEXT ? row.other : undefined;
  if (other !== undefined && (kind === UNCHANGED || (row.nulls === "other" && cell.nothing === undefined))) {
    return writeFrom(shape, cell, other, out, p, mark);
  }
  const bytes = bytesFor(cell, kind, row.nulls === "fallback");
  if (bytes === undefined) throw unfit(shape, cell, mark, REASONS[kind ?? 0] ?? "");
  return copyBytes(bytes, 0, bytes.length, out, p);
}

const REASONS: Readonly<Record<number, string>> = {
  0: "a column that is gone, and the field is required without a default",
  [NULL]: "a null, and the field is required",
  [UNCHANGED]: "an unchanged value that is not in the log; set REPLICA IDENTITY FULL",
};

function bytesFor(cell: Cell, kind: number | undefined, fallback: boolean): Buffer | undefined {
  if (kind === UNCHANGED) return cell.toast;
  if (fallback) return cell.fallback;
  return kind === NULL ? cell.nothing : cell.absent;
}

function writeFrom(
  shape: Shape,
  cell: Cell,
  tuple: Tuple,
  out: Buffer,
  p: number,
  mark: EventMark | undefined,
): number {
  if (cell.branch !== -1) out[p++] = cell.branch;
  const end = cell.encode(tuple.bytes, tuple.starts[cell.column] ?? 0, tuple.ends[cell.column] ?? 0, out, p);
  if (end === UNFIT) throw unfit(shape, cell, mark, "a value its type cannot hold");
  return end;
}

/** The room a row may take: each column's bytes as often as fields are filled from it, and what cells add. */
function roomOf(cells: readonly Cell[]): (row: RowSource | undefined) => number {
  const growth = cells.reduce((sum, cell) => sum + cell.growth, 0);
  const uses = new Map<number, number>();
  for (const { column } of cells) uses.set(column, (uses.get(column) ?? 0) + 1);
  const times = Math.max(1, ...uses.values());
  return (row) => (row === undefined ? 0 : growth + times * (row.tuple.size + (row.other?.size ?? 0)));
}

function frame(id: SchemaId): Buffer {
  const bytes = Buffer.alloc(FRAME);
  bytes.writeInt32BE(id, 1);
  return bytes;
}

function tableOf(shape: Shape): string {
  return `${shape.table.schema}.${shape.table.name}`;
}

function unfit(shape: Shape, cell: Cell, mark: EventMark | undefined, what: string): GuardError {
  const at = mark === undefined ? "" : ` at ${formatLsn(mark.lsn)}`;
  return new GuardError("value-unfit", `${tableOf(shape)}.${cell.name}${at}: ${what}`, {
    next: "see what amendments of this field can do: fieldgate amendments",
  });
}
