import type { ColumnType } from "../table/column.ts";
import type { Json } from "../table/shape.ts";
import type { Encode } from "./encode.ts";
import {
  encodeDecimal,
  encodeFloat32,
  encodeFloat64,
  encodeInt16,
  encodeInt32,
  encodeInt64,
  encodeVariableScale,
} from "./number.ts";
import { encodeBoolean, encodeHex, encodeText } from "./text.ts";
import { encodeDate, encodeTime, encodeTimestamp, encodeZonedTimestamp } from "./time.ts";

/** pg_type.oid of the types that are mapped. */
export const OID = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  json: 114,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const;

const DECIMAL = "org.apache.kafka.connect.data.Decimal";
const VARIABLE_SCALE = "io.debezium.data.VariableScaleDecimal";

/** An Avro type without null and default, its properties in AvroData's order. */
export type AvroType = string | { readonly [key: string]: Json };

/** Digits of fraction of a time, timestamp or timestamptz column. */
function fractionDigits(type: ColumnType): number {
  return type.typmod < 0 ? 6 : type.typmod;
}

/** Scale and precision of numeric(p,s); undefined for numeric without. The scale has 11 bits and a sign. */
function numericOf(typmod: number): { readonly precision: number; readonly scale: number } | undefined {
  if (typmod < 4) return undefined;
  const scale = (typmod - 4) & 0x7ff;
  return { precision: ((typmod - 4) >> 16) & 0xffff, scale: scale > 1023 ? scale - 2048 : scale };
}

/**
 * The Avro type Debezium's defaults give a column type (its "Data type mappings": decimal.handling.mode=precise,
 * time.precision.mode=adaptive, binary.handling.mode=bytes). Undefined: not mapped.
 */
export function avroTypeOf(type: ColumnType): AvroType | undefined {
  switch (type.oid) {
    case OID.bool:
      return "boolean";
    case OID.int2:
      return { type: "int", "connect.type": "int16" };
    case OID.int4:
      return "int";
    case OID.int8:
      return "long";
    case OID.float4:
      return "float";
    case OID.float8:
      return "double";
    case OID.text:
    case OID.varchar:
    case OID.bpchar:
      return "string";
    case OID.bytea:
      return "bytes";
    case OID.uuid:
      return named("string", "io.debezium.data.Uuid");
    case OID.json:
    case OID.jsonb:
      return named("string", "io.debezium.data.Json");
    case OID.numeric:
      return numericType(type.typmod);
    case OID.date:
      return named("int", "io.debezium.time.Date");
    case OID.time:
      return fractionDigits(type) <= 3
        ? named("int", "io.debezium.time.Time")
        : named("long", "io.debezium.time.MicroTime");
    case OID.timestamp:
      return named("long", `io.debezium.time.${fractionDigits(type) <= 3 ? "" : "Micro"}Timestamp`);
    case OID.timestamptz:
      return named("string", "io.debezium.time.ZonedTimestamp");
    default:
      return undefined;
  }
}

function named(type: string, name: string): AvroType {
  return { type, "connect.version": 1, "connect.name": name };
}

function numericType(typmod: number): AvroType | undefined {
  const numeric = numericOf(typmod);
  if (numeric === undefined) return VARIABLE_SCALE_TYPE;
  const { precision, scale } = numeric;
  if (scale < 0) return undefined;
  return {
    type: "bytes",
    scale,
    precision,
    "connect.version": 1,
    "connect.parameters": { scale: String(scale), "connect.decimal.precision": String(precision) },
    "connect.name": DECIMAL,
    logicalType: "decimal",
  };
}

const VARIABLE_SCALE_TYPE: AvroType = {
  type: "record",
  name: "VariableScaleDecimal",
  namespace: "io.debezium.data",
  fields: [
    { name: "scale", type: "int" },
    { name: "value", type: "bytes" },
  ],
  "connect.doc": "Variable scaled decimal",
  "connect.version": 1,
  "connect.name": VARIABLE_SCALE,
};

/**
 * The encoder of an Avro type as fields have it; the column's type only says the digits of a timestamptz. The
 * column may have another type by now: what its text does not give without loss is UNFIT. Undefined: no such field
 * is written here.
 */
export function encoderOf(avro: AvroType, type: ColumnType): Encode | undefined {
  const name = connectName(avro);
  switch (name ?? primitiveOf(avro)) {
    case "boolean":
      return encodeBoolean;
    case "int":
      return typeof avro === "object" && avro["connect.type"] === "int16" ? encodeInt16 : encodeInt32;
    case "long":
      return encodeInt64;
    case "float":
      return encodeFloat32;
    case "double":
      return encodeFloat64;
    case "bytes":
      return encodeHex;
    case "string":
    case "io.debezium.data.Uuid":
    case "io.debezium.data.Json":
      return encodeText;
    case DECIMAL:
      return decimalEncoder(avro);
    case VARIABLE_SCALE:
      return encodeVariableScale;
    case "io.debezium.time.Date":
      return encodeDate;
    case "io.debezium.time.Time":
      return encodeTime(1000);
    case "io.debezium.time.MicroTime":
      return encodeTime(1);
    case "io.debezium.time.Timestamp":
      return encodeTimestamp(1000);
    case "io.debezium.time.MicroTimestamp":
      return encodeTimestamp(1);
    case "io.debezium.time.ZonedTimestamp":
      return encodeZonedTimestamp(fractionDigits(type));
    default:
      return undefined;
  }
}

function decimalEncoder(avro: AvroType): Encode | undefined {
  if (typeof avro === "string") return undefined;
  const { scale, precision } = avro;
  return typeof scale === "number" && typeof precision === "number" ? encodeDecimal(scale, precision) : undefined;
}

/** `connect.name` of a type that has one. */
export function connectName(avro: AvroType): string | undefined {
  const name = typeof avro === "string" ? undefined : avro["connect.name"];
  return typeof name === "string" ? name : undefined;
}

/** `int` of `{"type":"int",…}` and of `"int"`. */
export function primitiveOf(avro: AvroType): string {
  const type = typeof avro === "string" ? avro : avro["type"];
  return typeof type === "string" ? type : "";
}

/** The digits of fraction a value may have beyond its text: a Decimal's scale. */
export function scaleOf(avro: AvroType): number {
  return typeof avro === "object" && typeof avro["scale"] === "number" ? avro["scale"] : 0;
}
