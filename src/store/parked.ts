import { GuardError } from "../errors.ts";
import type { Attnum, ColumnType } from "../table/column.ts";
import { formatLsn, type Lsn, parseLsn } from "../wal/lsn.ts";
import type { Relation } from "../wal/message.ts";

/**
 * The records of a connector's parked topic: one per change, in the order of the log, until it is replayed. The value
 * is a line of JSON followed by pgoutput's message, without the values of withheld and excluded columns.
 */

/**
 * The properties shared by all changes that a Relation message describes: its columns by attnum, and their types at
 * that time.
 */
export interface ParkedLayout {
  /** In wire order. undefined if the column's values were removed. */
  readonly columns: readonly ({ readonly attnum: Attnum; readonly type: ColumnType } | undefined)[];
  readonly identity: Relation["identity"];
  /** Columns that the rows may have, and that could not be identified among theirs. */
  readonly unidentified: readonly Attnum[];
}

/** The position of a change in the log. */
export interface ParkedPlace {
  readonly lsn: Lsn;
  readonly xid: number;
  /** Microseconds since the epoch. */
  readonly commitTime: bigint;
  readonly lastCommitLsn: Lsn | undefined;
}

export interface ParkedChange extends ParkedPlace {
  readonly seq: number;
  readonly layout: string;
  /** The change's size in the log, in bytes. */
  readonly size: number;
  /** undefined if it was too large to be kept, or was not even read. */
  readonly message: Buffer | undefined;
}

const VERSION = 1;
const NEW_LINE = 0x0a;

/** Enough digits for keys to sort in the order of their numbers. */
const DIGITS = 12;

export function parkedKey(topic: string, id: string, seq: number): Buffer {
  return Buffer.from(`${topic}/${id}/${String(seq).padStart(DIGITS, "0")}`);
}

/** The id and the number in a key; undefined if the key is not one of ours. */
export function readParkedKey(key: Buffer): { readonly id: string; readonly seq: number } | undefined {
  const [seq, id] = key.toString("utf8").split("/").toReversed();
  if (seq === undefined || id === undefined || !/^\d+$/.test(seq)) return undefined;
  return { id, seq: Number(seq) };
}

/** The text of a layout. It is made once for all changes with that layout. */
export function layoutText({ columns, identity, unidentified }: ParkedLayout): string {
  const some = unidentified.length === 0 ? undefined : unidentified;
  return JSON.stringify({ identity, columns: columns.map((column) => column ?? null), unidentified: some });
}

export function readLayout(text: string): ParkedLayout {
  const {
    identity,
    columns,
    unidentified = [],
  } = JSON.parse(text) as {
    identity: Relation["identity"];
    columns: readonly ({ attnum: Attnum; type: ColumnType } | null)[];
    unidentified?: readonly Attnum[];
  }; // as layoutText writes it
  return { identity, columns: columns.map((column) => column ?? undefined), unidentified };
}

export function parkedValue({
  lsn,
  xid,
  commitTime,
  lastCommitLsn,
  size,
  layout,
  message,
}: Omit<ParkedChange, "seq">): Buffer {
  const last = lastCommitLsn === undefined ? undefined : formatLsn(lastCommitLsn);
  const place = { v: VERSION, lsn: formatLsn(lsn), xid, commitTime: String(commitTime), lastCommitLsn: last };
  const head = JSON.stringify({ ...place, size, kept: message !== undefined });
  return Buffer.concat([Buffer.from(`${head.slice(0, -1)},"layout":${layout}}\n`), message ?? Buffer.alloc(0)]);
}

/** @throws GuardError state-invalid for a record of a later version */
export function readParkedValue(seq: number, value: Buffer): ParkedChange {
  const end = value.indexOf(NEW_LINE);
  const head = JSON.parse(value.toString("utf8", 0, Math.max(0, end))) as Readonly<Record<string, unknown>>; // as parkedValue writes it
  if (head["v"] !== VERSION) {
    throw new GuardError("state-invalid", `a parked change has version ${String(head["v"])}, which is not known`, {
      next: "run a version of fieldgate that is not older than the one that wrote it",
    });
  }
  const last = head["lastCommitLsn"];
  return {
    seq,
    lsn: readLsn(head["lsn"]),
    xid: Number(head["xid"]),
    commitTime: BigInt(String(head["commitTime"])),
    lastCommitLsn: last === undefined ? undefined : readLsn(last),
    size: Number(head["size"]),
    layout: JSON.stringify(head["layout"]),
    message: head["kept"] === true ? value.subarray(end + 1) : undefined,
  };
}

function readLsn(text: unknown): Lsn {
  const parsed = parseLsn(String(text));
  if (parsed === undefined) throw new GuardError("state-invalid", "a parked change has no position in the log");
  return parsed;
}
