import type { Lsn } from "../../wal/lsn.ts";
import { copyBytes, writeBigLong, writeInt, writeString } from "../../avro/bytes.ts";

/**
 * Writes the part of an event that follows the row: source block, transaction, op and times. The bytes that all events
 * of a transaction share are prepared once and copied into each event.
 */

/** The parts of the source block that are the same in every event of a connector. `name` is the topic prefix. */
export interface Origin {
  readonly version: string;
  readonly connector: string;
  readonly name: string;
  readonly db: string;
}

/**
 * A transaction. There must be exactly one object per transaction, because the object identifies the prepared bytes.
 */
export interface TxMark {
  /** Microseconds since 1970. */
  readonly commitTime: bigint;
  readonly xid: number;
  /** The first part of `source.sequence`: the commit position of the previous transaction. */
  readonly lastCommitLsn: Lsn | undefined;
}

export type SnapshotMark =
  | "true"
  | "first"
  | "first_in_data_collection"
  | "last_in_data_collection"
  | "last"
  | "incremental";

/** A change's position, and the connector's clock (`now`, microseconds since 1970). */
export interface EventMark {
  readonly lsn: Lsn;
  readonly tx: TxMark;
  readonly now: bigint;
  /** Absent for a change from the log. */
  readonly snapshot?: SnapshotMark | undefined;
}

/** Create, update, delete, read (by a chunk), and truncate. */
export type Op = "c" | "u" | "d" | "r" | "t";

/** Writes the envelope's fields that follow `before` and `after`. */
export interface Tail {
  /** An upper bound for the bytes that `write` takes for this mark. */
  room(mark: EventMark): number;
  write(out: Buffer, p: number, mark: EventMark, op: Op): number;
}

const QUOTE = 34;
const CLOSE = 93;
const OPS = { c: 99, u: 117, d: 100, r: 114, t: 116 } as const;
/** Room for what each row adds: five numbers of at most 20 bytes, and a few single bytes. */
const ROW_ROOM = 128;

export function sourceTail(origin: Origin, schema: string, table: string): Tail {
  let tx: TxMark | undefined;
  let snapshot: SnapshotMark | undefined;
  let block: SourceBlock = { head: Buffer.alloc(0), sequence: Buffer.alloc(0), middle: Buffer.alloc(0) };
  let now: bigint | undefined;
  let clock: Buffer = Buffer.alloc(0);
  const prepare = (mark: EventMark): void => {
    if (mark.tx !== tx || mark.snapshot !== snapshot) {
      ({ tx, snapshot } = mark);
      block = sourceBlock(origin, schema, table, mark);
    }
    if (mark.now !== now) {
      ({ now } = mark);
      clock = clockBytes(mark.now);
    }
  };
  return {
    room: (mark) => {
      prepare(mark);
      return block.head.length + block.sequence.length + block.middle.length + clock.length + ROW_ROOM;
    },
    write: (out, p, mark, op) => {
      prepare(mark);
      const { head, sequence, middle } = block;
      const position = decimal(mark.lsn);
      p = copyBytes(head, 0, head.length, out, p);
      p = writeInt(out, p, sequence.length + position.length + 2);
      p = copyBytes(sequence, 0, sequence.length, out, p);
      for (let i = 0; i < position.length; i++) out[p++] = position.charCodeAt(i);
      out[p++] = QUOTE;
      out[p++] = CLOSE;
      p = copyBytes(middle, 0, middle.length, out, p);
      p = writeBigLong(out, p, mark.lsn);
      // xmin, origin, origin_lsn and the transaction block are null. `op` follows.
      for (let i = 0; i < 4; i++) out[p++] = 0;
      out[p++] = 2;
      out[p++] = OPS[op];
      return copyBytes(clock, 0, clock.length, out, p);
    },
  };
}

/**
 * A transaction's prepared bytes: everything before the text of `sequence`, the beginning of that text, and everything
 * from its end to `lsn`.
 */
interface SourceBlock {
  readonly head: Buffer;
  readonly sequence: Buffer;
  readonly middle: Buffer;
}

function sourceBlock(origin: Origin, schema: string, table: string, mark: EventMark): SourceBlock {
  const { commitTime, lastCommitLsn, xid } = mark.tx;
  const present = Buffer.from([2]);
  return {
    head: Buffer.concat([
      Buffer.concat([origin.version, origin.connector, origin.name].map(text)),
      long(commitTime / 1000n),
      Buffer.from([0]),
      text(mark.snapshot ?? "false"),
      text(origin.db),
      present,
    ]),
    sequence: Buffer.from(lastCommitLsn === undefined ? '[null,"' : `["${lastCommitLsn}","`),
    middle: Buffer.concat([
      Buffer.concat([present, long(commitTime), present, long(commitTime * 1000n)]),
      Buffer.concat([text(schema), text(table), present, long(BigInt(xid)), present]),
    ]),
  };
}

/** Printing a Number is several times faster than printing a bigint, and LSNs fit a Number up to 9 PB of log. */
function decimal(position: Lsn): string {
  return position <= Number.MAX_SAFE_INTEGER ? String(Number(position)) : String(position);
}

function clockBytes(now: bigint): Buffer {
  return Buffer.concat([now / 1000n, now, now * 1000n].flatMap((time) => [Buffer.from([2]), long(time)]));
}

function long(value: bigint): Buffer {
  const out = Buffer.alloc(10);
  return out.subarray(0, writeBigLong(out, 0, value));
}

function text(value: string): Buffer {
  const out = Buffer.alloc(Buffer.byteLength(value) + 5);
  return out.subarray(0, writeString(out, 0, value));
}
