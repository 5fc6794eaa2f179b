/**
 * How many events are decoded per second: `eventReader` compared with @kafkajs/confluent-schema-registry's own decode,
 * which compiles a resolver for each message if it has a reader's schema. They take turns in one process, without
 * servers. The event has 20 columns, as the service writes it, and longs are bigints. Run `npm run perf:decode`.
 */
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import type avsc from "avsc";
import { eventReader } from "../../src/consumer/consumer.ts";
import { avscType } from "../../src/consumer/long.ts";
import { OID } from "../../src/event/types/table.ts";
import { envelopeSchema } from "../../src/event/envelope/schema.ts";
import { change, field, MARK, shapeOf, rowEncoderOf } from "../event/row.ts";
import { percentile } from "./scene.ts";

const ROUNDS = 7;
const ROUND_MS = 300;
const TOPIC = "inventory.public.t";
const KINDS = [
  { oid: OID.int8, text: "9007199254740993" },
  { oid: OID.int4, text: "12345" },
  { oid: OID.text, text: "some text of a row" },
  { oid: OID.timestamp, text: "2025-01-01 00:00:00.123456" },
] as const;

const columns = Array.from({ length: 5 }, () => KINDS).flat();
const fields = columns.map(({ oid }, at) => field({ name: `c${at}`, oid }, at));
const writer = envelopeSchema(TOPIC, fields);
const reader = envelopeSchema(TOPIC, fields.slice(0, -1));
const [event] = rowEncoderOf(shapeOf(TOPIC, fields, [])).change(
  change(
    "insert",
    columns.map(({ text }) => text),
  ),
  MARK,
);
const bytes = event?.value ?? Buffer.alloc(0);
const id = bytes.readInt32BE(1);

const long = avscType("long", "bigint");
const typeHook = (one: avsc.Schema) =>
  one === "long" || (typeof one === "object" && "type" in one && one.type === "long") ? long : undefined;
const registry = new SchemaRegistry({ host: "http://127.0.0.1:1" }, { [SchemaType.AVRO]: { typeHook } });
const written = avscType(writer as avsc.Schema, "bigint") as unknown; // our schemas are avsc's; the cache takes its types
registry.cache.setSchema(id, SchemaType.AVRO, written as Parameters<typeof registry.cache.setSchema>[2]);
const readerSchema = reader as never; // a record, as the library's type of raw schemas wants

const ours = eventReader({ registry, topic: TOPIC, schema: reader });
const oursAsWritten = eventReader({ registry, topic: TOPIC });
const ways: Readonly<Record<string, () => Promise<unknown>>> = {
  "eventReader, reader's schema": () => ours.decode(bytes),
  "library, reader's schema": () => registry.decode(bytes, { [SchemaType.AVRO]: { readerSchema } }),
  "eventReader, event's schema": () => oursAsWritten.decode(bytes),
  "library, event's schema": () => registry.decode(bytes),
};

const rates = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, decode] of Object.entries(ways)) {
    const rate = await rateOf(decode);
    if (round > 0) rates.get(name)?.push(rate);
  }
}
for (const [name, of] of rates) console.log(`${name.padEnd(30)} ${Math.round(percentile(of, 0.5))} events/s`);

async function rateOf(decode: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < ROUND_MS; count++) await decode();
  return (count * 1000) / (performance.now() - start);
}
