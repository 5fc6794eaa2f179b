import { GuardError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Attnum, ColumnType } from "../table/column.ts";
import type { Field } from "../table/shape.ts";
import { baseType } from "./field.ts";
import { type AvroType, formName, itemsOf, primitiveOf, scaleOf } from "./types/avro-type.ts";
import { castEncoder } from "./types/cast.ts";
import { encoderOf, formOf } from "./types/encoder.ts";
import { type Encode, type Room, TEXT_ROOM, UNFIT } from "./types/entry.ts";
import type { ValueModes } from "./types/modes.ts";
import { entryOf } from "./types/table.ts";
import { isSameText, textTypeOf } from "./types/text-type.ts";
import { elementType } from "./values/array.ts";
import { jsonBytes } from "../avro/value.ts";

/**
 * A cell is one published field of a row encoder: the closure that writes a column's text, and the prepared bytes of
 * everything that is not text (null, the default, placeholders). Everything that depends on the field's type is looked
 * up here once, so that writing a row needs no look-ups.
 */

export interface Cell {
  readonly name: string;
  /** The field's Avro type for messages: `long`, `Decimal`. */
  readonly holds: string;
  /** The column's place in the tuple; -1 if it is no longer in the log. */
  readonly column: number;
  readonly encode: Encode;
  /** The union branch of a value, as Avro writes it; -1 if the type is not a union. */
  readonly branch: -1 | 0 | 2;
  /** The bytes of null; undefined if the field is required. */
  readonly nothing: Buffer | undefined;
  /**
   * The bytes for a column that is missing from the log: the field's fill, null, or a required field's default.
   * Undefined if it has none of these. If the column could not be identified, the row may have a value for it, so only
   * null may be written.
   */
  readonly absent: Buffer | undefined;
  /** True if the row's column could not be identified. */
  readonly unidentified: boolean;
  /**
   * The bytes that Debezium writes for a required column that is not in the old key tuple; undefined if such a row is
   * rejected.
   */
  readonly fallback: Buffer | undefined;
  /**
   * The bytes for a value that does not fit the field's type, where a later field of the same column has it; undefined
   * if that is an error.
   */
  readonly unfit: Buffer | undefined;
  /** The placeholder for an unchanged value stored out of line; undefined if the type has none. */
  readonly toast: Buffer | undefined;
  /** A value takes at most `factor` bytes for each byte of its text, plus `growth`. */
  readonly factor: number;
  readonly growth: number;
}

/** What all cells of one row encoder share. */
export interface CellContext {
  /** The Relation's columns in wire order. */
  readonly columns: readonly (Attnum | undefined)[];
  /** Their types in the log; undefined where it is the type for which the field was made. */
  readonly types: readonly (ColumnType | undefined)[];
  /** Columns that the rows may have, and that could not be identified among theirs. */
  readonly unidentified: ReadonlySet<Attnum>;
  readonly modes: ValueModes;
  /** Called for an enum's label that its field does not list. */
  readonly unseen: (label: string, attnum: Attnum) => void;
}

/**
 * `isOld`: a later field of the same column has every value (`release --beside`), so this one may have null instead.
 * Throws amendment-unsupported if Fieldgate cannot write the field's Avro type, or if its default or fill does not fit it.
 */
