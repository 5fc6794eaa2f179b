import { Buffer } from "node:buffer";
import avsc from "avsc";
import { meaningFindings } from "../../../src/rules/meaning/meaning.ts";
import type { Consumer } from "../../../src/rules/meaning/rule.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import type { AvroRecord } from "../../../src/avro/schema.ts";
import type { Json } from "../../../src/json.ts";

/** A row's fields, as the JSON of a schema. */
export type Fields = readonly Json[];

export const MILLIS: Json = { type: "long", "connect.version": 1, "connect.name": "io.debezium.time.Timestamp" };
export const MICROS: Json = { type: "long", "connect.version": 1, "connect.name": "io.debezium.time.MicroTimestamp" };

export function decimal(precision: number, scale: number): Json {
  return {
    type: "bytes",
    scale,
    precision,
    "connect.version": 1,
    "connect.parameters": { scale: String(scale), "connect.decimal.precision": String(precision) },
    "connect.name": "org.apache.kafka.connect.data.Decimal",
    logicalType: "decimal",
  };
}

/** One field `c`, without a default. */
export function of(type: Json): Fields {
  return [{ name: "c", type }];
}

/** One field `c`, nullable with the default null. */
export function nullable(type: Json): Fields {
  return [{ name: "c", type: ["null", type], default: null }];
}

function json(fields: Fields): Json {
  return { type: "record", name: "Value", fields: [...fields] };
}

export function row(fields: Fields): AvroRecord {
  const schema = parseSchema(json(fields));
  if (schema.kind !== "record") throw new Error("a row is a record");
  return schema;
}

/** The rules that find something, each followed by its field. */
export function found(before: Fields, after: Fields, consumer: Consumer = {}): readonly string[] {
  return meaningFindings(row(before), row(after), consumer).map(({ rule, name }) => `${rule} ${name}`);
}

/** Writes `fields` with `writer` and reads them with `reader`, both in avsc. */
export function reading(writer: Fields, reader: Fields, values: object): Readonly<Record<string, unknown>> {
  const [written, read] = [writer, reader].map(
    (fields) => avsc.Type.forSchema(json(fields) as unknown as avsc.Schema, { wrapUnions: false }), // JSON is what avsc parses
  );
  if (written === undefined || read === undefined) throw new Error("unreachable");
  const value: unknown = read.fromBuffer(written.toBuffer(values), read.createResolver(written));
  if (typeof value !== "object" || value === null) throw new Error("a row is an object");
  return Object.fromEntries(Object.entries(value));
}

/** A decimal's bytes: the unscaled value, signed and big-endian, here in 4 bytes. */
export function unscaled(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** The value that a reader with this scale gets from a decimal's bytes. */
export function atScale(bytes: unknown, scale: number): number {
  if (!Buffer.isBuffer(bytes)) throw new Error("a decimal is bytes");
  return Number(BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString("hex")}`))) / 10 ** scale;
}
