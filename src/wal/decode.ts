import { GuardError } from "../errors.ts";
import { type Lsn, lsn } from "./lsn.ts";
import type {
  Begin,
  Commit,
  LogicalMessage,
  Other,
  Relation,
  RelationColumn,
  RowChange,
  Truncate,
  WalMessage,
} from "./message.ts";
import { skipTuple } from "./tuple.ts";

/**
 * Reads pgoutput's binary messages, one at a time and without state. Only the offsets of a row's tuples are found here.
 * `tuple.ts` reads the values in place, because there are millions of rows.
 */

/** Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01. */
const POSTGRES_EPOCH = 946_684_800_000_000n;

const IDENTITIES: Readonly<Record<string, Relation["identity"]>> = {
  d: "default",
  n: "nothing",
  f: "full",
  i: "index",
};

/**
 * Reads one pgoutput message, protocol version 1 without streaming
 * (postgresql.org/docs/current/protocol-logicalrep-message-formats.html). A row's values are not read here; `readTuple`
 * reads and checks them. Only the old row of an update is skipped here. Throws GuardError("wal-invalid") with the
 * message's tag, length and offset if it is too short, too long or unknown.
 */
export function decode(bytes: Buffer): WalMessage {
  const tag = bytes[0];
  switch (tag) {
    case 0x49: // I
      return insert(bytes);
    case 0x55: // U
      return update(bytes);
    case 0x44: // D
      return remove(bytes);
    case 0x42: // B
      return readWhole(begin, bytes);
    case 0x43: // C
      return readWhole(commit, bytes);
    case 0x52: // R
      return readWhole(relation, bytes);
    case 0x54: // T
      return readWhole(truncate, bytes);
    case 0x4d: // M
      return readWhole(logicalMessage, bytes);
    case 0x59: // Y
      return readWhole(type, bytes);
    case 0x4f: // O
      return readWhole(origin, bytes);
    default:
      throw new GuardError(
        "wal-invalid",
        tag === undefined
          ? "an empty message"
          : `unknown message tag 0x${tag.toString(16)} in a message of ${bytes.length} bytes`,
      );
  }
}

function insert(bytes: Buffer): RowChange {
  need(bytes, 1, 5);
  if (bytes[5] !== 0x4e) throw unexpected(bytes, 5);
  return { kind: "insert", relation: bytes.readUInt32BE(1), bytes, oldKind: "none", oldAt: -1, newAt: 6 };
}

function update(bytes: Buffer): RowChange {
  need(bytes, 1, 5);
  const oid = bytes.readUInt32BE(1);
  if (bytes[5] === 0x4e) return { kind: "update", relation: oid, bytes, oldKind: "none", oldAt: -1, newAt: 6 };
  const oldKind = readOldKind(bytes);
  const newTag = skipTuple(bytes, 6);
  need(bytes, newTag, 1);
  if (bytes[newTag] !== 0x4e) throw unexpected(bytes, newTag);
  return { kind: "update", relation: oid, bytes, oldKind, oldAt: 6, newAt: newTag + 1 };
}

function remove(bytes: Buffer): RowChange {
  need(bytes, 1, 5);
  const oldKind = readOldKind(bytes);
  return { kind: "delete", relation: bytes.readUInt32BE(1), bytes, oldKind, oldAt: 6, newAt: -1 };
}

function readOldKind(bytes: Buffer): "key" | "full" {
  const tag = bytes[5];
  if (tag === 0x4b) return "key"; // K
  if (tag === 0x4f) return "full"; // O
  throw unexpected(bytes, 5);
}

/** A place in a control message, where the next field starts. */
interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function readWhole<M>(read: (from: Cursor) => M, bytes: Buffer): M {
  const from: Cursor = { bytes, at: 1 };
  const message = read(from);
  if (from.at !== bytes.length) throw unexpected(bytes, from.at);
  return message;
}

