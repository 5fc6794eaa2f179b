import type { AvroType } from "../types/avro-type.ts";
import {
  BYTES_PLACEHOLDER,
  casts,
  type Encode,
  UNFIT,
  ORDINARY,
  type Rewrite,
  TEXT_PLACEHOLDER,
  TEXT_ROOM,
  type TypeEntry,
  fixed,
} from "../types/entry.ts";
import type { ValueModes } from "../types/modes.ts";
import { byteAt, writeInt, writeString } from "../../avro/bytes.ts";
import { encodeText } from "./text.ts";

/**
 * bytea, and types that Fieldgate does not know. With include.unknown.datatypes, the texts of the latter are published
 * as bytes.
 */

/** True if a text starts like bytea's (`\x`) and has whole bytes (bytea_output=hex). */
function isHex(src: Buffer, s: number, e: number): boolean {
  return e - s >= 2 && (e - s) % 2 === 0 && byteAt(src, s) === 92 && byteAt(src, s + 1) === 120;
}

const encodeHex: Encode = (src, s, e, out, p) => {
  if (!isHex(src, s, e)) return UNFIT;
  const size = (e - s - 2) / 2;
  p = writeInt(out, p, size);
  return out.write(src.toString("latin1", s + 2, e), p, "hex") === size ? p + size : UNFIT;
};

type BinaryText = "hex" | "base64" | "base64url";

/**
 * binary.handling.mode as Node's name for the encoding. A field that is a string although the mode is `bytes` is
 * written as hex.
 */
function textMode({ binary }: ValueModes): BinaryText {
  if (binary === "bytes") return "hex";
  return binary === "base64-url-safe" ? "base64url" : binary;
}

/** Writes the bytes of a bytea text as text in this encoding. */
function encodeBinaryText(mode: BinaryText): Encode {
  return (src, s, e, out, p) => {
    if (!isHex(src, s, e)) return UNFIT;
    const bytes = Buffer.from(src.toString("latin1", s + 2, e), "hex");
    if (bytes.length !== (e - s - 2) / 2) return UNFIT;
    const text = bytes.toString(mode);
    // Debezium pads the URL-safe form.
    return writeString(out, p, mode === "base64url" ? text.padEnd(Math.ceil(text.length / 4) * 4, "=") : text);
  };
}

/** Writes the UTF-8 bytes of any text as text in this encoding. */
function encodeUnknownText(mode: BinaryText): Encode {
  const encode = encodeBinaryText(mode);
  return (src, s, e, out, p) => {
    const text = Buffer.from(`\\x${src.toString("hex", s, e)}`);
    return encode(text, 0, text.length, out, p);
  };
}

function binaryType(modes: ValueModes): AvroType {
  return modes.binary === "bytes" ? "bytes" : "string";
}

const bytesOfText: Rewrite = (text) => {
  if (/^\\x(?:[0-9a-f]{2})*$/i.test(text)) return text.toLowerCase();
  return text.includes("\\") ? undefined : `\\x${Buffer.from(text).toString("hex")}`;
};

export const BYTEA: TypeEntry = {
  ...ORDINARY,
  avro: (_, modes) => binaryType(modes),
  forms: {
    bytes: { encode: () => encodeHex, unchanged: BYTES_PLACEHOLDER, room: TEXT_ROOM, samples: "by-avro-type" },
    string: {
      encode: (_, __, { modes }) => encodeBinaryText(textMode(modes)),
      unchanged: TEXT_PLACEHOLDER,
      room: TEXT_ROOM,
      samples: fixed("00ff", ""),
    },
  },
  adopts: { bytes: -1 },
  defaults: "none",
  fallback: "\\x",
  castFrom: casts({ text: bytesOfText }),
};

export const UNKNOWN: TypeEntry = {
  ...ORDINARY,
  avro: (_, modes) => (modes.unknownTypes ? binaryType(modes) : undefined),
  forms: {
    bytes: { encode: () => encodeText, unchanged: BYTES_PLACEHOLDER, room: TEXT_ROOM, samples: "by-avro-type" },
    string: {
      encode: (_, __, { modes }) => encodeUnknownText(textMode(modes)),
      unchanged: TEXT_PLACEHOLDER,
      room: { factor: 2, extra: 24 },
      samples: "by-avro-type",
    },
  },
  adopts: {},
  defaults: "none",
  fallback: "",
  castFrom: {},
};
