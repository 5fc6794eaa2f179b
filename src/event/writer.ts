import type { RowChange, Relation } from "../wal/message.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Attnum } from "../table/column.ts";
import type { Shape } from "../table/shape.ts";
import type { Slab } from "./slab.ts";

/** One record for the topic. `headers` only where a key changed. */
export interface EventRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer>> | undefined;
}

/** What every event of a connector says of its source; `name` is the topic prefix. */
export interface Origin {
  readonly version: string;
  readonly connector: string;
  readonly name: string;
  readonly db: string;
}

/** A transaction; one object per transaction, since its bytes are kept. Times are microseconds since the Unix epoch. */
export interface TxMark {
  readonly commitTime: bigint;
  readonly xid: number;
  /** The first part of `source.sequence`: the last commit before this transaction. */
  readonly lastCommitLsn: Lsn | undefined;
}

export type SnapshotMark =
  | "true"
  | "first"
  | "first_in_data_collection"
  | "last_in_data_collection"
  | "last"
  | "incremental";

/** Where a change stands, and the connector's clock (`now`, microseconds since the Unix epoch). */
export interface EventMark {
  readonly lsn: Lsn;
  readonly tx: TxMark;
  readonly now: bigint;
  /** Absent: a change from the log. */
  readonly snapshot?: SnapshotMark | undefined;
}

export interface WriterOptions {
  readonly shape: Shape;
  /** The Relation's columns in wire order; undefined: not identified, never published. */
  readonly columns: readonly (Attnum | undefined)[];
  readonly identity: Relation["identity"];
  readonly origin: Origin;
  readonly tombstones: boolean;
  /** Stands for an unchanged TOAST value that is not in the log. */
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

export function eventWriter(_options: WriterOptions): EventWriter {
  throw new Error("not yet");
}
