import { writeInt, writeString } from "../../avro/bytes.ts";
import { semanticType } from "../types/avro-type.ts";
import { asIs, casts, type Encode, ORDINARY, type Room, type TypeEntry, UNFIT } from "../types/entry.ts";
import { javaHash, javaOrder } from "./java-order.ts";
import { JSON_NAME, JSON_SAMPLES } from "./text.ts";

type Pair = readonly [key: string, value: string | null];

/** One pair of `"key"=>"value", "other"=>NULL`, with \ before " and \. Nothing may follow the last pair. */
const PAIR = /"((?:[^"\\]|\\.)*)"=>(?:NULL|"((?:[^"\\]|\\.)*)")(?:, |$)/sy;

/** The pairs in Debezium's order; undefined if the text is not an hstore. */
function pairsOf(text: string): readonly Pair[] | undefined {
  const pairs: Pair[] = [];
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match?.[1] === undefined) return undefined;
    pairs.push([plain(match[1]), match[2] === undefined ? null : plain(match[2])]);
  }
  return javaOrder(pairs, ([key]) => javaHash(key));
}

function plain(quoted: string): string {
  return quoted.includes("\\") ? quoted.replaceAll(/\\(.)/gs, "$1") : quoted;
}

/** hstore.handling.mode=json: io.debezium.data.Json as Jackson prints it. */
const encodeHstoreJson: Encode = (src, s, e, out, p) => {
  const pairs = pairsOf(src.toString("utf8", s, e));
  if (pairs === undefined) return UNFIT;
  const text = pairs.map(([key, value]) => `${quote(key)}:${value === null ? "null" : quote(value)}`).join(",");
  return writeString(out, p, `{${text}}`);
};

/** Jackson prints the hexadecimal digits of a control character in upper case. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll(/\\u00[01][0-9a-f]/g, (code) => `\\u${code.slice(2).toUpperCase()}`);
}

/** hstore.handling.mode=map: an Avro map of `["null","string"]`. */
const encodeHstoreMap: Encode = (src, s, e, out, p) => {
  const pairs = pairsOf(src.toString("utf8", s, e));
  if (pairs === undefined) return UNFIT;
  if (pairs.length > 0) p = writeInt(out, p, pairs.length);
  for (const [key, value] of pairs) {
    p = writeString(out, p, key);
    out[p++] = value === null ? 0 : 2;
    if (value !== null) p = writeString(out, p, value);
  }
  out[p++] = 0;
  return p;
};

/** A control character takes six bytes in JSON. */
const ROOM: Room = { factor: 6, extra: 24 };

export const HSTORE: TypeEntry = {
  ...ORDINARY,
  avro: (_, modes) =>
    modes.hstore === "json" ? semanticType("string", JSON_NAME) : { type: "map", values: ["null", "string"] },
  forms: {
    [JSON_NAME]: {
      encode: () => encodeHstoreJson,
      unchanged: { value: (text) => JSON.stringify({ [text]: text }), items: (text) => [text] },
      room: ROOM,
      samples: JSON_SAMPLES,
    },
    map: {
      encode: () => encodeHstoreMap,
      unchanged: { value: (text) => ({ [text]: text }), items: (text) => [{ [text]: text }] },
      room: ROOM,
      samples: "by-avro-type",
    },
  },
  adopts: { map: -1 },
  defaults: "none",
  fallback: "",
  castFrom: casts({ text: asIs }),
};
