import { kafkaClient, type KafkaClient } from "../../src/kafka/client.ts";
import { readToEnd } from "../../src/kafka/read.ts";
import type { OutRecord } from "../../src/kafka/record.ts";
import { servers } from "../stack/servers.ts";

export function ourClient(log: string[] = []): KafkaClient {
  return kafkaClient({
    brokers: servers.kafka.brokers,
    clientId: "fieldgate-test",
    log: (level, message) => log.push(`${level} ${message}`),
  });
}

/** A member of the group that reads the topic. */
export async function joined(group: string, topic: string): Promise<AsyncDisposable> {
  const consumer = ourClient().inner.consumer({ groupId: group });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: () => Promise.resolve() });
  return stack.move();
}

export const maxBytes = (): number => 1_048_588;

export function record(topic: string, value: string | null, partition = 0): OutRecord {
  return { topic, partition, key: Buffer.from("k"), value: value === null ? null : Buffer.from(value) };
}

/** `offset:value` of everything a read-committed reader is given now. */
export async function read(kafka: KafkaClient, topic: string): Promise<string[]> {
  const seen: string[] = [];
  await readToEnd(kafka, topic, { onRecord: ({ offset, value }) => seen.push(`${offset}:${String(value)}`) });
  return seen;
}
