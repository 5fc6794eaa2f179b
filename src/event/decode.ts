import { byteAt } from "./bytes.ts";
import { primitiveOf, type AvroType } from "./type.ts";

/** A primitive value as read back; int and long are bigint, bytes are a Buffer. */
export type Primitive = boolean | bigint | number | string | Buffer;

/** Reads one value of a field's type at `at`; only for what this folder wrote (a default, a changed key). */
export function decodeValue(
  avro: AvroType,
  bytes: Buffer,
  at: number,
): { readonly value: Primitive; readonly end: number } {
  switch (primitiveOf(avro)) {
    case "boolean":
      return { value: byteAt(bytes, at) === 1, end: at + 1 };
    case "float":
      return { value: shortestFloat(bytes.readFloatLE(at)), end: at + 4 };
    case "double":
      return { value: bytes.readDoubleLE(at), end: at + 8 };
    case "int":
    case "long":
      return readLong(bytes, at);
    default: {
      const size = readLong(bytes, at);
      const end = size.end + Number(size.value);
      const body = bytes.subarray(size.end, end);
      return { value: primitiveOf(avro) === "bytes" ? body : body.toString(), end };
    }
  }
}

function readLong(bytes: Buffer, at: number): { readonly value: bigint; readonly end: number } {
  let zigzag = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = byteAt(bytes, at++);
    zigzag |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value: (zigzag >> 1n) ^ -(zigzag & 1n), end: at };
  }
}

/** The Number with the fewest digits that is the same float, as Java's Float.toString prints it. */
function shortestFloat(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** Two's complement, big endian, as an integer. */
export function readUnscaled(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
}
