import { expect, test } from "vitest";
import { openAppender } from "../../src/kafka/append.ts";
import { kafkaClient } from "../../src/kafka/client.ts";
import { liveGroups } from "../../src/kafka/groups.ts";
import { tailTopic } from "../../src/kafka/tail.ts";
import { createTopic } from "../../src/kafka/topics.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { ourClient } from "./place.ts";

test("a consumer's group is seen while it reads and by its offsets afterwards, ours are not", async () => {
  const kafka = ourClient();
  const topic = uniquePrefix();
  const quiet = `${topic}.quiet`;
  await createTopic(kafka, { name: topic, partitions: 1 });
  await createTopic(kafka, { name: quiet, partitions: 1 });
  await using appender = await openAppender(kafka);
  await appender.append(topic, 0, null, Buffer.from("a"));
  await using _ours = await tailTopic(kafka, { topic, from: "beginning", onRecord: () => {} });

  const consumer = kafka.inner.consumer({ groupId: `${topic}.group` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: () => Promise.resolve() });
  const look = async (name: string) => {
    const seen = await liveGroups(kafka, [topic, quiet, `${topic}.none`]);
    return seen.kind === "seen" ? seen.byTopic.get(name) : seen.why;
  };
  const offsets = new Map([[0, 1n]]);
  const reading = [{ group: `${topic}.group`, members: 1, offsets }];
  await until(async () => JSON.stringify(await look(topic), big) === JSON.stringify(reading, big), "the group is seen");
  expect(await look(quiet)).toStrictEqual([]);
  expect(await look(`${topic}.none`)).toStrictEqual([]);
  await consumer.disconnect();
  expect(await look(topic)).toStrictEqual([{ group: `${topic}.group`, members: 0, offsets }]);
});

test("not being able to look is a value", async () => {
  const nobody = kafkaClient({ brokers: ["127.0.0.1:9"], clientId: "t" });
  expect(await liveGroups(nobody, ["a"])).toMatchObject({
    kind: "unknown",
    why: expect.stringContaining("[kafka-down]"),
  });
});

function big(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Map ? [...value] : value;
}
