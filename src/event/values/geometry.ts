import { copyBytes, writeInt, writeLong, writeString } from "../../avro/bytes.ts";
import type { AvroType } from "../types/avro-type.ts";
import {
  type Encode,
  type Form,
  type FormSamples,
  NO_PLACEHOLDER,
  ORDINARY,
  type Room,
  type TypeEntry,
  UNFIT,
} from "../types/entry.ts";
import type { Json } from "../../json.ts";
import { javaHash, javaOrder } from "./java-order.ts";

/**
 * Writes PostgreSQL's and PostGIS's geometric types as Debezium's records of io.debezium.data.geometry: coordinates,
 * and OGC well-known binary (WKB).
 */

const NUMBER = /-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity|inf)|nan/gi;

/** All coordinates of a geometric text, in order; undefined if `fits` rejects the number of coordinates. */
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

/** Little-endian WKB; `counts` are written between the geometry kind and the coordinates. */
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

/** Writes x, y, the point as WKB, and a null srid. */
function writePoint(out: Buffer, p: number, values: readonly number[]): number {
  p = writeDoubles(out, p, values);
  out[p++] = 2;
  p = writeBytes(out, p, wkb(WKB_POINT, [], values));
  out[p++] = 0;
  return p;
}

/** Writes `(1,2)` as io.debezium.data.geometry.Point. */
const encodePoint: Encode = (src, s, e, out, p) => {
  const values = coordinates(src, s, e, (count) => count === 2);
  return values === undefined ? UNFIT : writePoint(out, p, values);
};

/** Writes `<(1,2),3>` as io.debezium.data.geometry.Circle. */
const encodeCircle: Encode = (src, s, e, out, p) => {
  const values = coordinates(src, s, e, (count) => count === 3);
  return values === undefined ? UNFIT : writeDoubles(out, writePoint(out, p, values.slice(0, 2)), values.slice(2));
};

/** Writes `{1,2,3}` as io.debezium.data.geometry.Line. */
const encodeLine: Encode = (src, s, e, out, p) => {
  const values = coordinates(src, s, e, (count) => count === 3);
  return values === undefined ? UNFIT : writeDoubles(out, p, values);
};

type Shape = "box" | "lseg" | "path" | "polygon";

/** Writes a shape as io.debezium.data.geometry.Geometry; its field `extensions` names the shape's type. */
function encodeShape(shape: Shape): Encode {
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

/**
 * Writes a PostGIS value, whose text is EWKB in hexadecimal digits, with its srid. `extensions`: whether the record has
 * that field.
 */
function encodeEwkb(extensions: boolean): Encode {
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

const SPACE = "io.debezium.data.geometry";
const SRID = { name: "srid", type: ["null", "int"], default: null } as const;
const POINT_FIELDS = [
  { name: "x", type: "double" },
  { name: "y", type: "double" },
  { name: "wkb", type: ["null", "bytes"], default: null },
  SRID,
] as const;

function connect(name: string, doc: string, version: number): { readonly [key: string]: string | number } {
  return { "connect.doc": doc, "connect.version": version, "connect.name": `${SPACE}.${name}` };
}

const POINT_TYPE: AvroType = {
  type: "record",
  name: "Point",
  namespace: SPACE,
  fields: POINT_FIELDS,
  ...connect("Point", "Geometry (POINT)", 1),
};

const CIRCLE_TYPE: AvroType = {
  type: "record",
  name: "Circle",
  namespace: SPACE,
  fields: [
    {
      name: "center",
      type: { type: "record", name: "Point", fields: POINT_FIELDS, ...connect("Point", "Geometry (POINT)", 1) },
    },
    { name: "radius", type: "double" },
  ],
  ...connect("Circle", "Geometry (CIRCLE)", 1),
};

const LINE_TYPE: AvroType = {
  type: "record",
  name: "Line",
  namespace: SPACE,
  fields: [
    { name: "a", type: "double" },
    { name: "b", type: "double" },
    { name: "c", type: "double" },
  ],
  ...connect("Line", "Geometry (LINE)", 1),
};

const GEOMETRY_TYPE: AvroType = {
  type: "record",
  name: "Geometry",
  namespace: SPACE,
  fields: [
    { name: "wkb", type: "bytes" },
    SRID,
    { name: "extensions", type: ["null", { type: "map", values: "string" }], default: null },
  ],
  ...connect("Geometry", "Geometry", 2),
};

const GEOGRAPHY_TYPE: AvroType = {
  type: "record",
  name: "Geography",
  namespace: SPACE,
  fields: [{ name: "wkb", type: "bytes" }, SRID],
  ...connect("Geography", "Geography", 1),
};

/** Well-known binary is longer than the text: a point like `(0,0)` takes 16 bytes and a header. */
const ROOM: Room = { factor: 8, extra: 192 };
/** POINT(1 2), little-endian. */
const SAMPLES: FormSamples = { members: { wkb: Buffer.from("0101000000000000000000f03f0000000000000040", "hex") } };

function geometric(avro: AvroType, name: string, encode: Form["encode"], fallback: string): TypeEntry {
  return {
    ...ORDINARY,
    avro: () => avro,
    isAlwaysOptional: name !== "Point",
    inArrays: "left-out",
    forms: { [`${SPACE}.${name}`]: { encode, unchanged: NO_PLACEHOLDER, room: ROOM, samples: SAMPLES } },
    adopts: {},
    defaults: "none",
    fallback,
    castFrom: {},
  };
}

export const POINT = geometric(POINT_TYPE, "Point", () => encodePoint, "(0,0)");
export const CIRCLE = geometric(CIRCLE_TYPE, "Circle", () => encodeCircle, "<(0,0),0>");
export const LINE = geometric(LINE_TYPE, "Line", () => encodeLine, "{0,1,0}");
export const BOX = geometric(GEOMETRY_TYPE, "Geometry", () => encodeShape("box"), "(0,0),(1,1)");
export const LSEG = geometric(GEOMETRY_TYPE, "Geometry", () => encodeShape("lseg"), "[(0,0),(1,0)]");
export const PATH = geometric(GEOMETRY_TYPE, "Geometry", () => encodeShape("path"), "[(0,0),(1,0)]");
export const POLYGON = geometric(GEOMETRY_TYPE, "Geometry", () => encodeShape("polygon"), "((0,0),(1,0),(0,1))");

/** True if the record has the field `extensions`, which Debezium's Geometry has had since 3.7. */
function hasExtensions(avro: AvroType): boolean {
  const fields = typeof avro === "object" && Array.isArray(avro["fields"]) ? avro["fields"] : [];
  return fields.some((field: Json) => JSON.stringify(field).startsWith('{"name":"extensions"'));
}

/** An empty GEOMETRYCOLLECTION in WKB. */
const EMPTY_COLLECTION = "010700000000000000";

export const GEOMETRY: TypeEntry = {
  ...geometric(GEOMETRY_TYPE, "Geometry", (avro) => encodeEwkb(hasExtensions(avro)), EMPTY_COLLECTION),
  inArrays: "optional",
};
export const GEOGRAPHY: TypeEntry = {
  ...geometric(GEOGRAPHY_TYPE, "Geography", (avro) => encodeEwkb(hasExtensions(avro)), EMPTY_COLLECTION),
  inArrays: "optional",
};
