import { expect, test } from "vitest";
import { kafkaClient } from "../../src/kafka/client.ts";
import { createTopics } from "../../src/kafka/topics.ts";
import { openWriter, type WriterOptions } from "../../src/kafka/writer.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { maxBytes, ourClient, read, record } from "./place.ts";

async function topicAndWriter(more: Partial<WriterOptions> = {}) {
  const kafka = ourClient();
  const topic = uniquePrefix();
  await createTopics(kafka, [{ name: topic, partitions: 1 }]);
  const open = () => openWriter(kafka, { transactionalId: topic, maxBytes, ...more });
  return { kafka, topic, open };
}

test("a commit's records are all seen, over several sends and topics, in order", async () => {
  const { kafka, topic, open } = await topicAndWriter();
  const other = `${topic}.other`;
  await createTopics(kafka, [{ name: other, partitions: 1 }]);
  await using writer = await open();
  const all = Array.from({ length: 1_200 }, (_, index) => record(index % 10 === 0 ? other : topic, String(index)));
  await writer.commit(all);
  await until(async () => (await read(kafka, topic)).length === 1_080, "all records are seen");
  const numbers = (await read(kafka, topic)).map((each) => Number(each.split(":")[1]));
  expect(numbers).toStrictEqual(numbers.toSorted((a, b) => a - b));
  expect(await read(kafka, other)).toHaveLength(120);
});

test("records that are sent and not committed are not seen", async () => {
  const { kafka, topic } = await topicAndWriter();
  const producer = kafka.inner.producer({ transactionalId: topic, idempotent: true, createPartitioner: () => () => 0 });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ key: "k", value: "1" }] });
  expect(await read(kafka, topic)).toStrictEqual([]);
  await transaction.commit();
  await until(async () => (await read(kafka, topic)).length === 1, "the committed record is seen");
  await producer.disconnect();
});

test("an older writer of the same id is fenced by the newer one's first commit, and stays dead", async () => {
  const { kafka, topic, open } = await topicAndWriter();
  await using zombie = await open();
  await zombie.commit([record(topic, "old")]);
  await using writer = await open();
  await zombie.commit([record(topic, "before the first commit")]);
  await writer.commit([record(topic, "new")]);
  await expect(zombie.commit([record(topic, "zombie")])).rejects.toMatchObject({ code: "kafka-fenced" });
  await expect(zombie.commit([record(topic, "zombie")])).rejects.toThrow("is dead");
  await writer.commit([record(topic, "newer")]);
  await until(async () => (await read(kafka, topic)).at(-1)?.endsWith(":newer"), "the newer record is seen");
  const values = (await read(kafka, topic)).map((each) => each.split(":")[1]);
  expect(values).toStrictEqual(["old", "before the first commit", "new", "newer"]);
});

test("records for a partition that the topic does not have make the commit fail, and none of them is seen", async () => {
  const { kafka, topic, open } = await topicAndWriter();
  {
    await using writer = await open();
    const commit = writer.commit([record(topic, "lost?"), record(topic, "nowhere", 7)]);
    await expect(commit).rejects.toThrow(`no broker took partition 7 of topic ${topic}`);
  }
  await using writer = await open();
  await writer.commit([record(topic, "started")]);
  await until(async () => (await read(kafka, topic)).length > 0, "the started record is seen");
  expect(await read(kafka, topic)).toStrictEqual([expect.stringMatching(/:started$/)]);
});

test("a record that is too large is refused before anything is sent, and the writer survives", async () => {
  const { topic, open } = await topicAndWriter();
  await using writer = await open();
  await expect(writer.commit([record(topic, "x".repeat(1_048_588))])).rejects.toMatchObject({
    code: "record-too-large",
  });
  await writer.commit([record(topic, "x".repeat(1_048_000))]);
});

test("a topic that does not exist is named", async () => {
  const { topic, open } = await topicAndWriter({ commitTimeoutMs: 1_500 });
  await using writer = await open();
  const commit = writer.commit([record(`${topic}.none`, "x")]);
  await expect(commit).rejects.toThrow(`[topic-missing] no topic ${topic}.none`);
});

test("a commit that is running when its signal aborts is finished, and no other is started", async () => {
  const { kafka, topic, open } = await topicAndWriter();
  await using writer = await open();
  await writer.commit([record(topic, "first")]);
  const stop = new AbortController();
  const commit = writer.commit([record(topic, "x".repeat(500_000)), record(topic, "last")], stop.signal);
  stop.abort(new Error("stopping"));
  await commit;
  await until(async () => (await read(kafka, topic)).length === 3, "it is seen");
  await expect(writer.commit([record(topic, "more")], stop.signal)).rejects.toThrow("stopping");
});

test("an aborted signal abandons a commit that does not end in time, and the writer with it", async () => {
  const { topic, open } = await topicAndWriter({ graceMs: 50 });
  await using writer = await open();
  const stop = new AbortController();
  const commit = writer.commit([record(`${topic}.none`, "x")], stop.signal);
  stop.abort(new Error("stopping"));
  await expect(commit).rejects.toThrow("stopping");
  await expect(writer.commit([record(topic, "x")])).rejects.toThrow("is dead");
});

test("a missing broker is kafka-down in bounded time", async () => {
  const kafka = kafkaClient({ brokers: ["127.0.0.1:9"], clientId: "t" });
  await expect(openWriter(kafka, { transactionalId: "t", maxBytes })).rejects.toMatchObject({ code: "kafka-down" });
});
