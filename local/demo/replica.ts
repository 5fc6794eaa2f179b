/**
 * A consumer as its team would write it, which copies the topic into its own table. It decodes with the schema that each
 * event names and builds SQL from the keys of the row, like a JDBC sink without schema evolution: an event with a field
 * that its table lacks stops it.
 */
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import kafkajs from "kafkajs";
import pg from "pg";

type Row = Readonly<Record<string, unknown>>;

const { KAFKA_BROKERS = "", REGISTRY_URL = "", TOPIC = "", DATABASE_URL = "" } = process.env;

// Debezium's source.ts_ns is too large for an exact JavaScript number, and avsc refuses it without this type.
const long = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (left: bigint, right: bigint) => Number(left - right),
});
function nameOf(schema: avsc.Schema): unknown {
  return typeof schema === "object" && "type" in schema ? schema.type : schema;
}
const registry = new SchemaRegistry(
  { host: REGISTRY_URL },
  { [SchemaType.AVRO]: { typeHook: (schema) => (nameOf(schema) === "long" ? long : undefined) } },
);
const database = new pg.Client(DATABASE_URL);

function upsert(row: Row): Promise<unknown> {
  const columns = Object.keys(row).map((name) => database.escapeIdentifier(name));
  const places = columns.map((_, at) => `$${at + 1}`);
  const updates = columns.map((name) => `${name} = excluded.${name}`);
  return database.query(
    `INSERT INTO customers (${columns.join(", ")}) VALUES (${places.join(", ")})
     ON CONFLICT (id) DO UPDATE SET ${updates.join(", ")}`,
    Object.values(row),
  );
}

async function apply(key: Buffer, value: Buffer): Promise<void> {
  const { after } = await registry.decode(value);
  if (after !== null) await upsert(after);
  else await database.query("DELETE FROM customers WHERE id = $1", [(await registry.decode(key)).id]);
}

// By default, kafkajs reads only committed records. A Java consumer must set isolation.level.
const kafka = new kafkajs.Kafka({
  clientId: "replica",
  brokers: KAFKA_BROKERS.split(","),
  logLevel: kafkajs.logLevel.NOTHING,
});
const consumer = kafka.consumer({ groupId: "replica", maxWaitTimeInMs: 200 });
consumer.on(consumer.events.CRASH, () => process.exit(1));
process.once("SIGTERM", () => void consumer.disconnect().then(() => process.exit(0)));
await database.connect();
await consumer.connect();
await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message: { key, value } }) => {
    if (key === null || value === null) return;
    // A retry does not help if PostgreSQL refuses the statement.
    await apply(key, value).catch((error: Error) => {
      console.error(error.toString());
      throw new kafkajs.KafkaJSNonRetriableError(error);
    });
  },
});
