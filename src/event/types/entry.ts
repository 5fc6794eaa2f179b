import type { AvroMembers, AvroValue } from "../../avro/value.ts";
import type { ColumnType } from "../../table/column.ts";
import type { Json, JsonObject } from "../../json.ts";
import type { AvroType } from "./avro-type.ts";
import type { ValueModes } from "./modes.ts";

/**
 * What Fieldgate knows about a PostgreSQL type, apart from its name and OID. Each file of event/values exports the
 * entries of one family of types, and table.ts collects them. No property is optional: a new type compiles only when
 * every question about it has an answer.
 */
export interface TypeEntry {
  /** The Avro type that Debezium's PostgresValueConverter gives a column; undefined: the column is left out. */
  readonly avro: (type: ColumnType, modes: ValueModes, entryOf: EntryOf) => AvroType | undefined;
  /** Debezium declares such a field optional even if the column is NOT NULL. */
  readonly isAlwaysOptional: boolean;
  /** Whether an array's elements are nullable, or required (as Debezium has it), or Debezium leaves such arrays out. */
  readonly inArrays: "optional" | "required" | "left-out";
  /** How texts of this type are written, by formName of the Avro type: one form for each type that `avro` can return. */
  readonly forms: Readonly<Record<string, Form>>;
  /**
   * Forms for which this type is the usual source, each with the modifier (-1: none). A field that was registered
   * by someone else, or under other modes, is filled as if its column had this type.
   */
  readonly adopts: Readonly<Record<string, number>>;
  readonly defaults: Defaults;
  /**
   * What Debezium writes for a required column that the old key tuple does not hold: a text of the type, or the
   * Avro string itself.
   */
  readonly fallback: string | ((type: ColumnType, modes: ValueModes) => string) | { readonly written: string };
  /** A character type: PostgreSQL casts anything to it. */
  readonly isText: boolean;
  /** What `::text` prints for a value's text. */
  readonly toText: Rewrite;
  /** How a value of another type is cast to this one, where PostgreSQL can do so without loss. */
  readonly castFrom: Casts;
}

/** How texts of one PostgreSQL type are written as one Avro type. */
export interface Form {
  /** Makes the encoder, once per field. Undefined: Fieldgate cannot write this particular Avro type. */
  readonly encode: (avro: AvroType, type: ColumnType, context: EncodeContext) => Encode | undefined;
  readonly unchanged: Unchanged;
  readonly room: Room;
  readonly samples: FormSamples;
}

/**
 * Writes the value whose text is `src[s..e)` (UTF-8, as pgoutput sends it) into `out` at `p`, as Avro. Returns the
 * place after the value, or UNFIT when the type cannot hold it. `out` has room for any fitting value.
 */
export type Encode = (src: Buffer, s: number, e: number, out: Buffer, p: number) => number;
export const UNFIT = -1;

export interface EncodeContext {
  readonly modes: ValueModes;
  /** Called for an enum's label that the field does not list. */
  readonly unseen: () => void;
  /** The encoder of an array's elements. */
  readonly elementEncoder: (avro: AvroType, type: ColumnType) => Encode | undefined;
}

/** Looks up an array's element type. */
export type EntryOf = (type: ColumnType) => TypeEntry;

/** The most bytes a value takes: `factor` for each byte of its text, and `extra`. */
export interface Room {
  readonly factor: number;
  readonly extra: number;
}

/** Enough for a number, and for the text itself with its length. */
export const TEXT_ROOM: Room = { factor: 1, extra: 24 };

/**
 * The JSON that stands for an unchanged value stored out of line and missing from the log (Debezium's
 * UnchangedToastedPlaceholder), made from unavailable.value.placeholder: for a value, and for a whole array of such
 * values. Undefined: Debezium has none, or the type is never stored out of line.
 */
export interface Unchanged {
  readonly value: ((placeholder: string) => Json) | undefined;
  readonly items: ((placeholder: string) => readonly Json[]) | undefined;
}

export const NO_PLACEHOLDER: Unchanged = { value: undefined, items: undefined };
export const TEXT_PLACEHOLDER: Unchanged = { value: (text) => text, items: (text) => [text] };
export const BYTES_PLACEHOLDER: Unchanged = {
  value: (text) => Buffer.from(text).toString("latin1"),
  items: (text) => [Buffer.from(text).toString("latin1")],
};
/** An array of numbers becomes the placeholder's bytes, signed as in Java, one number each. */
export const NUMBERS_PLACEHOLDER: Unchanged = {
  value: undefined,
  items: (text) => [...new Int8Array(Buffer.from(text))],
};

/**
 * Sample values of a form. `by-avro-type`: any values of the Avro type. `members`: values for some of a record's fields;
 * the others are null if they may be.
 */
export type FormSamples =
  | "by-avro-type"
  | Samples
  | ((field: SampledField, props: JsonObject) => Samples)
  | { readonly members: AvroMembers };

/** How Debezium's PostgresDefaultValueConverter reads a column's default; `none`: it gives such a field no default. */
export type Defaults =
  | "none"
  | {
      /** The text that replaces a function call or the current time; undefined: such a default is ignored. */
      readonly onCall: string | undefined;
      /** A quoted literal as a row's text; undefined: ignored. */
      readonly literal: (text: string, type: ColumnType) => string | undefined;
      /** An unquoted number, true or false as a row's text; undefined: ignored. */
      readonly bare: (text: string, type: ColumnType) => string | undefined;
    };

/** Defaults of a type whose literals look like its values. */
export function plainDefaults(onCall: string): Defaults {
  return { onCall, literal: (text) => text, bare: (text) => text.trim() };
}

/** Converts a value's text to another type's text; undefined: the value does not fit. */
export type Rewrite = (text: string) => string | undefined;

export const asIs: Rewrite = (text) => text;

/** Casts to a type, by the kind they cast from; `text` stands for every character type. */
export type Casts = Readonly<Partial<Record<CastSource, (to: ColumnType) => Rewrite>>>;

/** The kinds that can be cast to something other than a character type. */
type CastSource =
  | "bool"
  | "bit"
  | "varbit"
  | "int2"
  | "int4"
  | "int8"
  | "oid"
  | "float4"
  | "float8"
  | "numeric"
  | "money"
  | "text"
  | "date"
  | "time"
  | "timetz"
  | "timestamp"
  | "timestamptz"
  | "json"
  | "jsonb"
  | "cidr";

/** Casts that do not depend on the target's modifier. */
export function casts(table: Readonly<Partial<Record<CastSource, Rewrite>>>): Casts {
  return Object.fromEntries(Object.entries(table).map(([source, rewrite]) => [source, () => rewrite]));
}

/** Accepts a text only in the form that the type itself prints. */
export function matching(pattern: RegExp): Rewrite {
  return (text) => (pattern.test(text) ? text : undefined);
}

/** The answers that are the same for most types. */
export const ORDINARY = {
  isAlwaysOptional: false,
  inArrays: "optional",
  isText: false,
  toText: asIs,
} as const satisfies Partial<TypeEntry>;

/** Sample values of one type. */
export interface Samples {
  /** An ordinary value; `row` counts from 1. */
  readonly typical: (row: number) => AvroValue;
  /** Values at the limits of the type. */
  readonly edges: readonly AvroValue[];
}

/** What the samples are for: the field's name, and its column's type as format_type prints it (empty: unknown). */
export interface SampledField {
  readonly name: string;
  readonly columnType: string;
}

/** Samples whose typical value is the same in every row. */
export function fixed(typical: AvroValue, ...edges: readonly AvroValue[]): Samples {
  return { typical: () => typical, edges };
}
