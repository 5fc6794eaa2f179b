import { byteAt, writeInt } from "../../avro/bytes.ts";
import { itemsOf } from "../types/avro-type.ts";
import {
  asIs,
  casts,
  type Encode,
  NO_PLACEHOLDER,
  ORDINARY,
  TEXT_ROOM,
  type TypeEntry,
  UNFIT,
} from "../types/entry.ts";
import { elementOf } from "../types/modifier.ts";
import type { ColumnType } from "../../table/column.ts";

/** Arrays: this file reads PostgreSQL's array text; the element type's encoder writes the elements. */

const QUOTE = 34;
const COMMA = 44;
const EQUALS = 61;
const LEFT_BRACKET = 91;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

/**
 * Writes a one-dimensional array's text (`{1,NULL,"a\"b"}`, `[0:1]={1,2}`) as an Avro array. A null is UNFIT unless
 * `optional`. An array with more dimensions is UNFIT, because Debezium's schema cannot describe it.
 */
export function encodeArray(element: Encode, optional: boolean): Encode {
  let scratch = Buffer.alloc(256);
  return (src, s, e, out, p) => {
    const from = bodyStart(src, s, e);
    const count = from < 0 ? -1 : countElements(src, from, e);
    if (count < 0) return UNFIT;
    if (count > 0) p = writeInt(out, p, count);
    for (let i = from; i < e - 1; i++) {
      let end = i;
      if (byteAt(src, i) === QUOTE) {
        if (scratch.length < e - i) scratch = Buffer.alloc((e - i) * 2);
        end = closingQuote(src, i + 1);
        const size = unescape(src, i + 1, end, scratch);
        if (optional) out[p++] = 2;
        p = element(scratch, 0, size, out, p);
        end++;
      } else {
        while (byteAt(src, end) !== COMMA && byteAt(src, end) !== CLOSE) end++;
        const isNull = isNullWord(src, i, end);
        if (isNull && !optional) return UNFIT;
        if (optional) out[p++] = isNull ? 0 : 2;
        if (!isNull) p = element(src, i, end, out, p);
      }
      if (p === UNFIT) return UNFIT;
      i = end;
    }
    out[p++] = 0;
    return p;
  };
}

/** The position after the opening brace, which may follow explicit bounds; -1 if the text is not an array. */
function bodyStart(src: Buffer, s: number, e: number): number {
  let at = s;
  if (at < e && byteAt(src, at) === LEFT_BRACKET) {
    while (at < e && byteAt(src, at) !== EQUALS) at++;
    at++;
  }
  return e - at >= 2 && byteAt(src, at) === OPEN && byteAt(src, e - 1) === CLOSE ? at + 1 : -1;
}

/** Counts the elements; -1 for an array with more than one dimension, or if the text ends within quotes. */
function countElements(src: Buffer, from: number, e: number): number {
  if (from === e - 1) return 0;
  let count = 1;
  for (let i = from; i < e - 1; i++) {
    const c = byteAt(src, i);
    if (c === COMMA) count++;
    else if (c === OPEN || c === CLOSE || c === BACKSLASH) return -1;
    else if (c === QUOTE) {
      i = closingQuote(src, i + 1);
      if (i >= e - 1) return -1;
    }
  }
  return count;
}

function closingQuote(src: Buffer, from: number): number {
  let i = from;
  while (i < src.length && byteAt(src, i) !== QUOTE) i += byteAt(src, i) === BACKSLASH ? 2 : 1;
  return i;
}

function unescape(src: Buffer, s: number, e: number, into: Buffer): number {
  let size = 0;
  for (let i = s; i < e; i++) {
    if (byteAt(src, i) === BACKSLASH) i++;
    into[size++] = byteAt(src, i);
  }
  return size;
}

function isNullWord(src: Buffer, s: number, e: number): boolean {
  return (
    e - s === 4 &&
    byteAt(src, s) === 78 &&
    byteAt(src, s + 1) === 85 &&
    byteAt(src, s + 2) === 76 &&
    byteAt(src, s + 3) === 76
  );
}

/** The element type; Debezium treats a domain as an unknown type. */
export function elementType(type: ColumnType): ColumnType | undefined {
  const element = elementOf(type);
  return element?.detail?.kind === "domain" ? { oid: 0, typmod: -1 } : element;
}

export const ARRAY: TypeEntry = {
  ...ORDINARY,
  avro: (type, modes, entryOf) => {
    const element = elementType(type);
    const entry = element && entryOf(element);
    if (element === undefined || entry === undefined || entry.inArrays === "left-out") return undefined;
    const items = entry.avro(element, modes, entryOf);
    if (items === undefined) return undefined;
    return { type: "array", items: entry.inArrays === "required" ? items : ["null", items] };
  },
  inArrays: "left-out",
  forms: {
    array: {
      encode: (avro, type, { elementEncoder }) => {
        const items = itemsOf(avro);
        const element = elementType(type);
        const encode = items && element && elementEncoder(items.type, element);
        return encode && encodeArray(encode, items.optional);
      },
      unchanged: NO_PLACEHOLDER, // depends on the elements: see unavailableValue
      room: TEXT_ROOM, // likewise: see roomOf
      samples: "by-avro-type",
    },
  },
  adopts: {},
  defaults: "none",
  fallback: "{}",
  castFrom: casts({ text: asIs }),
};
