import type { ColumnType } from "../../table/column.ts";
import { baseOf, bitLength, elementOf, fractionDigits, kindOf, numericOf, type Kind } from "./kind.ts";
import { DEFAULT_MODES, type ValueModes } from "./modes.ts";
import {
  CIRCLE,
  GEOGRAPHY,
  GEOMETRY,
  LINE,
  POINT,
  SPARSE_VECTOR,
  VARIABLE_SCALE_TYPE,
  type AvroType,
} from "./record-type.ts";
import { type Json, isObject } from "../../json.ts";

const DECIMAL = "org.apache.kafka.connect.data.Decimal";
const ENUM = "io.debezium.data.Enum";

/**
 * The Avro type Debezium gives a column type under these modes (its "Data type mappings"; PostgresValueConverter).
 * Undefined: not mapped.
 */
export function avroTypeOf(type: ColumnType, modes: ValueModes = DEFAULT_MODES): AvroType | undefined {
  const kind = kindOf(type);
  if (kind === "unknown") return modes.unknownTypes ? binaryType(modes) : undefined;
  return SAME_IN_ALL_MODES.get(kind) ?? typeByMode(kind, type, modes);
}

function named(type: string, name: string): AvroType {
  return { type, "connect.version": 1, "connect.name": name };
}

const TEXTS: readonly Kind[] = [
  "char",
  "name",
  "text",
  "varchar",
  "bpchar",
  "citext",
  "inet",
  "cidr",
  "macaddr",
  "macaddr8",
  "int4range",
  "int8range",
  "numrange",
  "tsrange",
  "tstzrange",
  "daterange",
  "ean13",
  "isbn",
  "isbn13",
  "ismn",
  "ismn13",
  "issn",
  "issn13",
  "upc",
];

const SAME_IN_ALL_MODES: ReadonlyMap<Kind, AvroType> = new Map<Kind, AvroType>([
  ...TEXTS.map((kind) => [kind, "string"] as const),
  ["bool", "boolean"],
  ["int2", { type: "int", "connect.type": "int16" }],
  ["int4", "int"],
  ["int8", "long"],
  ["oid", "long"],
  ["float4", "float"],
  ["float8", "double"],
  ["timestamptz", named("string", "io.debezium.time.ZonedTimestamp")],
  ["timetz", named("string", "io.debezium.time.ZonedTime")],
  ["uuid", named("string", "io.debezium.data.Uuid")],
  ["json", named("string", "io.debezium.data.Json")],
  ["jsonb", named("string", "io.debezium.data.Json")],
  ["xml", named("string", "io.debezium.data.Xml")],
  ["ltree", named("string", "io.debezium.data.Ltree")],
  ["tsvector", named("string", "io.debezium.data.Tsvector")],
  ["vector", vectorType("double", "io.debezium.data.DoubleVector")],
  ["halfvec", vectorType("float", "io.debezium.data.FloatVector")],
  ["sparsevec", SPARSE_VECTOR],
  ["point", POINT],
  ["circle", CIRCLE],
  ["line", LINE],
  ["box", GEOMETRY],
  ["lseg", GEOMETRY],
  ["path", GEOMETRY],
  ["polygon", GEOMETRY],
  ["geometry", GEOMETRY],
  ["geography", GEOGRAPHY],
]);

function vectorType(items: string, name: string): AvroType {
  return { type: "array", items, "connect.version": 1, "connect.name": name };
}

function typeByMode(kind: Kind, type: ColumnType, modes: ValueModes): AvroType | undefined {
  switch (kind) {
    case "bit":
    case "varbit":
      return bitLength(type) === 1 ? "boolean" : bitsType(bitLength(type));
    case "numeric":
      return numericType(type, modes);
    case "money":
      return modes.decimal === "precise" ? decimalType(modes.moneyDigits) : looseDecimal(modes);
    case "bytea":
      return binaryType(modes);
    case "date":
    case "time":
    case "timestamp":
      return timeType(kind, fractionDigits(type), modes.time);
    case "interval":
      return modes.interval === "string"
        ? named("string", "io.debezium.time.Interval")
        : named("long", "io.debezium.time.MicroDuration");
    case "enum":
      return enumType(type);
    case "hstore":
      return modes.hstore === "json"
        ? named("string", "io.debezium.data.Json")
        : { type: "map", values: ["null", "string"] };
    case "array":
      return arrayType(elementOf(type), modes);
    default:
      return undefined;
  }
}

function binaryType(modes: ValueModes): AvroType {
  return modes.binary === "bytes" ? "bytes" : "string";
}

function bitsType(length: number): AvroType {
  return {
    type: "bytes",
    "connect.version": 1,
    "connect.parameters": { length: String(length) },
    "connect.name": "io.debezium.data.Bits",
  };
}

