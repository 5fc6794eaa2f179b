import { createHash } from "node:crypto";
import type { ColumnType } from "../../table/column.ts";
import { baseOf } from "../types/modifier.ts";
import { semanticType } from "../types/avro-type.ts";
import {
  asIs,
  casts,
  type Casts,
  type Defaults,
  type Encode,
  type Form,
  type FormSamples,
  NO_PLACEHOLDER,
  ORDINARY,
  plainDefaults,
  type Rewrite,
  TEXT_PLACEHOLDER,
  TEXT_ROOM,
  type TypeEntry,
  fixed,
  type Samples,
} from "../types/entry.ts";
import { copyBytes, writeInt } from "../../avro/bytes.ts";

/**
 * Types whose events carry PostgreSQL's own text: the character types, types without an Avro counterpart (`textLike`),
 * and types for which Debezium has a semantic name (json, xml, uuid, ltree, tsvector).
 */

/** Writes the text's UTF-8 bytes unchanged. */
export const encodeText: Encode = (src, s, e, out, p) => copyBytes(src, s, e, out, writeInt(out, p, e - s));

/** The form of a plain string that may be stored out of line. */
function textForm(samples: FormSamples): Form {
  return { encode: () => encodeText, unchanged: TEXT_PLACEHOLDER, room: TEXT_ROOM, samples };
}

interface TextLike {
  readonly samples: FormSamples;
  readonly castFrom?: Casts;
  readonly toText?: Rewrite;
}

/** A type whose events carry its text as a plain string. */
export function textLike({ samples, castFrom = {}, toText = asIs }: TextLike): TypeEntry {
  return {
    ...ORDINARY,
    avro: () => "string",
    forms: { string: textForm(samples) },
    adopts: {},
    defaults: "none",
    fallback: "",
    toText,
    castFrom,
  };
}

/** Spaces around an unquoted number are kept. */
const TEXT_DEFAULTS: Defaults = { onCall: "", literal: (text) => text, bare: (text) => text };

/** A character type for which Debezium reads no default. */
export const CHARACTERS: TypeEntry = { ...textLike({ samples: sampleTexts }), isText: true };
export const CHAR: TypeEntry = { ...CHARACTERS, forms: { string: textForm(fixed("a", "")) } };
export const NAME: TypeEntry = { ...CHARACTERS, inArrays: "left-out" };
export const VARCHAR: TypeEntry = { ...CHARACTERS, defaults: TEXT_DEFAULTS };
export const TEXT: TypeEntry = { ...VARCHAR, adopts: { string: -1 } };
/** A cast to char(n) pads with spaces; a cast from char(n) drops them. */
export const BPCHAR: TypeEntry = {
  ...VARCHAR,
  toText: (text) => text.replace(/ +$/, ""),
};

const ALL_KINDS = "žena 漢字 😀 ";

/**
 * Texts that fit a character type: `character(3)`, `character varying(5)`. A type without a length gets a text of 1,000
 * characters.
 */
export function sampleTexts({ name, columnType }: { readonly name: string; readonly columnType: string }): Samples {
  const [, kind, digits] = /^(character|character varying|bpchar|varchar)\((\d+)\)$/.exec(columnType) ?? [];
  const most = digits === undefined ? 1000 : Number(digits);
  const isPadded = kind === "character" || kind === "bpchar";
  const fit = (text: string): string => {
    const points = Array.from(text).slice(0, most);
    return isPadded ? points.join("") + " ".repeat(most - points.length) : points.join("");
  };
  const long = ALL_KINDS.repeat(Math.ceil(most / Array.from(ALL_KINDS).length));
  return { typical: (row) => fit(`${name} ${row}`), edges: ["", long].map(fit) };
}

/** Prints a value like `::text`, padded if the target is char(n). */
export function castToText(toText: Rewrite, to: ColumnType, isPadded: boolean): Rewrite {
  const length = isPadded ? charLength(to) : undefined;
  if (length === undefined) return toText;
  return (text) => {
    const plain = toText(text);
    return plain === undefined ? undefined : plain + " ".repeat(Math.max(0, length - Array.from(plain).length));
  };
}

/** A text type for which Debezium has a semantic name. */
function namedText(name: string, form: Form, more: Pick<TypeEntry, "defaults" | "castFrom">): TypeEntry {
  return {
    ...ORDINARY,
    avro: () => semanticType("string", name),
    forms: { [name]: form },
    adopts: { [name]: -1 },
    fallback: "",
    ...more,
  };
}

export const JSON_NAME = "io.debezium.data.Json";
export const JSON_SAMPLES: Samples = {
  typical: (row) => `{"n": ${row}}`,
  edges: ["{}", "[]", "null", '{"text": "žena 😀", "deep": [{"a": null}]}'],
};

function validJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

export const JSON_TEXT: TypeEntry = namedText(JSON_NAME, textForm(JSON_SAMPLES), {
  defaults: plainDefaults("{}"),
  castFrom: casts({ jsonb: asIs, text: validJson }),
});
export const JSONB: TypeEntry = {
  ...JSON_TEXT,
  adopts: {},
  castFrom: casts({ json: asIs, text: validJson }),
};

export const XML: TypeEntry = {
  ...namedText("io.debezium.data.Xml", textForm(fixed("<a>text</a>", "", "<a>žena &amp; 😀</a>")), {
    defaults: TEXT_DEFAULTS,
    castFrom: {},
  }),
  isText: true,
  inArrays: "left-out",
};

export const LTREE: TypeEntry = namedText("io.debezium.data.Ltree", textForm(fixed("top.middle.leaf", "", "top")), {
  defaults: "none",
  castFrom: casts({ text: asIs }),
});

export const TSVECTOR: TypeEntry = {
  ...namedText("io.debezium.data.Tsvector", textForm(fixed("'text':1", "")), { defaults: "none", castFrom: {} }),
  inArrays: "required",
};

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** java.util.UUID.nameUUIDFromBytes: an MD5 hash with UUID version 3. */
function nameUuid(name: string): string {
  const bytes = createHash("md5").update(name).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x30, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export const UUID_TEXT: TypeEntry = namedText(
  "io.debezium.data.Uuid",
  {
    encode: () => encodeText,
    unchanged: { ...NO_PLACEHOLDER, items: (text) => [nameUuid(text)] },
    room: TEXT_ROOM,
    samples: {
      typical: (row) => `00000000-0000-4000-8000-${String(row).padStart(12, "0")}`,
      edges: ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    },
  },
  {
    defaults: {
      onCall: "00000000-0000-0000-0000-000000000000",
      literal: (text) => (UUID.test(text) ? text : undefined),
      bare: () => undefined,
    },
    castFrom: casts({ text: (text) => (UUID.test(text.toLowerCase()) ? text.toLowerCase() : undefined) }),
  },
);

/** The n of char(n), in characters; undefined for plain bpchar. */
function charLength(type: ColumnType): number | undefined {
  const { typmod } = baseOf(type);
  return typmod < 4 ? undefined : typmod - 4;
}
