import type { Admin, ITopicMetadata } from "kafkajs";
import { expect, test } from "vitest";
import type { KafkaClient } from "../../src/kafka/client.ts";
import { createTopics, describeTopics, emptyTopics, topicOffsets } from "../../src/kafka/topics.ts";

const UNKNOWN = Object.assign(new Error("This server does not host this topic-partition"), {
  type: "UNKNOWN_TOPIC_OR_PARTITION",
});

const NOT_LED = Object.assign(new Error("This server is not the leader for that topic-partition"), {
  type: "NOT_LEADER_FOR_PARTITION",
});

/** A broker that answers so about the topic, one after the other. */
function broker(...answers: readonly (Error | number)[]) {
  const left = [...answers];
  const admin = {
    connect: async () => {},
    disconnect: async () => {},
    createTopics: async () => true,
    async fetchTopicMetadata() {
      const next = left.shift() ?? new Error("asked too often");
      if (next instanceof Error) throw next;
      return { topics: [{ name: "t", partitions: [{ leader: next }] }] as ITopicMetadata[] };
    },
    async fetchTopicOffsets() {
      const next = left.shift() ?? new Error("asked too often");
      if (next instanceof Error) throw next;
      return [{ partition: 0, low: "0", high: String(next), offset: String(next) }];
    },
  };
  const inner = { admin: () => admin as unknown as Admin }; // as much of one as createTopics uses
  return { kafka: { inner } as unknown as KafkaClient, left };
}

test("creating a topic waits until the broker knows it and it has a leader", async () => {
  const { kafka, left } = broker(UNKNOWN, UNKNOWN, -1, 1);
  await createTopics(kafka, [{ name: "t" }]);
  expect(left).toEqual([]);
});

test("any other error ends the wait", async () => {
  const { kafka } = broker(UNKNOWN, new Error("the connection was closed"));
  await expect(createTopics(kafka, [{ name: "t" }])).rejects.toMatchObject({ code: "kafka-down" });
});

test("offsets are requested again while a new topic's leader does not know that it leads", async () => {
  const { kafka, left } = broker(NOT_LED, NOT_LED, 3);
  expect(await topicOffsets(kafka, "t")).toEqual(new Map([[0, { begin: 0n, end: 3n }]]));
  expect(left).toEqual([]);
  const gone = broker(NOT_LED, new Error("the connection was closed"));
  await expect(topicOffsets(gone.kafka, "t")).rejects.toMatchObject({ code: "kafka-down" });
});

test("a topic that is gone is not an empty one, and the others are still looked at", async () => {
  const { kafka, left } = broker(UNKNOWN, 3, 0);
  expect(await emptyTopics(kafka, ["gone", "written", "empty"])).toEqual(["empty"]);
  expect(left).toEqual([]);
});

test("a topic that is deleted after it was listed is described as missing", async () => {
  const lists = [["gone", "t"], ["gone", "t"], ["t"]];
  let listed: readonly string[] = [];
  const admin = {
    connect: async () => {},
    disconnect: async () => {},
    listTopics: async () => (listed = lists.shift() ?? []),
    async fetchTopicMetadata() {
      if (listed.includes("gone")) throw UNKNOWN;
      return { topics: listed.map((name) => ({ name, partitions: [{}] })) };
    },
    describeConfigs: async () => ({ resources: [] }),
  };
  const inner = { admin: () => admin as unknown as Admin }; // as much of one as describeTopics uses
  const described = await describeTopics({ inner } as unknown as KafkaClient, ["gone", "t"]);
  expect(described.get("gone")).toBeUndefined();
  expect(described.get("t")).toMatchObject({ partitions: 1 });
});
