import { GuardError } from "../errors.ts";
import type { Relation, RowChange } from "../wal/message.ts";
import { TEXT_VALUE, UNCHANGED_VALUE } from "../wal/tuple.ts";
import type { Attnum, ColumnType } from "../table/column.ts";
import type { SchemaId, Shape } from "../table/shape.ts";
import { copyBytes } from "../avro/bytes.ts";
import { cellOf, type CellContext } from "./cell.ts";
import { keyHeader } from "./envelope/header.ts";
import { DEFAULT_MODES, type ValueModes } from "./types/modes.ts";
import { rowBody, type RowSource } from "./row-body.ts";
import { reserve, slab, takeRecord, type Slab } from "./slab.ts";
import { sourceTail, type EventMark, type Op, type Origin } from "./envelope/source.ts";
import { readTuple, tupleOf } from "./tuple.ts";
import { fullName } from "../table/quote.ts";

/**
 * The row encoder turns the changes of one table into Kafka records: Debezium's envelope, key, tombstones and headers,
 * in Confluent's wire format. Each encoder serves one Relation message and one shape; a new one is made when either
 * changes.
 */

/** One record for the topic. It has `headers` only if the row's key changed. */
export interface EventRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer>> | undefined;
}

export interface RowEncoderOptions {
  readonly shape: Shape;
  /**
   * The Relation's columns in wire order; undefined for a column that has not been identified and so is never
   * published.
   */
  readonly columns: readonly (Attnum | undefined)[];
  readonly identity: Relation["identity"];
  readonly origin: Origin;
  readonly tombstones: boolean;
  /** The columns' types in the log, parallel to `columns`; undefined if it is the type for which the field was made. */
  readonly types?: readonly (ColumnType | undefined)[] | undefined;
  /** If absent, Debezium's defaults apply. */
  /** Columns that the rows may have, and that could not be identified among theirs. Absent if there are none. */
  readonly unidentified?: ReadonlySet<Attnum> | undefined;
  readonly modes?: ValueModes | undefined;
  /** Shared by the encoders of a connector. If absent, the encoder creates its own. */
  readonly slab?: Slab | undefined;
}

/** A label of an enum that its field does not list. */
export interface UnseenLabel {
  readonly attnum: Attnum;
  readonly label: string;
}

export interface RowEncoder {
  /**
   * Returns one event with op c or u, or an event with op d and a tombstone. If the key changed: d, tombstone and c.
   */
  change(row: RowChange, mark: EventMark): readonly EventRecord[];
  /** Returns an event with op r for a row read by a chunk; `tuple` has pgoutput TupleData at `at`. */
  chunkRow(tuple: Buffer, at: number, mark: EventMark): EventRecord;
  /** Returns an event with op t, which has neither key nor row. */
  truncate(mark: EventMark): EventRecord;
  /**
   * The old and the new key of the change, as the record's key bytes in latin1, without one that no event can have.
   * Empty if events have no key.
   */
  keysOf(row: RowChange): readonly string[];
  /** The key of a chunk's row, as in `keysOf`; an empty text if events have no key. */
  keyOfTuple(tuple: Buffer, at: number): string;
  /** True if a published field's value is missing from the log because it is stored out of line and did not change. */
  hasUnchangedToast(row: RowChange): boolean;
  /** The enum labels written since the last call that their fields do not list. */
  takeUnseenLabels(): readonly UnseenLabel[];
}

const FRAME = 5;
const NONE: ReadonlySet<Attnum> = new Set();

/**
 * Encodes straight from pgoutput's texts to framed Avro (0x00, schema id, body). A column that is not a field of the
 * shape has no cell here, so nothing can write it. Throws amendment-unsupported immediately for a field type it cannot
 * write. Its functions throw value-unfit, with field and position, for a value that does not fit.
 */
