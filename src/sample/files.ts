import { createHash } from "node:crypto";
import type { AvroSchema } from "../avro/schema.ts";
import { type AvroValue, hasMembers, longBytes, sizedBytes, valueBytes } from "../avro/value.ts";

/** The files with sample events: an Avro container file, and plain JSON. */

/**
 * An object container file (avro.apache.org/docs/current/specification, "Object Container Files") with one block,
 * without compression. The sync marker is derived from the contents, so the same events give the same bytes.
 */
export function containerFile(
  text: string,
  schema: AvroSchema,
  values: readonly AvroValue[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const entries = Object.entries({ "avro.schema": text, "avro.codec": "null", ...metadata });
  const header = entries.flatMap(([key, value]) => [sizedBytes(Buffer.from(key)), sizedBytes(Buffer.from(value))]);
  const block = Buffer.concat(values.map((value) => valueBytes(schema, value) ?? unfit(schema)));
  const sync = createHash("sha256").update(Buffer.concat(header)).update(block).digest().subarray(0, 16);
  const head = [MAGIC, longBytes(entries.length), ...header, longBytes(0), sync];
  return Buffer.concat([...head, longBytes(values.length), sizedBytes(block), sync]);
}

/** Cannot happen, because samples are made from the schema that they are written with. */
function unfit(schema: AvroSchema): never {
  throw new Error(`a sample does not fit its ${schema.kind}`);
}

const MAGIC = Buffer.from("Obj\u0001", "latin1");
/** The metadata key of our container files: the amendment that the events are samples for. */
export const SAMPLE_KEY = "fieldgate.sample";

/** True if `containerFile` wrote this file as a sample. */
export function isSampleFile(file: Buffer): boolean {
  return file.subarray(0, MAGIC.length).equals(MAGIC) && file.includes(sizedBytes(Buffer.from(SAMPLE_KEY)));
}

/** Plain JSON, one event per line, with all digits of longs and with bytes in base64. */
export function eventsJson(events: readonly AvroValue[]): string {
  return `[\n${events.map((event) => `  ${jsonText(event)}`).join(",\n")}\n]\n`;
}

function jsonText(value: AvroValue): string {
  if (typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString("base64"));
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (!hasMembers(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, of]) => `${JSON.stringify(name)}:${jsonText(of)}`)
    .join(",")}}`;
}