function begin(from: Cursor): Begin {
  return { kind: "begin", finalLsn: readLsn(from), commitTime: readTime(from), xid: readUint32(from) };
}

function commit(from: Cursor): Commit {
  readByte(from); // flags, which PostgreSQL does not use yet
  return { kind: "commit", commitLsn: readLsn(from), endLsn: readLsn(from), commitTime: readTime(from) };
}

function relation(from: Cursor): Relation {
  const oid = readUint32(from);
  const schema = readText(from);
  const name = readText(from);
  const identityAt = from.at;
  const identity = IDENTITIES[String.fromCharCode(readByte(from))];
  if (identity === undefined) throw unexpected(from.bytes, identityAt);
  const columns: RelationColumn[] = [];
  for (let left = readUint16(from); left > 0; left--) columns.push(readColumn(from));
  // The protocol writes pg_catalog as an empty name.
  return { kind: "relation", oid, schema: schema === "" ? "pg_catalog" : schema, name, identity, columns };
}

function readColumn(from: Cursor): RelationColumn {
  const key = (readByte(from) & 1) === 1;
  return { name: readText(from), typeOid: readUint32(from), typmod: readInt32(from), key };
}

function truncate(from: Cursor): Truncate {
  const count = readUint32(from);
  readByte(from); // CASCADE and RESTART IDENTITY. Tables that CASCADE reaches are listed as well.
  const relations: number[] = [];
  for (let left = count; left > 0; left--) relations.push(readUint32(from));
  return { kind: "truncate", relations };
}

function logicalMessage(from: Cursor): LogicalMessage {
  const transactional = (readByte(from) & 1) === 1;
  const at = readLsn(from);
  const prefix = readText(from);
  const size = readUint32(from);
  return { kind: "message", transactional, lsn: at, prefix, content: readBytes(from, size) };
}

function type(from: Cursor): Other {
  readUint32(from);
  readText(from);
  readText(from);
  return { kind: "other", tag: "Y" };
}

function origin(from: Cursor): Other {
  readLsn(from);
  readText(from);
  return { kind: "other", tag: "O" };
}

function readByte(from: Cursor): number {
  return from.bytes.readUInt8(advance(from, 1));
}

function readUint16(from: Cursor): number {
  return from.bytes.readUInt16BE(advance(from, 2));
}

function readUint32(from: Cursor): number {
  return from.bytes.readUInt32BE(advance(from, 4));
}

function readInt32(from: Cursor): number {
  return from.bytes.readInt32BE(advance(from, 4));
}

function readLsn(from: Cursor): Lsn {
  return lsn(from.bytes.readBigUInt64BE(advance(from, 8)));
}

function readTime(from: Cursor): bigint {
  return from.bytes.readBigInt64BE(advance(from, 8)) + POSTGRES_EPOCH;
}

function readBytes(from: Cursor, size: number): Buffer {
  const at = advance(from, size);
  return from.bytes.subarray(at, at + size);
}

function readText(from: Cursor): string {
  const { bytes, at } = from;
  const end = bytes.indexOf(0, at);
  if (end === -1) throw short(bytes, at);
  from.at = end + 1;
  return bytes.toString("utf8", at, end);
}

/** Moves past `size` bytes and returns where they start. */
function advance(from: Cursor, size: number): number {
  need(from.bytes, from.at, size);
  const at = from.at;
  from.at = at + size;
  return at;
}

function need(bytes: Buffer, at: number, size: number): void {
  if (at + size > bytes.length) throw short(bytes, at);
}

function short(bytes: Buffer, at: number): GuardError {
  return new GuardError("wal-invalid", `${nameOf(bytes)} is cut off at offset ${at}`);
}

function unexpected(bytes: Buffer, at: number): GuardError {
  return new GuardError("wal-invalid", `${nameOf(bytes)} has an unexpected byte at offset ${at}`);
}

function nameOf(bytes: Buffer): string {
  return `message ${String.fromCharCode(bytes[0] ?? 0)} of ${bytes.length} bytes`;
}
