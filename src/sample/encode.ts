import { createHash } from "node:crypto";
import type { AvroRecord, AvroSchema } from "../avro/schema.ts";
import { writeBigLong } from "../event/values/bytes.ts";
import { isRecord, type Sample } from "./sample.ts";

/**
 * An object container file (avro.apache.org/docs/current/specification, "Object Container Files") of one block, without
 * compression. The sync marker is made of the file's contents: the same events give the same bytes.
 */
export function containerFile(
  text: string,
  schema: AvroSchema,
  values: readonly Sample[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const entries = Object.entries({ "avro.schema": text, "avro.codec": "null", ...metadata });
  const header = entries.map(([key, value]) => [sized(Buffer.from(key)), sized(Buffer.from(value))]).flat();
  const block = Buffer.concat(values.map((value) => avroBytes(schema, value)));
  const sync = createHash("sha256").update(Buffer.concat(header)).update(block).digest().subarray(0, 16);
  const head = [MAGIC, long(entries.length), ...header, long(0), sync];
  return Buffer.concat([...head, long(values.length), sized(block), sync]);
}

const MAGIC = Buffer.from("Obj\u0001", "latin1");
/** Of our container files: the amendment they are samples of. */
export const SAMPLE_KEY = "fieldgate.sample";

/** Does the file say that `containerFile` wrote it with the metadata of a sample? */
export function isSampleFile(file: Buffer): boolean {
  return file.subarray(0, MAGIC.length).equals(MAGIC) && file.includes(sized(Buffer.from(SAMPLE_KEY)));
}

/** The value in Avro's binary form; a union's value is of its null or of its first other branch. */
function avroBytes(schema: AvroSchema, value: Sample): Buffer {
  switch (schema.kind) {
    case "null":
      return Buffer.alloc(0);
    case "boolean":
      return Buffer.from([value === true ? 1 : 0]);
    case "int":
    case "long":
      return typeof value === "bigint" || typeof value === "number" ? long(value) : unfit(schema);
    case "float":
    case "double":
      return typeof value === "number" ? floating(schema.kind, value) : unfit(schema);
    case "string":
      return typeof value === "string" ? sized(Buffer.from(value)) : unfit(schema);
    case "bytes":
      return Buffer.isBuffer(value) ? sized(value) : unfit(schema);
    case "fixed":
      return Buffer.isBuffer(value) && value.length === schema.size ? value : unfit(schema);
    case "enum":
      return long(schema.symbols.findIndex((symbol) => symbol === value));
    case "array":
      return Array.isArray(value) ? blocks(value.map((item: Sample) => avroBytes(schema.items, item))) : unfit(schema);
    case "map": {
      if (!isRecord(value)) return unfit(schema);
      const pairs = Object.entries(value).map(([key, of]) => [sized(Buffer.from(key)), avroBytes(schema.values, of)]);
      return blocks(pairs.map((pair) => Buffer.concat(pair)));
    }
    case "union": {
      const index = schema.branches.findIndex(({ kind }) => (kind === "null") === (value === null));
      const branch = schema.branches[index];
      return branch === undefined ? unfit(schema) : Buffer.concat([long(index), avroBytes(branch, value)]);
    }
    case "record":
      return recordBytes(schema, value);
    default:
      return schema satisfies never;
  }
}

function recordBytes(record: AvroRecord, value: Sample): Buffer {
  if (!isRecord(value)) return unfit(record);
  return Buffer.concat(record.fields.map(({ name, type }) => avroBytes(type, value[name] ?? null)));
}

/** A sample is made from the schema it is written with. */
function unfit(schema: AvroSchema): never {
  throw new Error(`a sample that is no ${schema.kind}`);
}

function long(value: number | bigint): Buffer {
  const out = Buffer.alloc(10);
  return out.subarray(0, writeBigLong(out, 0, BigInt(value)));
}

function floating(kind: "float" | "double", value: number): Buffer {
  const out = Buffer.alloc(8);
  return out.subarray(0, kind === "float" ? out.writeFloatLE(value) : out.writeDoubleLE(value));
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([long(bytes.length), bytes]);
}

function blocks(items: readonly Buffer[]): Buffer {
  return items.length === 0 ? long(0) : Buffer.concat([long(items.length), ...items, long(0)]);
}
