import type { ColumnType } from "../../table/column.ts";
import { encodeArray } from "./array.ts";
import { encodeBit, encodeBits } from "./bits.ts";
import type { Encode } from "./encode.ts";
import {
  encodeCircle,
  encodeEwkb,
  encodeLine,
  encodePoint,
  encodeShape,
  encodeSparseVector,
  encodeVector,
} from "./geometry.ts";
import { encodeHstoreJson, encodeHstoreMap } from "./hstore.ts";
import { encodeInterval, encodeMicroDuration } from "./interval.ts";
import { baseOf, elementOf, fractionDigits, kindOf, type Kind } from "../types/kind.ts";
import { DEFAULT_MODES, type ValueModes } from "../types/modes.ts";
import {
  encodeDecimal,
  encodeDecimalText,
  encodeFloat32,
  encodeFloat64,
  encodeInt16,
  encodeInt32,
  encodeInt64,
  encodeMoney,
  encodeMoneyDouble,
  encodeMoneyText,
  encodeVariableScale,
} from "./number.ts";
import { encodeBinaryText, encodeBoolean, encodeHex, encodeLabel, encodeText, encodeUnknownText } from "./text.ts";
import {
  encodeDate,
  encodeIsoDate,
  encodeIsoTime,
  encodeIsoTimestamp,
  encodeNanoTime,
  encodeNanoTimestamp,
  encodeTime,
  encodeTimestamp,
  encodeZonedTime,
  encodeZonedTimestamp,
} from "./time.ts";
import { allowedOf, connectName, itemsOf, primitiveOf } from "../types/type.ts";
import type { Json } from "../../json.ts";
import type { AvroType } from "../types/record-type.ts";

/**
 * The encoder of a field's Avro type for a column of this type, whose text it reads. The Avro type decides what is
 * written; what a text does not give without loss is UNFIT. Undefined: no such field is written here. `unseen` is
 * called for a label that the field does not list.
 */
export function encoderOf(
  avro: AvroType,
  type: ColumnType,
  modes: ValueModes = DEFAULT_MODES,
  unseen: () => void = () => {},
): Encode | undefined {
  const kind = kindOf(type);
  switch (connectName(avro) ?? primitiveOf(avro)) {
    case "boolean":
      return kind === "bit" || kind === "varbit" ? encodeBit : encodeBoolean;
    case "int":
      return typeof avro === "object" && avro["connect.type"] === "int16" ? encodeInt16 : encodeInt32;
    case "long":
      return encodeInt64;
    case "float":
      return encodeFloat32;
    case "double":
      return kind === "money" ? encodeMoneyDouble : encodeFloat64;
    case "bytes":
      return kind === "unknown" ? encodeText : encodeHex;
    case "string":
      return stringEncoder(kind, modes);
    case "map":
      return kind === "hstore" ? encodeHstoreMap : undefined;
    case "array":
      return arrayEncoder(avro, type, modes, unseen);
    case "io.debezium.data.Enum":
      return encodeLabel(labelsOf(avro, type), unseen);
    case "io.debezium.data.Json":
      return kind === "hstore" ? encodeHstoreJson : encodeText;
    case "io.debezium.data.Uuid":
    case "io.debezium.data.Xml":
    case "io.debezium.data.Ltree":
    case "io.debezium.data.Tsvector":
      return encodeText;
    case "io.debezium.data.Bits":
      return encodeBits;
    case "org.apache.kafka.connect.data.Decimal":
      return decimalEncoder(avro, kind);
    case "io.debezium.data.VariableScaleDecimal":
      return encodeVariableScale;
    default:
      return timeEncoder(avro, type) ?? structEncoder(avro, kind);
  }
}

