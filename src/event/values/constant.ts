import { createHash } from "node:crypto";
import type { ColumnType } from "../../table/column.ts";
import { kindOf, numericOf, type Kind } from "../types/kind.ts";
import type { ValueModes } from "../types/modes.ts";
import { decimalText } from "./number.ts";
import { connectName, itemsOf, primitiveOf } from "../types/type.ts";
import type { Json } from "../../json.ts";
import type { AvroType } from "../types/record-type.ts";

/** What Debezium writes for a required column that the old key tuple does not hold, as a text of the type. */
export function fallbackText(type: ColumnType, modes: ValueModes): string {
  const kind = kindOf(type);
  if (kind === "money") return decimalText(0n, modes.moneyDigits);
  return kind === "numeric" ? decimalText(0n, numericOf(type)?.scale ?? 0) : (FALLBACK[kind] ?? "");
}

const FALLBACK: Readonly<Partial<Record<Kind, string>>> = {
  bool: "f",
  bit: "0",
  varbit: "0",
  int2: "0",
  int4: "0",
  int8: "0",
  oid: "0",
  float4: "0",
  float8: "0",
  bytea: "\\x",
  date: "1970-01-01",
  time: "00:00:00",
  timestamp: "1970-01-01 00:00:00",
  timestamptz: "1970-01-01 00:00:00+00",
  timetz: "00:00:00+00",
  interval: "00:00:00",
  array: "{}",
  vector: "[0]",
  halfvec: "[0]",
  sparsevec: "{}/0",
  point: "(0,0)",
  circle: "<(0,0),0>",
  line: "{0,1,0}",
  box: "(0,0),(1,1)",
  lseg: "[(0,0),(1,0)]",
  path: "[(0,0),(1,0)]",
  polygon: "((0,0),(1,0),(0,1))",
  geometry: "010700000000000000",
  geography: "010700000000000000",
};

/**
 * What stands for an unchanged value that is stored out of line and not in the log (Debezium's
 * UnchangedToastedPlaceholder), as JSON of the Avro type. Undefined: the type has none, or is never stored so.
 */
export function unavailableValue(avro: AvroType, kind: Kind, placeholder: string): Json | undefined {
  const items = itemsOf(avro);
  if (items !== undefined) return unavailableItems(items.type, placeholder);
  switch (connectName(avro) ?? primitiveOf(avro)) {
    case "string":
    case "io.debezium.data.Xml":
    case "io.debezium.data.Ltree":
    case "io.debezium.data.Tsvector":
      return placeholder;
    case "io.debezium.data.Json":
      return kind === "hstore" ? JSON.stringify({ [placeholder]: placeholder }) : placeholder;
    case "bytes":
      return Buffer.from(placeholder).toString("latin1");
    case "map":
      return { [placeholder]: placeholder };
    default:
      return undefined;
  }
}

/** Texts are one element; numbers are the placeholder's bytes (Java's, with a sign), one each. */
function unavailableItems(items: AvroType, placeholder: string): Json | undefined {
  switch (connectName(items) ?? primitiveOf(items)) {
    case "int":
    case "long":
    case "io.debezium.time.Date":
    case "org.apache.kafka.connect.data.Date":
      return [...new Int8Array(Buffer.from(placeholder))];
    case "io.debezium.data.Uuid":
      return [nameUuid(placeholder)];
    case "io.debezium.data.Enum":
      return [placeholder];
    default: {
      const one = unavailableValue(items, "unknown", placeholder);
      return one === undefined ? undefined : [one];
    }
  }
}

/** java.util.UUID.nameUUIDFromBytes: MD5 with version 3. */
function nameUuid(name: string): string {
  const bytes = createHash("md5").update(name).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x30, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
