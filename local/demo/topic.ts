import { randomBytes } from "node:crypto";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import { Kafka, logLevel } from "kafkajs";
import type { Addresses } from "../environment.ts";

/** One event, decoded with the schema that it names, as any consumer can. */
export interface Seen {
  readonly id: number;
  readonly op: string;
  /** null for a delete. */
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** The events of the topic in order, without tombstones. */
export interface TopicReader extends AsyncDisposable {
  readonly events: readonly Seen[];
}

/** Longs as text: `source.ts_ns` is too large for an exact JavaScript number. */
const long = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => String(buffer.readBigInt64LE()),
  toBuffer: (value: string) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(BigInt(value));
    return buffer;
  },
  fromJSON: String,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "string",
  compare: (left: string, right: string) => Number(BigInt(left) - BigInt(right)),
});

function nameOf(schema: avsc.Schema): unknown {
  return typeof schema === "object" && "type" in schema ? schema.type : schema;
}

/** Reads the committed records of a topic from its beginning. Fieldgate ignores groups whose names start with `fieldgate.`. */
export async function readTopic({ kafka, registry }: Pick<Addresses, "kafka" | "registry">, topic: string) {
  const decoder = new SchemaRegistry(
    { host: registry.url },
    { [SchemaType.AVRO]: { typeHook: (schema) => (nameOf(schema) === "long" ? long : undefined) } },
  );
  const events: Seen[] = [];
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({
    groupId: `fieldgate.demo.${randomBytes(4).toString("hex")}`,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message: { key, value } }) => {
      if (key === null || value === null) return;
      const { id } = (await decoder.decode(key)) as { id: number }; // the key of customers
      const { op, after } = (await decoder.decode(value)) as Omit<Seen, "id">; // a Debezium envelope
      events.push({ id, op, after });
    },
  });
  return { events, [Symbol.asyncDispose]: () => consumer.disconnect() } satisfies TopicReader;
}
