import { GuardError } from "../errors.ts";
import type { Attnum, ColumnType } from "../table/column.ts";
import type { Field } from "../table/shape.ts";
import { jsonBytes } from "./values/avro-json.ts";
import { castEncoder } from "./values/cast.ts";
import { fallbackText, unavailableValue } from "./values/constant.ts";
import { UNFIT, type Encode } from "./values/encode.ts";
import { encoderOf } from "./values/encoder.ts";
import { baseType } from "./field.ts";
import { kindOf } from "./types/kind.ts";
import type { ValueModes } from "./types/modes.ts";
import { isSameText, textTypeOf } from "./types/text-type.ts";
import { connectName, itemsOf, primitiveOf, scaleOf } from "./types/type.ts";
import type { Json } from "../json.ts";
import type { AvroType } from "./types/record-type.ts";

/** How one published field is written; the bytes of what is not a text are made once. */
export interface Cell {
  readonly name: string;
  /** What the field holds, for messages: `long`, `Decimal`. */
  readonly holds: string;
  /** The column's place in the tuple; -1: it is not in the log any more. */
  readonly column: number;
  readonly encode: Encode;
  /** The union branch of a value; -1: the type is no union. */
  readonly branch: -1 | 0 | 2;
  /** Null; undefined: the field is required. */
  readonly nothing: Buffer | undefined;
  /** The field's fill, null, or a required field's default: for a column that is not in the log. */
  readonly absent: Buffer | undefined;
  /** What Debezium writes for a required column that the old key tuple does not hold. */
  readonly fallback: Buffer;
  /** The placeholder of an unchanged value stored out of line; undefined: the type has none. */
  readonly toast: Buffer | undefined;
  /** Bytes it may take for each of its column's in the tuple, and beyond those. */
  readonly factor: number;
  readonly growth: number;
}

/** What the cells of one writer are made for. */
export interface CellContext {
  /** The Relation's columns in wire order, and their types in the log; undefined: as when the field was made. */
  readonly columns: readonly (Attnum | undefined)[];
  readonly types: readonly (ColumnType | undefined)[];
  readonly modes: ValueModes;
  /** Called for an enum's label that the field does not list. */
  readonly unseen: () => void;
}

/** Throws amendment-unsupported for a field whose Avro type has no encoder here, or that its default or fill does not fit. */
export function cellOf(field: Field, context: CellContext): Cell {
  const { modes } = context;
  const avro = baseType(field.avro);
  const column = context.columns.indexOf(field.attnum);
  const type = textTypeOf(avro, field.type, modes);
  const encode = encodeOf(avro, context.types[column] ?? field.type, type, context);
  if (encode === undefined) {
    throw unsupported(field, `has Avro type ${JSON.stringify(field.avro.type)}, which no column is written as`);
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
  const absent = fill ?? initial;
  const toast = valueBytes(unavailableValue(avro, kindOf(type), modes.placeholder), "placeholder");
  const fallback = initial ?? fallbackBytes(avro, type, context);
  const { factor, extra } = roomOf(avro);
  return {
    name: field.name,
    holds: connectName(avro)?.replace(/^.*\./, "") ?? primitiveOf(avro),
    column,
    encode,
    branch,
    nothing,
    absent,
    fallback,
    toast,
    factor,
    growth: extra + Math.max(fallback.length, absent?.length ?? 0, toast?.length ?? 0),
  };
}

function unsupported(field: Field, what: string): GuardError {
  return new GuardError("amendment-unsupported", `field ${field.name} ${what}`);
}

function encodeOf(avro: AvroType, from: ColumnType, to: ColumnType, context: CellContext): Encode | undefined {
  return isSameText(from, to)
    ? encoderOf(avro, to, context.modes, context.unseen)
    : castEncoder(avro, from, to, context.modes, context.unseen);
}

/** Without a union's branch: only a required field has one. */
function fallbackBytes(avro: AvroType, type: ColumnType, { modes }: CellContext): Buffer {
  // Debezium's has no fraction, whatever the column's digits
  if (connectName(avro) === "io.debezium.time.ZonedTimestamp") return textBytes("1970-01-01T00:00:00Z");
  const text = Buffer.from(fallbackText(type, modes));
  const out = Buffer.alloc(256 + scaleOf(avro) + text.length);
  const end = encoderOf(avro, type, modes)?.(text, 0, text.length, out, 0) ?? UNFIT;
  return end === UNFIT ? Buffer.alloc(1) : out.subarray(0, end);
}

function textBytes(text: string): Buffer {
  return jsonBytes("string", text) ?? Buffer.alloc(1);
}

/**
 * The room a value may take: `factor` for each byte of its text and `extra`. A timestamptz gets all its digits, a
 * shape its well-known binary; a control character of an hstore becomes six; in an array every number has at least a
 * comma.
 */
function roomOf(avro: AvroType): { readonly factor: number; readonly extra: number } {
  const items = itemsOf(avro);
  const extra = 24 + Math.abs(scaleOf(avro));
  if (items !== undefined) {
    const name = primitiveOf(items.type);
    const factor = name === "double" ? 5 : 4 + Math.ceil(Math.abs(scaleOf(items.type)) / 4);
    return { factor: Math.max(factor, roomOf(items.type).factor), extra };
  }
  if (connectName(avro) === "io.debezium.data.Json" || primitiveOf(avro) === "map") return { factor: 6, extra };
  return primitiveOf(avro) === "record" ? { factor: 8, extra: 192 } : { factor: 1, extra };
}