function timeEncoder(avro: AvroType, type: ColumnType): Encode | undefined {
  switch (connectName(avro)) {
    case "io.debezium.time.Date":
    case "org.apache.kafka.connect.data.Date":
      return encodeDate;
    case "io.debezium.time.IsoDate":
      return encodeIsoDate;
    case "io.debezium.time.Time":
      return encodeTime(1000);
    case "org.apache.kafka.connect.data.Time":
      return encodeTime(1000, "lose");
    case "io.debezium.time.MicroTime":
      return encodeTime(1);
    case "io.debezium.time.NanoTime":
      return encodeNanoTime;
    case "io.debezium.time.IsoTime":
      return encodeIsoTime;
    case "io.debezium.time.ZonedTime":
      return encodeZonedTime;
    case "io.debezium.time.Timestamp":
      return encodeTimestamp(1000);
    case "org.apache.kafka.connect.data.Timestamp":
      return encodeTimestamp(1000, "lose");
    case "io.debezium.time.MicroTimestamp":
      return encodeTimestamp(1);
    case "io.debezium.time.NanoTimestamp":
      return encodeNanoTimestamp();
    case "io.debezium.time.IsoTimestamp":
      return encodeIsoTimestamp();
    case "io.debezium.time.ZonedTimestamp":
      return encodeZonedTimestamp(fractionDigits(type));
    case "io.debezium.time.MicroDuration":
      return encodeMicroDuration;
    case "io.debezium.time.Interval":
      return encodeInterval;
    default:
      return undefined;
  }
}

function structEncoder(avro: AvroType, kind: Kind): Encode | undefined {
  switch (connectName(avro)) {
    case "io.debezium.data.geometry.Point":
      return encodePoint;
    case "io.debezium.data.geometry.Circle":
      return encodeCircle;
    case "io.debezium.data.geometry.Line":
      return encodeLine;
    case "io.debezium.data.geometry.Geometry":
      if (kind === "geometry") return encodeEwkb(hasField(avro, "extensions"));
      return kind === "box" || kind === "lseg" || kind === "path" || kind === "polygon" ? encodeShape(kind) : undefined;
    case "io.debezium.data.geometry.Geography":
      return encodeEwkb(hasField(avro, "extensions"));
    case "io.debezium.data.DoubleVector":
      return encodeVector(encodeFloat64);
    case "io.debezium.data.FloatVector":
      return encodeVector(encodeFloat32);
    case "io.debezium.data.SparseDoubleVector":
      return encodeSparseVector;
    default:
      return undefined;
  }
}

/** Geometry got its field `extensions` in Debezium 3.7. */
function hasField(avro: AvroType, name: string): boolean {
  const fields = typeof avro === "object" && Array.isArray(avro["fields"]) ? avro["fields"] : [];
  return fields.some((field: Json) => JSON.stringify(field).startsWith(`{"name":"${name}"`));
}

function stringEncoder(kind: Kind, modes: ValueModes): Encode {
  const form = modes.binary === "base64-url-safe" ? "base64url" : modes.binary === "bytes" ? "hex" : modes.binary;
  switch (kind) {
    case "numeric":
      return encodeDecimalText;
    case "money":
      return encodeMoneyText;
    case "bytea":
      return encodeBinaryText(form);
    case "unknown":
      return encodeUnknownText(form);
    default:
      return encodeText;
  }
}

function arrayEncoder(avro: AvroType, type: ColumnType, modes: ValueModes, unseen: () => void): Encode | undefined {
  const items = itemsOf(avro);
  const element = elementOf(type);
  if (items === undefined || element === undefined) return undefined;
  // Debezium does not look into an element's domain: what it writes is the text
  const elementType = element.detail?.kind === "domain" ? UNKNOWN : element;
  const encode = encoderOf(items.type, elementType, modes, unseen);
  return encode === undefined ? undefined : encodeArray(encode, items.optional);
}

const UNKNOWN: ColumnType = { oid: 0, typmod: -1 };

/** `allowed` cannot say which comma parts two labels: the type's own are taken while they are the same. */
function labelsOf(avro: AvroType, type: ColumnType): readonly string[] {
  const allowed = allowedOf(avro);
  const { detail } = baseOf(type);
  return detail?.kind === "enum" && detail.labels.join(",") === allowed ? detail.labels : allowed.split(",");
}

function decimalEncoder(avro: AvroType, kind: Kind): Encode | undefined {
  if (typeof avro === "string") return undefined;
  const { scale, precision } = avro;
  if (typeof scale !== "number" || typeof precision !== "number") return undefined;
  return kind === "money" ? encodeMoney(scale) : encodeDecimal(scale, precision);
}
