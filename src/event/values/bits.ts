import type { AvroType } from "../types/avro-type.ts";
import {
  casts,
  type Casts,
  type Encode,
  NO_PLACEHOLDER,
  ORDINARY,
  plainDefaults,
  type Rewrite,
  TEXT_ROOM,
  type TypeEntry,
  UNFIT,
  fixed,
  type Samples,
} from "../types/entry.ts";
import { baseOf } from "../types/modifier.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { byteAt, writeInt } from "../../avro/bytes.ts";
import type { ColumnType } from "../../table/column.ts";

/** bool, bit and varbit. A single bit is a boolean in events. */

const ZERO = 48;
const ONE = 49;

/** The text is `t` or `f`. */
const encodeBoolean: Encode = (src, s, e, out, p) => {
  const letter = byteAt(src, s);
  if (e - s !== 1 || (letter !== 116 && letter !== 102)) return UNFIT;
  out[p] = letter === 116 ? 1 : 0;
  return p + 1;
};

/** bit(1) and varbit(1): `0` or `1`; an empty varbit(1) is false. */
const encodeBit: Encode = (src, s, e, out, p) => {
  const digit = e === s ? ZERO : byteAt(src, s);
  if (e - s > 1 || (digit !== ZERO && digit !== ONE)) return UNFIT;
  out[p] = digit - ZERO;
  return p + 1;
};

/** io.debezium.data.Bits: the last bit becomes the lowest bit of the first byte, and high zero bytes are dropped. */
const encodeBits: Encode = (src, s, e, out, p) => {
  let first = s;
  while (first < e && byteAt(src, first) === ZERO) first++;
  const size = Math.ceil((e - first) / 8);
  p = writeInt(out, p, size);
  for (let end = e; end > first; end -= 8) {
    let byte = 0;
    for (let i = Math.max(first, end - 8); i < end; i++) {
      const digit = byteAt(src, i);
      if (digit !== ZERO && digit !== ONE) return UNFIT;
      byte = (byte << 1) | (digit - ZERO);
    }
    out[p++] = byte;
  }
  return p;
};

/** PostgreSQL's boolin: accepts any unambiguous prefix of the words. */
function boolFromText(text: string): string | undefined {
  const word = text.trim().toLowerCase();
  if (word === "") return undefined;
  if ("true".startsWith(word) || "yes".startsWith(word) || word === "on" || word === "1") return "t";
  const isFalse = "false".startsWith(word) || "no".startsWith(word) || word === "of" || word === "off" || word === "0";
  return isFalse ? "f" : undefined;
}

/** Accepts only 0 and 1. PostgreSQL casts other numbers to true as well, but they would come back as 1. */
const zeroOne: Rewrite = (text) => (text === "1" ? "t" : text === "0" ? "f" : undefined);

export const BOOL: TypeEntry = {
  ...ORDINARY,
  avro: () => "boolean",
  forms: {
    boolean: { encode: () => encodeBoolean, unchanged: NO_PLACEHOLDER, room: TEXT_ROOM, samples: "by-avro-type" },
  },
  adopts: { boolean: -1 },
  defaults: {
    onCall: "f",
    literal: (text) => text,
    bare: (text) => (/^\s*true\s*$/i.test(text) ? "t" : /^\s*false\s*$/i.test(text) ? "f" : undefined),
  },
  fallback: "f",
  toText: (text) => (text === "t" ? "true" : "false"),
  castFrom: casts({ text: boolFromText, int4: zeroOne, bit: zeroOne, varbit: zeroOne }),
};

const BITS = "io.debezium.data.Bits";

function bitsType(length: number): AvroType {
  return {
    type: "bytes",
    "connect.version": 1,
    "connect.parameters": { length: String(length) },
    "connect.name": BITS,
  };
}

/** bit(n) requires exactly n bits, varbit(n) at most n: truncating or padding would change the value. */
function bitCasts(isExact: boolean): Casts {
  const fits =
    (length: number): Rewrite =>
    (text) =>
      (isExact ? text.length === length : text.length <= length) ? text : undefined;
  return {
    bit: (to) => fits(bitLength(to)),
    varbit: (to) => fits(bitLength(to)),
    text: (to) => (text) => (/^[01]*$/.test(text) ? fits(bitLength(to))(text) : undefined),
    bool: (to) => (text) => (bitLength(to) !== 1 ? undefined : text === "t" ? "1" : "0"),
  };
}

export const BIT: TypeEntry = {
  ...ORDINARY,
  avro: (type) => (bitLength(type) === 1 ? "boolean" : bitsType(bitLength(type))),
  inArrays: "left-out",
  forms: {
    boolean: { encode: () => encodeBit, unchanged: NO_PLACEHOLDER, room: TEXT_ROOM, samples: "by-avro-type" },
    [BITS]: { encode: () => encodeBits, unchanged: NO_PLACEHOLDER, room: TEXT_ROOM, samples: bitSamples },
  },
  adopts: {},
  defaults: plainDefaults("0"),
  fallback: "0",
  castFrom: bitCasts(true),
};
export const VARBIT: TypeEntry = { ...BIT, adopts: { [BITS]: -1 }, castFrom: bitCasts(false) };

/** Samples with more bits than this would only be longer: plain `bit varying` allows 2^31. */
const MANY_BITS = 64;

/** Samples with the lowest bit in the first byte and without high zero bytes. */
function bitSamples(_: unknown, props: JsonObject): Samples {
  const parameters = props["connect.parameters"];
  const bits = Math.min((isObject(parameters) ? Number(parameters["length"]) : 0) || MANY_BITS, MANY_BITS);
  const ones = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  if (bits % 8 !== 0) ones[ones.length - 1] = 2 ** (bits % 8) - 1;
  return fixed(Buffer.from([1]), Buffer.alloc(0), ones);
}

/** The n of bit(n) and varbit(n); a plain varbit may have any number of bits. */
function bitLength(type: ColumnType): number {
  const { typmod } = baseOf(type);
  return typmod < 0 ? 0x7fffffff : typmod;
}
