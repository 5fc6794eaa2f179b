/**
 * A consumer as its team would write it, which knows how to greet every customer. It decodes with the schema in its own
 * repository (customers.avsc in the working directory), so it never sees a field that the schema does not name. It serves
 * what it knows as JSON on GREETER_PORT.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { Kafka, logLevel } from "kafkajs";

interface Customer {
  readonly id: number;
  readonly name: string;
  readonly nickname: string | null;
  readonly loyalty: string | null;
}

const { KAFKA_BROKERS = "", REGISTRY_URL = "", TOPIC = "", GREETER_PORT = "0" } = process.env;
const readerSchema = JSON.parse(await readFile("customers.avsc", "utf8"));
const registry = new SchemaRegistry({ host: REGISTRY_URL });
const customers = new Map<number, Customer>();

async function apply(key: Buffer, value: Buffer): Promise<void> {
  const { after } = await registry.decode(value, { [SchemaType.AVRO]: { readerSchema } });
  if (after !== null) customers.set(after.id, { ...after });
  else customers.delete((await registry.decode(key)).id);
}

const server = createServer((_, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify([...customers.values()].sort((a, b) => a.id - b.id)));
});
server.listen(Number(GREETER_PORT), "127.0.0.1");

// By default, kafkajs reads only committed records. A Java consumer must set isolation.level.
const kafka = new Kafka({ clientId: "greeter", brokers: KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: "greeter", maxWaitTimeInMs: 200 });
consumer.on(consumer.events.CRASH, ({ payload }) => {
  console.error(payload.error.toString());
  process.exit(1);
});
process.once("SIGTERM", () => void consumer.disconnect().then(() => process.exit(0)));
await consumer.connect();
// What it knows is only in memory, so it reads from the beginning at every start.
await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ message: { key, value } }) => {
    if (key !== null && value !== null) await apply(key, value);
  },
});
