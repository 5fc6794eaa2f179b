import type { Kafka } from "kafkajs";
import type { Collected } from "../stack/collect.ts";

/** The last record of a partition, which the test writes after all others have stopped writing. */
const END = Buffer.from("end of the run");

/**
 * Calls back with every record of every topic whose name contains this text, including those of aborted and open
 * transactions. Nothing may write to the topics at that time.
 */
export async function scanTopics(kafka: Kafka, name: string, onRecord: (record: Collected) => void): Promise<void> {
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  const { topics } = await admin.fetchTopicMetadata({
    topics: (await admin.listTopics()).filter((t) => t.includes(name)),
  });
  const open = new Set(
    topics.flatMap(({ name: topic, partitions }) => partitions.map((p) => `${topic}/${p.partitionId}`)),
  );
  for (const { name: topic, partitions } of topics) {
    const messages = partitions.map(({ partitionId }) => ({ partition: partitionId, key: END, value: null }));
    await producer.send({ topic, messages });
  }
  await Promise.all([admin.disconnect(), producer.disconnect()]);
  const consumer = kafka.consumer({ groupId: `fieldgate.test.scan.${name}`, readUncommitted: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topics: topics.map((topic) => topic.name), fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      const { key, value, headers = {}, offset, timestamp } = message;
      if (key?.equals(END) === true) open.delete(`${topic}/${partition}`);
      onRecord({ topic, partition, key, value, headers, offset: BigInt(offset), timestamp: BigInt(timestamp) });
      if (open.size === 0) resolve();
    },
  });
  await promise;
  await consumer.disconnect();
}
