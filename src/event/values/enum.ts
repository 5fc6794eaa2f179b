import { allowedOf, type AvroType } from "../types/avro-type.ts";
import {
  type Encode,
  NO_PLACEHOLDER,
  ORDINARY,
  TEXT_ROOM,
  type TypeEntry,
  fixed,
  type Samples,
} from "../types/entry.ts";
import { baseOf } from "../types/modifier.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { ColumnType } from "../../table/column.ts";
import { encodeText } from "./text.ts";

/**
 * Writes an enum's label unchanged. `unseen` is called for a label that is not among `labels`: it was added to the type
 * later, and the schema's `allowed` does not list it yet, or it has been renamed since.
 */
function encodeLabel(labels: readonly string[], unseen: (label: string) => void): Encode {
  const known = labels.map((label) => Buffer.from(label));
  return (src, s, e, out, p) => {
    const isListed = known.some((label) => label.length === e - s && src.compare(label, 0, label.length, s, e) === 0);
    if (!isListed) unseen(src.toString("utf8", s, e));
    return encodeText(src, s, e, out, p);
  };
}

/**
 * The labels that `allowed` lists. Labels may contain commas, so the type's own labels are used as long as they give
 * the same text.
 */
function labelsFor(avro: AvroType, type: ColumnType): readonly string[] {
  const allowed = allowedOf(avro);
  const labels = labelsOf(type);
  return labels.length > 0 && labels.join(",") === allowed ? labels : allowed.split(",");
}

const ENUM_NAME = "io.debezium.data.Enum";

export const ENUM: TypeEntry = {
  ...ORDINARY,
  avro: (type) => ({
    type: "string",
    "connect.version": 1,
    "connect.parameters": { allowed: labelsOf(type).join(",") },
    "connect.name": ENUM_NAME,
  }),
  inArrays: "required",
  forms: {
    [ENUM_NAME]: {
      encode: (avro, type, { unseen }) => encodeLabel(labelsFor(avro, type), unseen),
      unchanged: { ...NO_PLACEHOLDER, items: (text) => [text] },
      room: TEXT_ROOM,
      samples: enumSamples,
    },
  },
  adopts: {},
  defaults: { onCall: undefined, literal: (text) => text, bare: () => undefined },
  fallback: "",
  castFrom: {
    text: (to) => {
      const labels = new Set(labelsOf(to));
      return (text) => (labels.has(text) ? text : undefined);
    },
  },
};

/** Every label. A comma inside a label cannot be distinguished from one between two labels. */
function enumSamples(_: unknown, props: JsonObject): Samples {
  const parameters = props["connect.parameters"];
  const allowed = isObject(parameters) ? parameters["allowed"] : undefined;
  const [first = "", ...others] = (typeof allowed === "string" ? allowed : "").split(",");
  return fixed(first, ...others);
}

/** An enum's labels in enumsortorder; empty for any other type. */
function labelsOf(type: ColumnType): readonly string[] {
  const { detail } = baseOf(type);
  return detail?.kind === "enum" ? detail.labels : [];
}
