import { copyBytes, writeInt, writeLong, writeString } from "./bytes.ts";
import { UNFIT, type Encode } from "./encode.ts";
import { javaHash, javaOrder } from "./java-order.ts";
import { encodeFloat64 } from "./number.ts";

const NUMBER = /-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity|inf)|nan/gi;

/** All coordinates of a geometric text in their order; undefined unless there are as many as `fits` says. */
function coordinates(
  src: Buffer,
  s: number,
  e: number,
  fits: (count: number) => boolean,
): readonly number[] | undefined {
  const numbers = (src.toString("latin1", s, e).match(NUMBER) ?? []).map(numberOf);
  return fits(numbers.length) ? numbers : undefined;
}

function numberOf(text: string): number {
  if (!/i|n/i.test(text)) return Number(text);
  return /nan/i.test(text) ? Number.NaN : text.startsWith("-") ? -Infinity : Infinity;
}

function writeDoubles(out: Buffer, p: number, values: readonly number[]): number {
  for (const value of values) p = out.writeDoubleLE(value, p);
  return p;
}

const WKB_POINT = 1;
const WKB_LINE = 2;
const WKB_POLYGON = 3;

/** OGC well-known binary, little endian; `counts` are those between the kind and the coordinates. */
function wkb(kind: number, counts: readonly number[], values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(5 + counts.length * 4 + values.length * 8);
  bytes[0] = 1;
  let p = bytes.writeInt32LE(kind, 1);
  for (const count of counts) p = bytes.writeInt32LE(count, p);
  writeDoubles(bytes, p, values);
  return bytes;
}

function writeBytes(out: Buffer, p: number, bytes: Buffer): number {
  return copyBytes(bytes, 0, bytes.length, out, writeInt(out, p, bytes.length));
}

/** x, y, the point as WKB, no srid. */
function writePoint(out: Buffer, p: number, values: readonly number[]): number {
  p = writeDoubles(out, p, values);
  out[p++] = 2;
  p = writeBytes(out, p, wkb(WKB_POINT, [], values));
  out[p++] = 0;
  return p;
}

/** io.debezium.data.geometry.Point of `(1,2)`. */
export const encodePoint: Encode = (src, s, e, out, p) => {
  const values = coordinates(src, s, e, (count) => count === 2);
  return values === undefined ? UNFIT : writePoint(out, p, values);
};

/** io.debezium.data.geometry.Circle of `<(1,2),3>`. */
export const encodeCircle: Encode = (src, s, e, out, p) => {
  const values = coordinates(src, s, e, (count) => count === 3);
  return values === undefined ? UNFIT : writeDoubles(out, writePoint(out, p, values.slice(0, 2)), values.slice(2));
};

/** io.debezium.data.geometry.Line of `{1,2,3}`. */
export const encodeLine: Encode = (src, s, e, out, p) => {
  const values = coordinates(src, s, e, (count) => count === 3);
  return values === undefined ? UNFIT : writeDoubles(out, p, values);
};

export type Shape = "box" | "lseg" | "path" | "polygon";

/** io.debezium.data.geometry.Geometry of a shape, whose own type stands in `extensions`. */
export function encodeShape(shape: Shape): Encode {
  return (src, s, e, out, p) => {
    const isPair = shape === "box" || shape === "lseg";
    const values = coordinates(src, s, e, (count) => (isPair ? count === 4 : count >= 2 && count % 2 === 0));
    if (values === undefined) return UNFIT;
    p = writeBytes(out, p, shapeWkb(shape, values));
    out[p++] = 0;
    out[p++] = 2;
    const extensions: (readonly [string, string])[] = [["type", shape]];
    if (shape === "path") extensions.push(["closed", String(src[s] === LEFT_PARENTHESIS)]);
    p = writeInt(out, p, extensions.length);
    for (const [key, value] of javaOrder(extensions, ([name]) => javaHash(name))) {
      p = writeString(out, writeString(out, p, key), value);
    }
    out[p++] = 0;
    return p;
  };
}

const LEFT_PARENTHESIS = 40;

function shapeWkb(shape: Shape, values: readonly number[]): Buffer {
  if (shape === "lseg" || shape === "path") return wkb(WKB_LINE, [values.length / 2], values);
  const ring = shape === "box" ? boxRing(values) : closed(values);
  return wkb(WKB_POLYGON, [1, ring.length / 2], ring);
}

function boxRing(values: readonly number[]): readonly number[] {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = values;
  return [x1, y1, x1, y2, x2, y2, x2, y1, x1, y1];
}

function closed(values: readonly number[]): readonly number[] {
  const isClosed = values.length < 4 || (values[0] === values.at(-2) && values[1] === values.at(-1));
  return isClosed ? values : [...values, ...values.slice(0, 2)];
}

const SRID_FLAG = 0x20000000;

/** PostGIS: the EWKB whose hexadecimal digits are the text, with its srid; `extensions`: the record has that field. */
export function encodeEwkb(extensions: boolean): Encode {
  return (src, s, e, out, p) => {
    const bytes = Buffer.from(src.toString("latin1", s, e), "hex");
    if (bytes.length < 9 || bytes.length * 2 !== e - s) return UNFIT;
    const isLittle = bytes[0] !== 0;
    const kind = isLittle ? bytes.readUInt32LE(1) : bytes.readUInt32BE(1);
    p = writeBytes(out, p, bytes);
    const hasSrid = Math.floor(kind / SRID_FLAG) % 2 === 1;
    out[p++] = hasSrid ? 2 : 0;
    if (hasSrid) p = writeLong(out, p, isLittle ? bytes.readInt32LE(5) : bytes.readInt32BE(5));
    if (extensions) out[p++] = 0;
    return p;
  };
}

/** pgvector's `[1,2.5]` as an array of required numbers. */
export function encodeVector(element: Encode): Encode {
  return (src, s, e, out, p) => {
    const text = src.toString("latin1", s, e).trim();
    if (!text.startsWith("[") || !text.endsWith("]")) return UNFIT;
    const values = text.slice(1, -1).split(",");
    p = writeInt(out, p, values.length);
    for (const value of values) {
      const bytes = Buffer.from(value.trim());
      p = element(bytes, 0, bytes.length, out, p);
      if (p === UNFIT) return UNFIT;
    }
    out[p++] = 0;
    return p;
  };
}

const SPARSE = /^\s*\{\s*(.*?)\s*\}\s*\/\s*(\d+)\s*$/s;

/** pgvector's `{1:10,11:20}/1000` as io.debezium.data.SparseDoubleVector. */
export const encodeSparseVector: Encode = (src, s, e, out, p) => {
  const match = SPARSE.exec(src.toString("latin1", s, e));
  if (match?.[1] === undefined || Number(match[2]) > 0x7fff) return UNFIT;
  const entries = match[1] === "" ? [] : match[1].split(",").map((entry) => /^\s*(\d+)\s*:\s*(\S+)\s*$/.exec(entry));
  p = writeLong(out, p, Number(match[2]));
  if (entries.length > 0) p = writeInt(out, p, entries.length);
  for (const entry of javaOrder(entries, (one) => Number(one?.[1]), entries.length)) {
    if (entry?.[1] === undefined || entry[2] === undefined || Number(entry[1]) > 0x7fff) return UNFIT;
    const value = Buffer.from(entry[2]);
    p = encodeFloat64(value, 0, value.length, out, writeLong(out, p, Number(entry[1])));
    if (p === UNFIT) return UNFIT;
  }
  out[p++] = 0;
  return p;
};
