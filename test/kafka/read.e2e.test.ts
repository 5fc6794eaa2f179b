import { expect, test } from "vitest";
import { readToEnd } from "../../src/kafka/read.ts";
import { createTopics, stateTopicConfig, topicOffsets } from "../../src/kafka/topics.ts";
import { openWriter } from "../../src/kafka/writer.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { maxBytes, ourClient, read, record } from "./place.ts";

async function stateTopic() {
  const kafka = ourClient();
  const topic = uniquePrefix();
  await createTopics(kafka, [{ name: topic, partitions: 1, config: stateTopicConfig }]);
  const producer = kafka.inner.producer({
    transactionalId: `${topic}.raw`,
    idempotent: true,
    createPartitioner: () => () => 0,
    retry: { initialRetryTime: 1, multiplier: 1.2, retries: 200 },
  });
  await producer.connect();
  const transact = async (values: readonly string[], end: "commit" | "abort") => {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: values.map((value) => ({ key: "k", value })) });
    await transaction[end]();
  };
  const settled = (end: bigint) =>
    until(async () => (await topicOffsets(kafka, topic)).get(0)?.end === end, `the end is ${end}`);
  return { kafka, topic, producer, transact, settled };
}

test("an empty topic ends at once", async () => {
  const { kafka, topic, producer } = await stateTopic();
  expect(await read(kafka, topic)).toStrictEqual([]);
  await producer.disconnect();
});

// markers take offsets and are handed to nobody: the end is behind one in each case
const histories: readonly [string, readonly (readonly [readonly string[], "commit" | "abort"])[], string[]][] = [
  ["one committed", [[["a"], "commit"]], ["0:a"]],
  ["one aborted", [[["a"], "abort"]], []],
  [
    "a last one that is aborted",
    [
      [["a", "b"], "commit"],
      [["c"], "abort"],
    ],
    ["0:a", "1:b"],
  ],
  [
    "an aborted one between two others",
    [
      [["a"], "commit"],
      [["x"], "abort"],
      [["b"], "commit"],
    ],
    ["0:a", "4:b"],
  ],
  [
    "many aborted ones at the end",
    [[["a"], "commit"], ...Array.from({ length: 5 }, () => [["x"], "abort"] as const)],
    ["0:a"],
  ],
];

test.each(histories)("reading ends exactly after %s", async (_name, history, expected) => {
  const { kafka, topic, producer, transact, settled } = await stateTopic();
  for (const [values, end] of history) await transact(values, end);
  await settled(BigInt(history.reduce((sum, [values]) => sum + values.length + 1, 0)));
  expect(await read(kafka, topic)).toStrictEqual(expected);
  await producer.disconnect();
});

test("an open transaction is neither read nor waited for", async () => {
  const { kafka, topic, producer, transact, settled } = await stateTopic();
  await transact(["a"], "commit");
  await settled(2n);
  const open = await producer.transaction();
  await open.send({ topic, messages: [{ key: "k", value: "open" }] });
  expect(await read(kafka, topic)).toStrictEqual(["0:a"]);
  await open.abort();
  await producer.disconnect();
});

test("a reader finds its own commit even if the topic's end is before it when reading starts", async () => {
  const { kafka, topic, producer } = await stateTopic();
  const open = await producer.transaction();
  await open.send({ topic, messages: [{ key: "k", value: "holds the end back" }] });
  await using writer = await openWriter(kafka, { transactionalId: topic, maxBytes });
  await writer.commit([record(topic, "started")]);
  const seen: string[] = [];
  const reading = readToEnd(kafka, topic, {
    onRecord: ({ value }) => seen.push(String(value)),
    until: ({ value }) => String(value) === "started",
  });
  expect((await topicOffsets(kafka, topic)).get(0)?.end).toBe(0n);
  await open.abort();
  await reading;
  expect(seen).toStrictEqual(["started"]);
  await producer.disconnect();
});

test("a reading leaves no consumer group behind", async () => {
  const { kafka, topic, producer, transact, settled } = await stateTopic();
  await transact(["a"], "commit");
  await settled(2n);
  const alone = { ...kafka, deployment: topic };
  await read(alone, topic);
  const admin = kafka.inner.admin();
  await admin.connect();
  const { groups } = await admin.listGroups();
  expect(groups.filter(({ groupId }) => groupId.includes(topic))).toStrictEqual([]);
  await admin.disconnect();
  await producer.disconnect();
});

test("a record that never arrives is kafka-down, an aborted signal throws its reason, and a missing topic is named", async () => {
  const { kafka, topic, producer, transact } = await stateTopic();
  await transact(["a"], "commit");
  const never = { onRecord: () => {}, until: () => false };
  await expect(readToEnd(kafka, topic, { ...never, stalledMs: 500 })).rejects.toMatchObject({ code: "kafka-down" });
  const stop = new AbortController();
  const reading = readToEnd(kafka, topic, { ...never, signal: stop.signal });
  stop.abort(new Error("stopping"));
  await expect(reading).rejects.toThrow("stopping");
  await expect(readToEnd(kafka, `${topic}.none`, never)).rejects.toMatchObject({ code: "topic-missing" });
  await producer.disconnect();
});
