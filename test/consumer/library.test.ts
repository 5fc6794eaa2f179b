import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSchemaText } from "../../src/avro/schema-text.ts";
import { valueBytes } from "../../src/avro/value.ts";
import { bigintLongs } from "../../src/consumer/consumer.ts";
import { envelopeSchema, keySchema } from "../../src/event/envelope/schema.ts";
import { OID } from "../../src/event/types/table.ts";
import { sampledField, sampleEvents } from "../../src/sample/events.ts";
import { field, type ColumnSpec } from "../event/row.ts";
import { COLUMNS } from "../sample/columns.ts";

/**
 * Consumers that decode with @kafkajs/confluent-schema-registry as its README shows, `registry.decode(message.value)`,
 * and with the hook that docs/consumers.md adds.
 */

const TOPIC = "inventory.public.customers";
const ID = field({ name: "id", oid: OID.int8, notNull: true }, 0);
const KEY = keySchema(TOPIC, [ID]);

/** A registry that knows these schemas by their id. */
const schemas = new Map<number, string>();
const server = createServer((request, response) => {
  const [, id] = /^\/schemas\/ids\/(\d+)/.exec(request.url ?? "") ?? [];
  const schema = schemas.get(Number(id));
  const [status, body] = schema === undefined ? [404, { error_code: 40403 }] : [200, { schema }];
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
let host: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
});
afterAll(() => void server.close());

/** The messages of a topic whose table has the column, as Kafka has them: sample events under a new schema. */
function published(spec: ColumnSpec & { readonly columnType?: string }) {
  const text = JSON.stringify(envelopeSchema(TOPIC, [ID, field(spec, 1)]));
  const schema = parseSchemaText(text);
  const of = { topic: TOPIC, field: sampledField(schema, [spec.name]), columnType: spec.columnType ?? "" };
  const events = sampleEvents(schema, of) ?? [];
  return { events, messages: events.map((event) => framed(register(text), valueBytes(schema, event))) };
}

function register(text: string): number {
  const id = [...schemas].find(([, one]) => one === text)?.[0] ?? schemas.size + 1;
  schemas.set(id, text);
  return id;
}

function framed(id: number, bytes: Buffer | undefined): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, bytes ?? Buffer.alloc(0)]);
}

/** Makes numbers and bigints comparable, and the values of unions that the library wraps. */
const plain = (value: unknown) =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" || typeof one === "number" ? `${one}` : one));

const readme = () => new SchemaRegistry({ host });
const withHook = () => new SchemaRegistry({ host }, { [SchemaType.AVRO]: { typeHook: bigintLongs } });

describe("@kafkajs/confluent-schema-registry", () => {
  it("decodes no event as its README shows, because ts_ns is beyond 2^53", async () => {
    const registry = readme();
    const { messages } = published({ name: "name", oid: OID.text });
    expect(messages.length).toBeGreaterThan(3);
    for (const value of messages) await expect(registry.decode(value)).rejects.toThrow("potential precision loss");
  });

  it("fails at the second version of a schema if it is given a type for longs in avsc's registry", async () => {
    const long = bigintLongs("long");
    if (long === undefined) throw new Error("a type");
    const registry = new SchemaRegistry({ host }, { [SchemaType.AVRO]: { registry: { long } } });
    const [first] = published({ name: "name", oid: OID.text }).messages;
    const [second] = published({ name: "other", oid: OID.text }).messages;
    await registry.decode(first ?? Buffer.alloc(0));
    await expect(registry.decode(second ?? Buffer.alloc(0))).rejects.toThrow("duplicate type name");
  });

  it("decodes every mapped type and every version of a schema with the hook, exactly", async () => {
    const registry = withHook();
    for (const column of COLUMNS) {
      const { events, messages } = published(column);
      for (const [at, value] of messages.entries()) expect(plain(await registry.decode(value))).toBe(plain(events[at]));
    }
    // The same instance goes back to the first version, as a consumer does that reads several partitions.
    const [first] = published(COLUMNS[0] ?? { name: "", oid: 0 }).messages;
    await registry.decode(first ?? Buffer.alloc(0));
  });

  it("decodes keys with the hook, also beyond 2^53", async () => {
    const text = JSON.stringify(KEY);
    const bytes = valueBytes(parseSchemaText(text), { id: 2n ** 62n + 1n });
    const message = framed(register(text), bytes);
    await expect(readme().decode(message)).rejects.toThrow("potential precision loss");
    expect(plain(await withHook().decode(message))).toBe(plain({ id: 2n ** 62n + 1n }));
  });

  it("decodes into a reader's schema with the hook, before and after a new column flows", async () => {
    const registry = withHook();
    const readerSchema = envelopeSchema(TOPIC, [ID]) as unknown as RawAvroSchema; // an Avro record, as JSON
    for (const name of ["name", "nickname"]) {
      const { events, messages } = published({ name, oid: OID.int8 });
      for (const [at, value] of messages.entries()) {
        const event: Event = await registry.decode(value, { [SchemaType.AVRO]: { readerSchema } });
        const written = events[at] as unknown as Event; // an envelope
        expect(plain(event.after)).toBe(plain(without(written.after, name)));
        expect(event.ts_ns).toBe(written.ts_ns);
      }
    }
  });
});

type RawAvroSchema = NonNullable<NonNullable<AvroDecodeOptions>["readerSchema"]>;
type DecodeOptions = NonNullable<Parameters<SchemaRegistry["decode"]>[1]>;
type AvroDecodeOptions = DecodeOptions[SchemaType.AVRO];

interface Event {
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly ts_ns: bigint;
}

function without(row: Event["after"] | undefined, name: string): unknown {
  if (row === null || row === undefined) return null;
  const { [name]: _left, ...rest } = row;
  return rest;
}
