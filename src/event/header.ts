import type { Field } from "../table/shape.ts";
import { byteAt } from "./bytes.ts";
import { decodeValue, readUnscaled, type Primitive } from "./decode.ts";
import { baseType } from "./field.ts";
import { scaleOf, type AvroType } from "./type.ts";

const FRAME = 5;

/**
 * A key as Debezium's `__debezium.newkey` and `__debezium.oldkey` headers carry it: Connect's SimpleHeaderConverter
 * (org.apache.kafka.connect.data.Values) writes the key struct as `{"id":1,"code":"a"}`, bytes as base64.
 */
export function keyHeader(fields: readonly Field[], key: Buffer): Buffer {
  let at = FRAME;
  const parts = fields.map((field) => {
    const avro = baseType(field.avro);
    if (Array.isArray(field.avro.type)) {
      const chosen = byteAt(key, at++) / 2;
      if (field.avro.type[chosen] === "null") return `${quote(field.name)}:null`;
    }
    const { value, end } = decodeValue(avro, key, at);
    at = end;
    return `${quote(field.name)}:${literal(avro, value)}`;
  });
  return Buffer.from(`{${parts.join(",")}}`);
}

function literal(avro: AvroType, value: Primitive): string {
  if (typeof value === "string") return quote(value);
  if (!Buffer.isBuffer(value)) return String(value);
  if (typeof avro === "object" && avro["logicalType"] === "decimal") return decimal(readUnscaled(value), scaleOf(avro));
  return quote(value.toString("base64"));
}

function decimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${unscaled < 0n ? "-" : ""}${whole}${scale === 0 ? "" : `.${digits.slice(whole.length)}`}`;
}

/** Values escapes backslash and quote, nothing else. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
