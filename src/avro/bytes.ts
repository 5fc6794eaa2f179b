/**
 * Writes Avro's binary numbers (avro.apache.org/docs/current/specification, "Binary Encoding"). Every function writes
 * at `p` without checking for room, and returns the position after the last byte it wrote.
 */

/** The byte at `i`, which must be inside the array. */
export function byteAt(bytes: Uint8Array, i: number): number {
  return bytes[i] as number; // noUncheckedIndexedAccess: a check per byte would cost a tenth of the row
}

/** Writes a 32-bit integer. */
export function writeInt(out: Buffer, p: number, value: number): number {
  let z = ((value << 1) ^ (value >> 31)) >>> 0;
  while (z > 127) {
    out[p++] = (z & 127) | 128;
    z >>>= 7;
  }
  out[p++] = z;
  return p;
}

/** Writes a 64-bit integer within Number's safe range. */
export function writeLong(out: Buffer, p: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return writeInt(out, p, value);
  const magnitude = value < 0 ? -value - 1 : value;
  const low = magnitude % 0x100000000;
  let hi = (magnitude - low) / 0x100000000;
  hi = (hi << 1) | (low >>> 31);
  let lo = ((low << 1) | (value < 0 ? 1 : 0)) >>> 0;
  while (hi !== 0 || lo > 127) {
    out[p++] = (lo & 127) | 128;
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  out[p++] = lo;
  return p;
}

/** Writes any 64-bit integer. */
export function writeBigLong(out: Buffer, p: number, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return writeLong(out, p, number);
  let z = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  while (z > 127n) {
    out[p++] = Number(z & 127n) | 128;
    z >>= 7n;
  }
  out[p++] = Number(z);
  return p;
}

export function writeString(out: Buffer, p: number, text: string): number {
  const length = Buffer.byteLength(text);
  p = writeInt(out, p, length);
  return p + out.write(text, p);
}

/** Below this many bytes, a loop is faster than Buffer.copy. */
const SHORT = 40;

/** Copies the bytes `src[s..e)` unchanged. */
export function copyBytes(src: Buffer, s: number, e: number, out: Buffer, p: number): number {
  if (e - s >= SHORT) return p + src.copy(out, p, s, e);
  for (let i = s; i < e; i++) out[p++] = byteAt(src, i);
  return p;
}

/**
 * Writes the shortest big-endian two's complement form (java.math.BigInteger.toByteArray) as Avro bytes. `value` must
 * be a safe integer.
 */
export function writeUnscaled(out: Buffer, p: number, value: number): number {
  let size = 1;
  for (let limit = 128; value >= limit || value < -limit; limit *= 256) size++;
  p = writeInt(out, p, size);
  const hi = Math.floor(value / 0x100000000);
  const lo = value - hi * 0x100000000;
  for (let i = size - 1; i >= 0; i--) out[p++] = i >= 4 ? hi >> ((i - 4) * 8) : lo >>> (i * 8);
  return p;
}

/** Like `writeUnscaled`, for an integer of any size. */
export function writeBigUnscaled(out: Buffer, p: number, value: bigint): number {
  const hex = unscaledHex(value);
  p = writeInt(out, p, hex.length / 2);
  return p + out.write(hex, p, "hex");
}

/** The bytes that `writeBigUnscaled` writes, without their length. */
export function unscaledBytes(value: bigint): Buffer {
  return Buffer.from(unscaledHex(value), "hex");
}

function unscaledHex(value: bigint): string {
  const bits = (value < 0n ? ~value : value).toString(2).length + 1;
  const size = value === 0n || value === -1n ? 1 : Math.ceil(bits / 8);
  return BigInt.asUintN(size * 8, value)
    .toString(16)
    .padStart(size * 2, "0");
}
