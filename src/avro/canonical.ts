import { Buffer } from "node:buffer";
import type { AvroNamed, AvroSchema } from "./schema.ts";

/**
 * Avro's Parsing Canonical Form (specification, "Transforming into Parsing Canonical Form"). It drops defaults, aliases, enum
 * defaults and logical types, so schemas with equal forms can still read differently. Never use it as an identity.
 */
export function canonicalForm(schema: AvroSchema): string {
  return write(schema, new Set());
}

function write(schema: AvroSchema, written: Set<string>): string {
  switch (schema.kind) {
    case "union":
      return `[${schema.branches.map((branch) => write(branch, written)).join(",")}]`;
    case "array":
      return `{"type":"array","items":${write(schema.items, written)}}`;
    case "map":
      return `{"type":"map","values":${write(schema.values, written)}}`;
    case "record":
    case "enum":
    case "fixed":
      if (written.has(schema.fullName)) return `"${schema.fullName}"`;
      written.add(schema.fullName);
      return `{"name":"${schema.fullName}","type":"${schema.kind}",${writeBody(schema, written)}}`;
    default:
      return `"${schema.kind}"`;
  }
}

function writeBody(schema: AvroNamed, written: Set<string>): string {
  switch (schema.kind) {
    case "enum":
      return `"symbols":[${schema.symbols.map((symbol) => `"${symbol}"`).join(",")}]`;
    case "fixed":
      return `"size":${schema.size}`;
    case "record": {
      const fields = schema.fields.map(({ name, type }) => `{"name":"${name}","type":${write(type, written)}}`);
      return `"fields":[${fields.join(",")}]`;
    }
    default:
      return schema satisfies never;
  }
}

const EMPTY = 0xc15d213aa4d7a795n;

/** The CRC-64-AVRO of a text's UTF-8 bytes, unsigned (specification, "Schema Fingerprints"). */
export function crc64Avro(text: string): bigint {
  let crc = EMPTY;
  for (const byte of Buffer.from(text, "utf8")) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (EMPTY & -(crc & 1n));
  }
  return crc;
}