/** `allowed` lists the labels in enumsortorder. */
function enumType(type: ColumnType): AvroType {
  const { detail } = baseOf(type);
  const allowed = detail?.kind === "enum" ? detail.labels.join(",") : "";
  return { type: "string", "connect.version": 1, "connect.parameters": { allowed }, "connect.name": ENUM };
}

function looseDecimal(modes: ValueModes): AvroType {
  return modes.decimal === "double" ? "double" : "string";
}

/** AvroData's precision for a Decimal that names none. */
const MONEY_PRECISION = 64;

function numericType(type: ColumnType, modes: ValueModes): AvroType {
  if (modes.decimal !== "precise") return looseDecimal(modes);
  const numeric = numericOf(type);
  return numeric === undefined ? VARIABLE_SCALE_TYPE : decimalType(numeric.scale, numeric.precision);
}

function decimalType(scale: number, precision?: number): AvroType {
  return {
    type: "bytes",
    scale,
    precision: precision ?? MONEY_PRECISION,
    "connect.version": 1,
    "connect.parameters": {
      scale: String(scale),
      ...(precision !== undefined && { "connect.decimal.precision": String(precision) }),
    },
    "connect.name": DECIMAL,
    logicalType: "decimal",
  };
}

/** io.debezium.jdbc.TemporalPrecisionMode, for the types without a zone. */
function timeType(kind: "date" | "time" | "timestamp", digits: number, mode: ValueModes["time"]): AvroType {
  if (mode === "connect") return CONNECT_TIME[kind];
  const name = kind === "date" ? "Date" : kind === "time" ? "Time" : "Timestamp";
  if (mode === "isostring") return named("string", `io.debezium.time.Iso${name}`);
  if (kind === "date") return named("int", "io.debezium.time.Date");
  if (mode === "nanoseconds") return named("long", `io.debezium.time.Nano${name}`);
  const isMillis = digits <= 3 && (mode === "adaptive" || (mode === "adaptive_time_microseconds" && kind !== "time"));
  if (!isMillis) return named("long", `io.debezium.time.Micro${name}`);
  return named(kind === "time" ? "int" : "long", `io.debezium.time.${name}`);
}

const CONNECT_TIME = {
  date: connectTime("int", "Date", "date"),
  time: connectTime("int", "Time", "time-millis"),
  timestamp: connectTime("long", "Timestamp", "timestamp-millis"),
} as const;

function connectTime(type: string, name: string, logicalType: string): AvroType {
  return { type, "connect.version": 1, "connect.name": `org.apache.kafka.connect.data.${name}`, logicalType };
}

/** Arrays of these Debezium leaves out, whatever include.unknown.datatypes says; those after point: no converter. */
const NO_ARRAY: ReadonlySet<Kind> = new Set<Kind>([
  "money",
  "name",
  "interval",
  "bit",
  "varbit",
  "xml",
  "point",
  "box",
  "lseg",
  "path",
  "polygon",
  "circle",
  "line",
  "vector",
  "halfvec",
  "sparsevec",
]);

/** Elements of these are required, as Debezium forgets to make them optional. */
const REQUIRED_ELEMENTS: ReadonlySet<Kind> = new Set<Kind>(["enum", "tsvector"]);

function arrayType(element: ColumnType | undefined, modes: ValueModes): AvroType | undefined {
  if (element === undefined) return undefined;
  const kind = element.detail?.kind === "domain" ? "unknown" : kindOf(element);
  if (NO_ARRAY.has(kind) || kind === "array") return undefined;
  const items = kind === "unknown" ? (modes.unknownTypes ? binaryType(modes) : undefined) : avroTypeOf(element, modes);
  if (items === undefined) return undefined;
  return { type: "array", items: REQUIRED_ELEMENTS.has(kind) ? items : ["null", items] };
}

/** Debezium's builders of these are optional whatever the column says. */
export function isAlwaysOptional(type: ColumnType): boolean {
  const avro = SAME_IN_ALL_MODES.get(kindOf(type));
  return avro === GEOMETRY || avro === GEOGRAPHY || avro === CIRCLE || avro === LINE;
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

/** An array's element type without null, and whether it may be null; undefined for what is no array. */
export function itemsOf(avro: AvroType): { readonly type: AvroType; readonly optional: boolean } | undefined {
  if (typeof avro === "string" || avro["type"] !== "array") return undefined;
  const items = avro["items"];
  if (!Array.isArray(items)) return { type: items as AvroType, optional: false }; // no union: a name or an object
  return { type: items.find((one: Json) => one !== "null") as AvroType, optional: items[0] === "null" }; // as above
}

/** The labels an enum's field lists, joined by commas. */
export function allowedOf(avro: AvroType): string {
  const parameters = typeof avro === "object" ? avro["connect.parameters"] : undefined;
  const allowed = isObject(parameters) ? parameters["allowed"] : undefined;
  return typeof allowed === "string" ? allowed : "";
}
