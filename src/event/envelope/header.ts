import type { Field } from "../../table/shape.ts";
import { decodeValue, readUnscaled, type Value } from "../values/decode.ts";
import { decimalText } from "../values/number-text.ts";
import { type Json, isObject } from "../../json.ts";

const FRAME = 5;

/**
 * A key in the form of Debezium's `__debezium.newkey` and `__debezium.oldkey` headers: Connect's SimpleHeaderConverter
 * (org.apache.kafka.connect.data.Values) writes the key struct as `{"id":1,"code":"a"}`, and bytes in base64.
 */
export function keyHeader(fields: readonly Field[], key: Buffer): Buffer {
  let at = FRAME;
  const parts = fields.map((field) => {
    const { value, end } = decodeValue(field.avro.type, key, at);
    at = end;
    return `${quote(field.name)}:${literal(field.avro.type, value)}`;
  });
  return Buffer.from(`{${parts.join(",")}}`);
}

function literal(avro: Json, value: Value): string {
  if (Array.isArray(avro)) return literal(avro.find((branch: Json) => branch !== "null") ?? null, value);
  const type = isObject(avro) ? avro : {};
  if (typeof value === "string") return quote(value);
  if (Buffer.isBuffer(value)) {
    const isDecimal = type["logicalType"] === "decimal" && typeof type["scale"] === "number";
    return isDecimal ? decimalText(readUnscaled(value), Number(type["scale"])) : quote(value.toString("base64"));
  }
  if (typeof value !== "object" || value === null) return String(value);
  if ("members" in value) {
    return `{${value.members.map(([name, member, one]) => `${quote(name)}:${literal(member, one)}`).join(",")}}`;
  }
  return `[${value.map((item) => literal(type["items"] ?? null, item)).join(",")}]`;
}

/** Like Connect's Values, escapes only backslashes and quotes. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
