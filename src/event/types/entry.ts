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
  /** The Avro type that Debezium's PostgresValueConverter gives a column; undefined if the column is left out. */
  readonly avro: (type: ColumnType, modes: ValueModes, entryOf: EntryOf) => AvroType | undefined;
  /** True if Debezium makes such a field optional even if the column is NOT NULL. */
  readonly isAlwaysOptional: boolean;
  /** Whether Debezium makes the elements of an array optional or required, or leaves such arrays out. */
  readonly inArrays: "optional" | "required" | "left-out";
  /**
   * How texts of this type are written, by the formName of the Avro type. There is one form for each type that `avro`
   * can return.
   */
  readonly forms: Readonly<Record<string, Form>>;
  /**
   * Forms for which this type is the usual source, each with the type modifier (-1 if none). A field that was
   * registered by someone else, or under other modes, is filled as if its column had this type.
   */
  readonly adopts: Readonly<Record<string, number>>;
  readonly defaults: Defaults;
  /**
   * The value that Debezium writes for a required column that is not in the old key tuple: a text of the type, or the
   * Avro string itself.
   */
  readonly fallback: string | ((type: ColumnType, modes: ValueModes) => string) | { readonly written: string };
  /** True for a character type, to which PostgreSQL casts anything. */
  readonly isText: boolean;
  /** Converts a value's text to what `::text` prints for it. */
  readonly toText: Rewrite;
  /** How a value of a different type is cast to this one, where PostgreSQL can do that without loss. */
  readonly castFrom: Casts;
}

/** How texts of one PostgreSQL type are written as one Avro type. */
export interface Form {
  /** Makes the encoder, once per field. Undefined if Fieldgate cannot write this particular Avro type. */
  readonly encode: (avro: AvroType, type: ColumnType, context: EncodeContext) => Encode | undefined;
  readonly unchanged: Unchanged;
  readonly room: Room;
  readonly samples: FormSamples;
}

/**
 * Writes the value whose text is `src[s..e)` (UTF-8, as pgoutput sends it) into `out` at `p`, as Avro. Returns the
 * position after the value, or UNFIT if the type cannot hold it. `out` has room for any value that fits.
 */
export type Encode = (src: Buffer, s: number, e: number, out: Buffer, p: number) => number;
export const UNFIT = -1;

export interface EncodeContext {
  readonly modes: ValueModes;
  /** Called for an enum's label that the field does not list. */
  readonly unseen: (label: string) => void;
  /** The encoder of an array's elements. */
  readonly elementEncoder: (avro: AvroType, type: ColumnType) => Encode | undefined;
}

/** Looks up the entry of an array's element type. */
export type EntryOf = (type: ColumnType) => TypeEntry;

/** The largest number of bytes that a value takes: `factor` for each byte of its text, plus `extra`. */
export interface Room {
  readonly factor: number;
  readonly extra: number;
}

/** Enough for a number, or for the text itself with its length. */
export const TEXT_ROOM: Room = { factor: 1, extra: 24 };

/**
 * The JSON that replaces an unchanged value that is stored out of line and missing from the log (Debezium's
 * UnchangedToastedPlaceholder). It is made from unavailable.value.placeholder, for a single value and for a whole array
 * of such values. Undefined if Debezium has no placeholder, or if the type is never stored out of line.
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
/** An array of numbers gets the placeholder's bytes, one number per byte, signed as in Java. */
export const NUMBERS_PLACEHOLDER: Unchanged = {
  value: undefined,
  items: (text) => [...new Int8Array(Buffer.from(text))],
};

/**
 * Sample values of a form. `by-avro-type`: any values of the Avro type. `members`: values for some fields of a record;
 * the other fields are null if they may be.
 */
export type FormSamples =
  | "by-avro-type"
  | Samples
  | ((field: SampledField, props: JsonObject) => Samples)
  | { readonly members: AvroMembers };

/** How Debezium's PostgresDefaultValueConverter reads a column's default. `none`: it gives such a field no default. */
export type Defaults =
  | "none"
  | {
      /** The text that replaces a function call or the current time; undefined if such a default is ignored. */
      readonly onCall: string | undefined;
      /** Returns a quoted literal as a row's text; undefined if it is ignored. */
      readonly literal: (text: string, type: ColumnType) => string | undefined;
      /** Returns an unquoted number, true or false as a row's text; undefined if it is ignored. */
      readonly bare: (text: string, type: ColumnType) => string | undefined;
    };

/** Defaults of a type whose literals look like its values. */
export function plainDefaults(onCall: string): Defaults {
  return { onCall, literal: (text) => text, bare: (text) => text.trim() };
}

/** Converts a value's text to the text of a different type; undefined if the value does not fit. */
export type Rewrite = (text: string) => string | undefined;

export const asIs: Rewrite = (text) => text;

/** Casts to a type, by the kind of the source type; `text` covers every character type. */
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

/** Properties that most types have in common. */
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
