import { BATCH_OVERHEAD, type OutRecord, recordBytes } from "../record.ts";
import { crc32c } from "./crc32c.ts";

/** Record batches of version 2 (KIP-98), each written once, into the buffer that goes to the socket. */

/** What a broker recognises a batch by. */
export interface BatchOrigin {
  readonly producerId: bigint;
  readonly epoch: number;
  /** The number of the batch's first record among all that this producer writes to the partition. */
  readonly sequence: number;
}

const VERSION = 2;
const TRANSACTIONAL = 16;
/** The batch's length counts what follows it, and the checksum covers what follows the checksum. */
const AFTER_LENGTH = 12;
const AFTER_CHECKSUM = 21;
/** A length of -1, as a zigzag varint. */
const NOTHING = 1;

/** One uncompressed batch of a transaction. `now`: the time of all its records, in milliseconds since the epoch. */
export function encodeBatch(records: readonly OutRecord[], origin: BatchOrigin, now: number): Buffer {
  let most = BATCH_OVERHEAD;
  for (const record of records) most += recordBytes(record);
  const bytes = Buffer.allocUnsafe(most);
  let end = BATCH_OVERHEAD;
  let index = 0;
  for (const record of records) end = putRecord(bytes, end, record, index++);
  const batch = bytes.subarray(0, end);
  putHeader(batch, records.length, origin, BigInt(now));
  return batch;
}

function putHeader(batch: Buffer, count: number, { producerId, epoch, sequence }: BatchOrigin, now: bigint): void {
  batch.writeBigInt64BE(0n, 0); // the first offset: the broker's
  batch.writeInt32BE(batch.length - AFTER_LENGTH, 8);
  batch.writeInt32BE(0, 12); // the leader's epoch: the broker's
  batch.writeInt8(VERSION, 16);
  batch.writeInt16BE(TRANSACTIONAL, 21);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(now, 27);
  batch.writeBigInt64BE(now, 35);
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(epoch, 51);
  batch.writeInt32BE(sequence, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch, AFTER_CHECKSUM), 17);
}

function putRecord(bytes: Buffer, start: number, { key, value, headers }: OutRecord, index: number): number {
  const named = headers === undefined ? [] : Object.entries(headers);
  let size = 2 + varintBytes(index) + fieldBytes(key) + fieldBytes(value) + varintBytes(named.length);
  for (const [name, header] of named) size += lengthBytes(Buffer.byteLength(name)) + fieldBytes(header);
  let at = putVarint(bytes, start, size);
  bytes[at++] = 0; // attributes
  bytes[at++] = 0; // the time since the batch's
  at = putVarint(bytes, at, index);
  at = putField(bytes, at, key);
  at = putField(bytes, at, value);
  at = putVarint(bytes, at, named.length);
  for (const [name, header] of named) {
    at = putField(bytes, at, Buffer.from(name));
    at = putField(bytes, at, header);
  }
  return at;
}

function putField(bytes: Buffer, start: number, field: Buffer | null): number {
  if (field === null) {
    bytes[start] = NOTHING;
    return start + 1;
  }
  const at = putVarint(bytes, start, field.length);
  bytes.set(field, at);
  return at + field.length;
}

function fieldBytes(field: Buffer | null): number {
  return field === null ? 1 : lengthBytes(field.length);
}

function lengthBytes(length: number): number {
  return varintBytes(length) + length;
}

/** For numbers that are not negative. A zigzag varint is twice the number, seven bits a byte. */
function putVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let left = value * 2;
  for (; left > 0x7f; left = Math.floor(left / 0x80)) bytes[at++] = (left & 0x7f) | 0x80;
  bytes[at++] = left;
  return at;
}

function varintBytes(value: number): number {
  if (value < 2 ** 6) return 1;
  if (value < 2 ** 13) return 2;
  if (value < 2 ** 20) return 3;
  return value < 2 ** 27 ? 4 : 5;
}
