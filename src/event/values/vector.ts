import type { AvroType } from "../types/avro-type.ts";
import {
  type Encode,
  type FormSamples,
  NO_PLACEHOLDER,
  ORDINARY,
  type Room,
  type TypeEntry,
  UNFIT,
  fixed,
} from "../types/entry.ts";
import { writeInt, writeLong } from "../../avro/bytes.ts";
import { javaOrder } from "./java-order.ts";
import { encodeFloat32, encodeFloat64 } from "./number.ts";

/** pgvector's vector, halfvec and sparsevec. */

/** Writes pgvector's `[1,2.5]` as an array of required numbers. */
function encodeVector(element: Encode): Encode {
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

/** Writes pgvector's `{1:10,11:20}/1000` as io.debezium.data.SparseDoubleVector. */
const encodeSparseVector: Encode = (src, s, e, out, p) => {
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

/** AvroConverter turns a map whose keys are not strings into an array of entries. */
const SPARSE_TYPE: AvroType = {
  type: "record",
  name: "SparseDoubleVector",
  namespace: "io.debezium.data",
  fields: [
    { name: "dimensions", type: { type: "int", "connect.type": "int16" } },
    {
      name: "vector",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "MapEntry",
          namespace: "io.confluent.connect.avro",
          fields: [
            { name: "key", type: { type: "int", "connect.type": "int16" } },
            { name: "value", type: "double" },
          ],
        },
      },
    },
  ],
  "connect.doc": "Sparse double vector",
  "connect.version": 1,
  "connect.name": "io.debezium.data.SparseDoubleVector",
};

function vectorEntry(avro: AvroType, name: string, encode: Encode, room: Room, samples: FormSamples): TypeEntry {
  return {
    ...ORDINARY,
    avro: () => avro,
    inArrays: "left-out",
    forms: { [name]: { encode: () => encode, unchanged: NO_PLACEHOLDER, room, samples } },
    adopts: {},
    defaults: "none",
    fallback: "[0]",
    castFrom: {},
  };
}

function arrayOf(items: string, name: string): AvroType {
  return { type: "array", items, "connect.version": 1, "connect.name": name };
}

const DOUBLES = "io.debezium.data.DoubleVector";
const FLOATS = "io.debezium.data.FloatVector";
/** A number takes at most 8 bytes, and at least two in the text: a digit and a comma. */
const NUMBERS_ROOM: Room = { factor: 5, extra: 24 };

export const VECTOR: TypeEntry = vectorEntry(
  arrayOf("double", DOUBLES),
  DOUBLES,
  encodeVector(encodeFloat64),
  NUMBERS_ROOM,
  "by-avro-type",
);
export const HALFVEC: TypeEntry = vectorEntry(
  arrayOf("float", FLOATS),
  FLOATS,
  encodeVector(encodeFloat32),
  NUMBERS_ROOM,
  "by-avro-type",
);
export const SPARSEVEC: TypeEntry = {
  ...vectorEntry(
    SPARSE_TYPE,
    "io.debezium.data.SparseDoubleVector",
    encodeSparseVector,
    { factor: 8, extra: 192 },
    fixed({ dimensions: 3, vector: [{ key: 1, value: 0.5 }] }, { dimensions: 3, vector: [] }),
  ),
  fallback: "{}/0",
};
