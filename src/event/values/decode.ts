import type { AvroField } from "../../table/shape.ts";
import { byteAt } from "../../avro/bytes.ts";
import { shortestFloat } from "./number-text.ts";
import { type Json, isObject } from "../../json.ts";

/**
 * Reads back Avro values that the code in this folder wrote: a default as it would be in a row, and a changed key for
 * Debezium's headers. It keeps the order of maps, and the type of each member, which the headers need.
 */

/** int and long are bigint, bytes are a Buffer; a map or record has members. */
export type Value = null | boolean | bigint | number | string | Buffer | readonly Value[] | Members;
export interface Members {
  readonly members: readonly (readonly [name: string, type: Json, value: Value])[];
}

interface Read {
  readonly value: Value;
  readonly end: number;
}

/** Reads one value of a field's type at `at`. */
export function decodeValue(avro: Json, bytes: Buffer, at: number): Read {
  if (Array.isArray(avro)) return decodeValue(avro[byteAt(bytes, at) / 2] ?? null, bytes, at + 1);
  const object = isObject(avro) ? avro : undefined;
  switch (object?.["type"] ?? avro) {
    case "null":
      return { value: null, end: at };
    case "boolean":
      return { value: byteAt(bytes, at) === 1, end: at + 1 };
    case "float":
      return { value: shortestFloat(bytes.readFloatLE(at)), end: at + 4 };
    case "double":
      return { value: bytes.readDoubleLE(at), end: at + 8 };
    case "int":
    case "long":
      return readLong(bytes, at);
    case "bytes":
      return readSized(bytes, at);
    case "array":
      return readArray(object?.["items"] ?? null, bytes, at);
    case "map":
      return readMap(object?.["values"] ?? null, bytes, at);
    case "record":
      return readRecord(object?.["fields"] ?? null, bytes, at);
    default: {
      const { value, end } = readSized(bytes, at);
      return { value: value.toString(), end };
    }
  }
}

function readSized(bytes: Buffer, at: number): { readonly value: Buffer; readonly end: number } {
  const size = readLong(bytes, at);
  const end = size.end + Number(size.value);
  return { value: bytes.subarray(size.end, end), end };
}

/** Calls `readItem` for each item up to the empty block. Blocks are written without their size in bytes. */
function readBlocks(bytes: Buffer, at: number, readItem: (at: number) => number): number {
  let block = readLong(bytes, at);
  while (block.value > 0n) {
    let { end } = block;
    for (let left = block.value; left > 0n; left--) end = readItem(end);
    block = readLong(bytes, end);
  }
  return block.end;
}

function readArray(items: Json, bytes: Buffer, at: number): Read {
  const values: Value[] = [];
  const end = readBlocks(bytes, at, (start) => {
    const read = decodeValue(items, bytes, start);
    values.push(read.value);
    return read.end;
  });
  return { value: values, end };
}

function readMap(type: Json, bytes: Buffer, at: number): Read {
  const members: [string, Json, Value][] = [];
  const end = readBlocks(bytes, at, (start) => {
    const key = readSized(bytes, start);
    const read = decodeValue(type, bytes, key.end);
    members.push([key.value.toString(), type, read.value]);
    return read.end;
  });
  return { value: { members }, end };
}

function readRecord(fields: Json, bytes: Buffer, at: number): Read {
  const members: [string, Json, Value][] = [];
  for (const field of Array.isArray(fields) ? (fields as readonly AvroField[]) : []) {
    const read = decodeValue(field.type, bytes, at); // Avro fields: the schema is a valid record
    members.push([field.name, field.type, read.value]);
    at = read.end;
  }
  return { value: { members }, end: at };
}

function readLong(bytes: Buffer, at: number): { readonly value: bigint; readonly end: number } {
  let zigzag = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = byteAt(bytes, at++);
    zigzag |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value: (zigzag >> 1n) ^ -(zigzag & 1n), end: at };
  }
}

/** Reads a big-endian two's complement integer. */
export function readUnscaled(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
}
