import { GuardError } from "../errors.ts";
import type { Attnum } from "../table/column.ts";
import type { AvroField, Field, Json } from "../table/shape.ts";
import { writeBigLong, writeInt, writeString } from "./bytes.ts";
import type { Encode } from "./encode.ts";
import { baseType } from "./field.ts";
import { connectName, encoderOf, primitiveOf, scaleOf, type AvroType } from "./type.ts";

/** How one published field is written; the bytes of what is not a text are made once. */
export interface Cell {
  readonly name: string;
  /** The column's place in the tuple; -1: it is not in the log any more. */
  readonly column: number;
  readonly encode: Encode;
  /** The union branch of a value; -1: the type is no union. */
  readonly branch: -1 | 0 | 2;
  /** Null; undefined: the field is required. */
  readonly nothing: Buffer | undefined;
  /** Null, or a required field's default: for a column that is not in the log. */
  readonly absent: Buffer | undefined;
  /** What Debezium writes for a required column that the old key tuple does not hold. */
  readonly fallback: Buffer;
  /** The placeholder of an unchanged value stored out of line; undefined: the type has none. */
  readonly toast: Buffer | undefined;
  /** Bytes it may take beyond those of its column in the tuple. */
  readonly growth: number;
}

/** The room a number may take beyond its text, a timestamptz with all its digits included. */
const GROWTH = 24;

/** Throws amendment-unsupported for a field whose Avro type has no encoder here. */
export function cellOf(field: Field, columns: readonly (Attnum | undefined)[], placeholder: string): Cell {
  const avro = baseType(field.avro);
  const encode = encoderOf(avro, field.type);
  if (encode === undefined) {
    throw new GuardError(
      "amendment-unsupported",
      `field ${field.name} has Avro type ${JSON.stringify(field.avro.type)}, which no column is written as`,
    );
  }
  const branches = field.avro.type;
  const branch = Array.isArray(branches) ? (branches[0] === "null" ? 2 : 0) : -1;
  const nothing = branch === -1 ? undefined : Buffer.from([2 - branch]);
  const value = (json: Json): Buffer =>
    Buffer.concat([branch === -1 ? Buffer.alloc(0) : Buffer.from([branch]), valueBytes(avro, json)]);
  const absent = nothing ?? defaultBytes(field.avro, value);
  const toast = hasPlaceholder(avro) ? value(placeholder) : undefined;
  const fallback = absent ?? value(fallbackOf(avro));
  const growth = GROWTH + scaleOf(avro) + Math.max(fallback.length, toast?.length ?? 0);
  return {
    name: field.name,
    column: columns.indexOf(field.attnum),
    encode,
    branch,
    nothing,
    absent,
    fallback,
    toast,
    growth,
  };
}

function defaultBytes(field: AvroField, value: (json: Json) => Buffer): Buffer | undefined {
  return field.default === undefined ? undefined : value(field.default);
}

/** Types PostgreSQL stores out of line: texts, json and bytea. A uuid or a time is never that long. */
function hasPlaceholder(avro: AvroType): boolean {
  const name = connectName(avro);
  const primitive = primitiveOf(avro);
  return name === "io.debezium.data.Json" || (name === undefined && (primitive === "string" || primitive === "bytes"));
}

/** Debezium's fallbacks (JdbcValueConverters): zero, empty, epoch. */
function fallbackOf(avro: AvroType): Json {
  switch (connectName(avro)) {
    case "io.debezium.time.ZonedTimestamp":
      return "1970-01-01T00:00:00Z";
    case "org.apache.kafka.connect.data.Decimal":
      return "\u0000";
    case undefined:
    default: {
      const primitive = primitiveOf(avro);
      if (primitive === "boolean") return false;
      return primitive === "string" || primitive === "bytes" ? "" : 0;
    }
  }
}

/** A JSON default as Avro; bytes are ISO-8859-1 text. A VariableScaleDecimal is only ever 0. */
function valueBytes(avro: AvroType, json: Json): Buffer {
  const text = typeof json === "string" ? json : "";
  const out = Buffer.alloc(16 + Buffer.byteLength(text));
  switch (primitiveOf(avro)) {
    case "boolean":
      return Buffer.from([json === true ? 1 : 0]);
    case "float":
      return out.subarray(0, out.writeFloatLE(Number(json)));
    case "double":
      return out.subarray(0, out.writeDoubleLE(Number(json)));
    case "record":
      return Buffer.from([0, 2, 0]);
    case "bytes": {
      const start = writeInt(out, 0, text.length);
      return out.subarray(0, start + out.write(text, start, "latin1"));
    }
    case "string":
      return out.subarray(0, writeString(out, 0, text));
    default:
      return out.subarray(0, writeBigLong(out, 0, BigInt(Number(json))));
  }
}
