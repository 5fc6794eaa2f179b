import { spawn } from "node:child_process";
import { join } from "node:path";
import kafkajs, { type PartitionAssigner } from "kafkajs";
import { expect, test } from "vitest";
import { ensureJars } from "../../local/cache.ts";
import { findJava } from "../../local/java.ts";
import { encodeAnnouncement } from "../../src/contract/announcement.ts";
import { openAppender } from "../../src/kafka/append.ts";
import { kafkaClient } from "../../src/kafka/client.ts";
import { liveGroups } from "../../src/kafka/groups.ts";
import { tailTopic } from "../../src/kafka/tail.ts";
import { createTopics } from "../../src/kafka/topics.ts";
import { servers } from "../stack/servers.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { ourClient } from "./place.ts";

test("a group is seen while it reads, and later by its offsets; our own groups are not", async () => {
  const kafka = ourClient();
  const topic = uniquePrefix();
  const quiet = `${topic}.quiet`;
  await createTopics(kafka, [{ name: topic, partitions: 1 }]);
  await createTopics(kafka, [{ name: quiet, partitions: 1 }]);
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
  const reading = [{ group: `${topic}.group`, members: 1, offsets, readers: new Map<string, number>() }];
  await until(async () => JSON.stringify(await look(topic), big) === JSON.stringify(reading, big), "the group is seen");
  expect(await look(quiet)).toStrictEqual([]);
  expect(await look(`${topic}.none`)).toStrictEqual([]);
  await consumer.disconnect();
  expect(await look(topic)).toStrictEqual([{ group: `${topic}.group`, members: 0, offsets, readers: new Map() }]);
});

test("the schema that a member announces for this topic is seen", async () => {
  const kafka = ourClient();
  const topic = uniquePrefix();
  await createTopics(kafka, [{ name: topic, partitions: 1 }]);
  const userData = encodeAnnouncement(
    new Map([
      [topic, "f1"],
      ["elsewhere", "f2"],
    ]),
  );
  const consumer = kafka.inner.consumer({ groupId: `${topic}.group`, partitionAssigners: [announcing(userData)] });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  await consumer.run({ eachMessage: () => Promise.resolve() });
  // While a group forms, Kafka does not show what its members announce.
  const found = await until(async () => {
    const seen = await liveGroups(kafka, [topic]);
    const [group] = seen.kind === "seen" ? (seen.byTopic.get(topic) ?? []) : [];
    return group !== undefined && group.readers.size > 0 ? group : undefined;
  }, "it is seen");
  expect(found).toMatchObject({ members: 1, readers: new Map([["f1", 1]]) });
});

test("a group of the new protocol (KIP-848) is seen by its offsets, and counts as having unknown members", async () => {
  const kafka = ourClient();
  const topic = uniquePrefix();
  await createTopics(kafka, [{ name: topic, partitions: 1 }]);
  await using appender = await openAppender(kafka);
  await appender.append(topic, 0, null, Buffer.from("a"));
  const group = `${topic}.new`;
  await using _consumer = await newProtocolConsumer(topic, group);
  const look = async () => {
    const seen = await liveGroups(kafka, [topic]);
    return seen.kind === "seen" ? seen.byTopic.get(topic)?.[0] : undefined;
  };
  // Java compiles the consumer when it starts.
  const committed = async () => {
    const seen = await look();
    return seen?.offsets.get(0) === 1n ? seen : undefined;
  };
  const first = await until(committed, "its first commit of a record is seen", 100_000);
  expect(first).toStrictEqual({ group, members: undefined, offsets: new Map([[0, 1n]]), readers: new Map() });
  await appender.append(topic, 0, null, Buffer.from("b"));
  await until(async () => (await look())?.offsets.get(0) === 2n, "its offsets move");
});

test("a failed poll is a value", async () => {
  const nobody = kafkaClient({ brokers: ["127.0.0.1:9"], clientId: "t" });
  expect(await liveGroups(nobody, ["a"])).toMatchObject({
    kind: "unknown",
    why: expect.stringContaining("[kafka-down]"),
  });
});

/** kafkajs' own assigner with other user data. */
function announcing(userData: Buffer): PartitionAssigner {
  return (config) => {
    const own = kafkajs.PartitionAssigners.roundRobin(config);
    return {
      ...own,
      protocol: ({ topics }) => ({
        name: own.name,
        metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData }),
      }),
    };
  };
}

/** Java's consumer: kafkajs has only the classic protocol. */
async function newProtocolConsumer(topic: string, group: string): Promise<AsyncDisposable> {
  const { kafka } = await ensureJars();
  const [broker = ""] = servers.kafka.brokers;
  const source = join(import.meta.dirname, "NewProtocolConsumer.java");
  const jvm = ["-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", kafka];
  const child = spawn(await findJava(), [...jvm, source, broker, topic, group], { stdio: "ignore" });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function big(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Map ? [...value] : value;
}