export function cellOf(field: Field, context: CellContext, isOld = false): Cell {
  const { modes } = context;
  const avro = baseType(field.avro);
  const column = context.columns.indexOf(field.attnum);
  const type = textTypeOf(avro, field.type, modes);
  const unseen = (label: string) => context.unseen(label, field.attnum);
  const encode = encodeOf(avro, context.types[column] ?? field.type, type, { modes, unseen });
  if (encode === undefined) {
    throw unsupported(field, `has Avro type ${JSON.stringify(field.avro.type)}, which Fieldgate cannot write`);
  }
  const branches = field.avro.type;
  const branch = Array.isArray(branches) ? (branches[0] === "null" ? 2 : 0) : -1;
  const nothing = branch === -1 ? undefined : Buffer.from([2 - branch]);
  const valueBytes = (value: Json | undefined, what: string): Buffer | undefined => {
    const bytes = value === undefined ? undefined : jsonBytes(field.avro.type, value);
    if (value !== undefined && bytes === undefined) throw unsupported(field, `cannot hold its ${what}`);
    return bytes;
  };
  const fill = valueBytes(field.fill, "fill");
  const initial = nothing ?? valueBytes(field.avro.default, "default");
  const unidentified = context.unidentified.has(field.attnum);
  const absent = unidentified ? nothing : (fill ?? initial);
  const toast = valueBytes(unavailableValue(avro, type, modes.placeholder), "placeholder");
  const fallback = initial ?? fallbackBytes(avro, type, context);
  const { factor, extra } = roomOf(avro, type);
  return {
    name: field.name,
    holds: formName(avro).replace(/^.*\./, ""),
    column,
    encode,
    branch,
    nothing,
    absent,
    unidentified,
    fallback,
    unfit: isOld ? nothing : undefined,
    toast,
    factor,
    growth: extra + Math.max(fallback?.length ?? 0, absent?.length ?? 0, toast?.length ?? 0),
  };
}

/** What stands in the field for a large value that did not change and is not in the log; undefined: nothing can. */
export function placeholderOf(field: Field, modes: ValueModes): Json | undefined {
  const avro = baseType(field.avro);
  return unavailableValue(avro, textTypeOf(avro, field.type, modes), modes.placeholder);
}

function unsupported(field: Field, what: string): GuardError {
  return new GuardError("amendment-unsupported", `field ${field.name} ${what}`);
}

function encodeOf(
  avro: AvroType,
  from: ColumnType,
  to: ColumnType,
  { modes, unseen }: { readonly modes: ValueModes; readonly unseen: (label: string) => void },
): Encode | undefined {
  return isSameText(from, to) ? encoderOf(avro, to, modes, unseen) : castEncoder(avro, from, to, modes, unseen);
}

/**
 * The fallback has no union branch, because only a required field needs one. Undefined if no value of the column's type
 * fits the field.
 */
function fallbackBytes(avro: AvroType, type: ColumnType, { modes }: CellContext): Buffer | undefined {
  const { fallback } = entryOf(type);
  if (typeof fallback === "object") return jsonBytes("string", fallback.written);
  const text = Buffer.from(typeof fallback === "string" ? fallback : fallback(type, modes));
  const out = Buffer.alloc(256 + scaleOf(avro) + text.length);
  const end = encoderOf(avro, type, modes)?.(text, 0, text.length, out, 0) ?? UNFIT;
  return end === UNFIT ? undefined : out.subarray(0, end);
}

/** The placeholder as JSON of the Avro type. */
function unavailableValue(avro: AvroType, type: ColumnType, placeholder: string): Json | undefined {
  const items = itemsOf(avro);
  if (items === undefined) return formOf(avro, type)?.unchanged.value?.(placeholder);
  const element = elementType(type);
  return element && formOf(items.type, element)?.unchanged.items?.(placeholder);
}

/** The most bytes a value takes (see Room). A Decimal may be extended to all digits of its scale. */
function roomOf(avro: AvroType, type: ColumnType): Room {
  const { factor, extra } = formOf(avro, type)?.room ?? TEXT_ROOM;
  const own = { factor, extra: extra + Math.abs(scaleOf(avro)) };
  const items = itemsOf(avro);
  const element = elementType(type);
  if (items === undefined || element === undefined) return own;
  const perNumber = primitiveOf(items.type) === "double" ? 5 : 4 + Math.ceil(Math.abs(scaleOf(items.type)) / 4);
  return { ...own, factor: Math.max(perNumber, roomOf(items.type, element).factor) };
}