export function rowEncoder(options: RowEncoderOptions): RowEncoder {
  const { shape, columns, tombstones } = options;
  const unseen = new Map<string, UnseenLabel>();
  const context: CellContext = {
    columns,
    types: options.types ?? [],
    unidentified: options.unidentified ?? NONE,
    modes: options.modes ?? DEFAULT_MODES,
    unseen: (label, attnum) => void unseen.set(`${attnum} ${label}`, { attnum, label }),
  };
  const cells = shape.fields.map((field, index) => cellOf(field, context, isOld(shape.fields, index)));
  const keyCells = shape.key.map((field) => cellOf(field, context));
  const into = options.slab ?? slab();
  const table = fullName(shape.table);
  const rows = rowBody(table, cells, false);
  const keys = rowBody(table, keyCells, true);
  const tail = sourceTail(options.origin, shape.table.schema, shape.table.name);
  const valueFrame = frame(shape.valueSchema.id);
  const keyFrame = shape.keySchema === undefined ? undefined : frame(shape.keySchema.id);
  const current = tupleOf(columns.length);
  const previous = tupleOf(columns.length);

  const keyOf = (row: RowSource, mark: EventMark | undefined): Buffer | null => {
    if (keyFrame === undefined) return null;
    reserve(into, FRAME + keys.room(row));
    const p = copyBytes(keyFrame, 0, FRAME, into.buffer, into.at);
    return takeRecord(into, keys.write(row, into.buffer, p, mark));
  };

  const valueOf = (before: RowSource | undefined, after: RowSource | undefined, mark: EventMark, op: Op): Buffer => {
    const beforeRoom = before === undefined ? 0 : rows.room(before);
    const afterRoom = after === undefined ? 0 : rows.room(after);
    reserve(into, FRAME + 2 + beforeRoom + afterRoom + tail.room(mark));
    const out = into.buffer;
    let p = copyBytes(valueFrame, 0, FRAME, out, into.at);
    out[p++] = before === undefined ? 0 : 2;
    if (before !== undefined) p = rows.write(before, out, p, mark);
    out[p++] = after === undefined ? 0 : 2;
    if (after !== undefined) p = rows.write(after, out, p, mark);
    return takeRecord(into, tail.write(out, p, mark, op));
  };

  const readNew = (row: RowChange, old: RowSource | undefined): RowSource => {
    readTuple(current, row.bytes, row.newAt);
    return { part: "after", tuple: current, other: old?.tuple, nulls: "refuse" };
  };
  const readOld = (row: RowChange): RowSource | undefined => {
    if (row.oldKind === "none" || row.oldAt < 0) return undefined;
    readTuple(previous, row.bytes, row.oldAt);
    return { part: "before", tuple: previous, other: undefined, nulls: row.oldKind === "key" ? "fallback" : "refuse" };
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
    if (old === undefined) throw new GuardError("wal-invalid", `the log has a delete of ${table} without its old row`);
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
      const row: RowSource = { part: "after", tuple: current, other: undefined, nulls: "refuse" };
      return { key: keyOf(row, mark), value: valueOf(undefined, row, mark, "r") };
    },
    truncate: (mark) => ({ key: null, value: valueOf(undefined, undefined, mark, "t") }),
    keysOf: (row) => {
      if (keyFrame === undefined) return [];
      const old = readOld(row);
      const now = row.newAt < 0 ? undefined : readNew(row, old);
      const sources = [old && oldKeySource(old, now), now].filter((source) => source !== undefined);
      return [...new Set(sources.flatMap((source) => fittingKey(() => scratch(into, () => keyOf(source, undefined)))))];
    },
    keyOfTuple: (tuple, at) => {
      if (keyFrame === undefined) return "";
      readTuple(current, tuple, at);
      return scratch(into, () =>
        keyOf({ part: "after", tuple: current, other: undefined, nulls: "refuse" }, undefined),
      );
    },
    hasUnchangedToast: (row) => {
      if (row.newAt < 0) return false;
      const old = readOld(row);
      const { tuple } = readNew(row, old);
      return cells.some(
        ({ column }) => tuple.kinds[column] === UNCHANGED_VALUE && old?.tuple.kinds[column] !== TEXT_VALUE,
      );
    },
    takeUnseenLabels: () => {
      if (unseen.size === 0) return [];
      const taken = [...unseen.values()];
      unseen.clear();
      return taken;
    },
  };
}

/** True if a later field is filled from the same column, and was made for the type that the column has had since. */
function isOld(fields: Shape["fields"], index: number): boolean {
  return fields.slice(index + 1).some(({ attnum }) => attnum === fields[index]?.attnum);
}

/**
 * A key column outside the replica identity is missing from the old tuple. Its new value is used instead if there is
 * one.
 */
function oldKeySource(old: RowSource, now: RowSource | undefined): RowSource {
  return { part: "before", tuple: old.tuple, other: now?.tuple, nulls: now === undefined ? "refuse" : "other" };
}

function fittingKey(write: () => string): readonly string[] {
  try {
    return [write()];
  } catch (error) {
    if (error instanceof GuardError && error.code === "value-unfit") return [];
    throw error;
  }
}

/** Writes a key only to return it as text, then gives the slab its space back. */
function scratch(into: Slab, write: () => Buffer | null): string {
  const { buffer, at } = into;
  const text = (write() ?? Buffer.alloc(0)).toString("latin1");
  if (into.buffer === buffer) into.at = at;
  return text;
}

function frame(id: SchemaId): Buffer {
  const bytes = Buffer.alloc(FRAME);
  bytes.writeInt32BE(id, 1);
  return bytes;
}
