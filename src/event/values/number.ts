import type { AvroType } from "../types/avro-type.ts";
import {
  type Casts,
  type Encode,
  NO_PLACEHOLDER,
  NUMBERS_PLACEHOLDER,
  ORDINARY,
  plainDefaults,
  TEXT_ROOM,
  type TypeEntry,
  UNFIT,
  fixed,
} from "../types/entry.ts";
import { byteAt, writeBigLong, writeLong } from "../../avro/bytes.ts";
import { floatCasts, integerCasts } from "./cast-number.ts";

/** int2, int4, int8, oid, float4 and float8. */

const MINUS = 45;
const DOT = 46;
/** Every integer with at most this many decimal digits is exact in a Number. */
const EXACT_DIGITS = 15;

/** An integer with at most EXACT_DIGITS digits; NaN for anything else. */
function parseInteger(src: Buffer, s: number, e: number): number {
  const negative = byteAt(src, s) === MINUS;
  const from = negative ? s + 1 : s;
  if (from >= e || e - from > EXACT_DIGITS) return Number.NaN;
  let value = 0;
  for (let i = from; i < e; i++) {
    const digit = byteAt(src, i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** An integer of any length, and `5.00` from a column that became numeric; undefined for anything else. */
function parseBigInteger(src: Buffer, s: number, e: number): bigint | undefined {
  const match = /^(-?\d+)(?:\.0+)?$/.exec(src.toString("latin1", s, e));
  return match?.[1] === undefined ? undefined : BigInt(match[1]);
}

function encodeInteger(min: bigint, max: bigint): Encode {
  const low = Number(min);
  const high = Number(max);
  return (src, s, e, out, p) => {
    const value = parseInteger(src, s, e);
    if (value >= low && value <= high) return writeLong(out, p, value);
    const big = parseBigInteger(src, s, e);
    return big !== undefined && big >= min && big <= max ? writeBigLong(out, p, big) : UNFIT;
  };
}

const encodeInt16 = encodeInteger(-0x8000n, 0x7fffn);
const encodeInt32 = encodeInteger(-0x80000000n, 0x7fffffffn);
const encodeInt64 = encodeInteger(-0x8000000000000000n, 0x7fffffffffffffffn);

/** A number in PostgreSQL's format for floats: `-1.5e-07`, `NaN`, `Infinity`; undefined for anything else. */
function parseFloatText(src: Buffer, s: number, e: number): number | undefined {
  const text = src.toString("latin1", s, e);
  const value = Number(text);
  if (Number.isFinite(value)) return isPlain(src, s, e) ? value : undefined;
  return value === Infinity || value === -Infinity || text === "NaN" ? value : undefined;
}

/** True if the text has only digits, points, signs and `e`; Number would also accept blank and hexadecimal texts. */
function isPlain(src: Buffer, s: number, e: number): boolean {
  for (let i = s; i < e; i++) {
    const c = byteAt(src, i);
    if ((c < 48 || c > 57) && c !== DOT && c !== MINUS && c !== 43 && c !== 101) return false;
  }
  return e > s;
}

/** NaN is written with Java's canonical bits. */
export const encodeFloat32: Encode = (src, s, e, out, p) => {
  const value = parseFloatText(src, s, e);
  if (value === undefined) return UNFIT;
  const float = Math.fround(value);
  if (!Number.isFinite(float) && Number.isFinite(value)) return UNFIT;
  return Number.isNaN(float) ? out.writeUInt32LE(0x7fc00000, p) : out.writeFloatLE(float, p);
};

export const encodeFloat64: Encode = (src, s, e, out, p) => {
  const value = parseFloatText(src, s, e);
  if (value === undefined) return UNFIT;
  if (Number.isNaN(value)) return out.writeUInt32LE(0x7ff80000, out.writeUInt32LE(0, p));
  return out.writeDoubleLE(value, p);
};

function integerEntry(avro: AvroType, form: "int" | "long", encode: Encode, castFrom: Casts): TypeEntry {
  return {
    ...ORDINARY,
    avro: () => avro,
    forms: {
      [form]: { encode: () => encode, unchanged: NUMBERS_PLACEHOLDER, room: TEXT_ROOM, samples: "by-avro-type" },
    },
    adopts: { [form]: -1 },
    defaults: plainDefaults("0"),
    fallback: "0",
    castFrom,
  };
}

export const INT4: TypeEntry = integerEntry("int", "int", encodeInt32, integerCasts);
const { bool: _, ...withoutBool } = integerCasts; // PostgreSQL casts bool only to int4.
export const INT8: TypeEntry = integerEntry("long", "long", encodeInt64, withoutBool);
export const INT2: TypeEntry = {
  ...integerEntry({ type: "int", "connect.type": "int16" }, "int", encodeInt16, withoutBool),
  adopts: {}, // distinguished from int4 by connect.type
};
/** Debezium reads no default for an oid column. */
export const OID_NUMBER: TypeEntry = {
  ...INT8,
  forms: {
    long: {
      encode: () => encodeInt64,
      unchanged: NUMBERS_PLACEHOLDER,
      room: TEXT_ROOM,
      samples: fixed(1n, 0n, 2n ** 32n - 1n),
    },
  },
  adopts: {},
  defaults: "none",
};

function floatEntry(form: "float" | "double", encode: Encode, castFrom: Casts): TypeEntry {
  return {
    ...ORDINARY,
    avro: () => form,
    forms: { [form]: { encode: () => encode, unchanged: NO_PLACEHOLDER, room: TEXT_ROOM, samples: "by-avro-type" } },
    adopts: { [form]: -1 },
    defaults: plainDefaults("0"),
    fallback: "0",
    castFrom,
  };
}

export const FLOAT4: TypeEntry = floatEntry("float", encodeFloat32, floatCasts("float4"));
export const FLOAT8: TypeEntry = floatEntry("double", encodeFloat64, floatCasts("float8"));
