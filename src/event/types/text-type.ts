import type { ColumnType } from "../../table/column.ts";
import { baseOf, elementOf, kindOf, OID } from "./kind.ts";
import type { ValueModes } from "./modes.ts";
import { allowedOf, avroTypeOf, connectName, itemsOf, primitiveOf, scaleOf } from "./type.ts";
import type { AvroType } from "./record-type.ts";

/**
 * The column type whose texts a field's Avro type is written from: the one it was made for, unless that type is
 * written otherwise (the field was registered by another, or under other modes). Then the one Debezium's defaults
 * map to it.
 */
export function textTypeOf(avro: AvroType, made: ColumnType, modes: ValueModes): ColumnType {
  const own = avroTypeOf(made, modes);
  return own !== undefined && signature(own) === signature(avro) ? made : (typeOfAvro(avro) ?? made);
}

/** What decides an Avro type's bytes and their meaning. */
function signature(avro: AvroType): string {
  const items = itemsOf(avro);
  const of = items === undefined ? "" : `<${items.optional ? "?" : ""}${signature(items.type)}>`;
  const small = typeof avro === "object" && avro["connect.type"] === "int16" ? "16" : "";
  return `${connectName(avro) ?? primitiveOf(avro)}${small}${of}/${scaleOf(avro)}`;
}

function typeOfAvro(avro: AvroType): ColumnType | undefined {
  const name = connectName(avro) ?? primitiveOf(avro);
  const items = itemsOf(avro);
  const element = items && typeOfAvro(items.type);
  if (name === "array" && element !== undefined) return plain(0, -1, { kind: "array", of: element });
  if (typeof avro === "object") {
    const { precision } = avro;
    if (typeof precision === "number" && scaleOf(avro) >= 0) {
      return plain(OID.numeric, (precision << 16) + scaleOf(avro) + 4);
    }
    if (avro["connect.type"] === "int16") return plain(OID.int2);
    if (name === "io.debezium.data.Enum")
      return plain(0, -1, { kind: "enum", name: "", labels: allowedOf(avro).split(",") });
  }
  return TYPES[name];
}

function plain(oid: number, typmod = -1, detail?: ColumnType["detail"]): ColumnType {
  return detail === undefined ? { oid, typmod } : { oid, typmod, detail };
}

const TYPES: Readonly<Record<string, ColumnType>> = {
  boolean: plain(OID.bool),
  int: plain(OID.int4),
  long: plain(OID.int8),
  float: plain(OID.float4),
  double: plain(OID.float8),
  bytes: plain(OID.bytea),
  string: plain(OID.text),
  map: plain(0, -1, { kind: "named", name: "hstore" }),
  "io.debezium.data.Uuid": plain(OID.uuid),
  "io.debezium.data.Json": plain(OID.json),
  "io.debezium.data.Xml": plain(OID.xml),
  "io.debezium.data.Ltree": plain(0, -1, { kind: "named", name: "ltree" }),
  "io.debezium.data.Tsvector": plain(OID.tsvector),
  "io.debezium.data.Bits": plain(OID.varbit),
  "io.debezium.data.VariableScaleDecimal": plain(OID.numeric),
  "io.debezium.time.Date": plain(OID.date),
  "io.debezium.time.IsoDate": plain(OID.date),
  "org.apache.kafka.connect.data.Date": plain(OID.date),
  "io.debezium.time.Time": plain(OID.time, 3),
  "io.debezium.time.MicroTime": plain(OID.time),
  "io.debezium.time.NanoTime": plain(OID.time),
  "io.debezium.time.IsoTime": plain(OID.time),
  "org.apache.kafka.connect.data.Time": plain(OID.time),
  "io.debezium.time.ZonedTime": plain(OID.timetz),
  "io.debezium.time.Timestamp": plain(OID.timestamp, 3),
  "io.debezium.time.MicroTimestamp": plain(OID.timestamp),
  "io.debezium.time.NanoTimestamp": plain(OID.timestamp),
  "io.debezium.time.IsoTimestamp": plain(OID.timestamp),
  "org.apache.kafka.connect.data.Timestamp": plain(OID.timestamp),
  "io.debezium.time.ZonedTimestamp": plain(OID.timestamptz),
  "io.debezium.time.MicroDuration": plain(OID.interval),
  "io.debezium.time.Interval": plain(OID.interval),
};

/** Texts of one mean the same under the other. */
export function isSameText(a: ColumnType, b: ColumnType): boolean {
  const [x, y] = [baseOf(a), baseOf(b)];
  const [ofX, ofY] = [elementOf(x), elementOf(y)];
  if (ofX !== undefined && ofY !== undefined) return isSameText(ofX, ofY);
  const isSameKind = kindOf(x) === "unknown" ? x.oid === y.oid : kindOf(x) === kindOf(y);
  return isSameKind && x.typmod === y.typmod && (kindOf(x) !== "enum" || x.oid === y.oid);
}
