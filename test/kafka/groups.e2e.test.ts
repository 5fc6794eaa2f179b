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

test("the members of share groups and of groups of the new protocol (KIP-848) are seen, and where the groups continue", async () => {
  const kafka = ourClient();
  const topic = uniquePrefix();
  const quiet = `${topic}.quiet`;
  await createTopics(kafka, [{ name: topic, partitions: 1 }]);
  await createTopics(kafka, [{ name: quiet, partitions: 1 }]);
  await using appender = await openAppender(kafka);
  await appender.append(topic, 0, null, Buffer.from("a"));
  const group = `${topic}.new`;
  const share = `${group}.share`;
  const seen = async (name: string) => {
    const poll = await liveGroups(kafka, [topic, quiet]);
    return poll.kind === "seen" ? poll.byTopic.get(topic)?.find((one) => one.group === name) : undefined;
  };
  // Java compiles the consumers when it starts.
  await using _consumers = await newProtocolConsumers(topic, group);
  const both = async () => (await seen(group))?.offsets.get(0) === 1n && (await seen(share)) !== undefined;
  await until(both, "both groups are seen", 100_000);
  const readers = new Map();
  expect(await seen(group)).toStrictEqual({ group, members: 1, offsets: new Map([[0, 1n]]), readers });
  expect(await seen(share)).toMatchObject({ group: share, members: 1, readers });
  const elsewhere = await liveGroups(kafka, [quiet]);
  expect(elsewhere).toStrictEqual({ kind: "seen", byTopic: new Map([[quiet, []]]), forming: expect.any(Set) });
  // A share group starts at the end of the topic, and stores where it continues one record later.
  const moved = async () => {
    await appender.append(topic, 0, null, Buffer.from("b"));
    return ((await seen(share))?.offsets.get(0) ?? 0n) > 1n && ((await seen(group))?.offsets.get(0) ?? 0n) > 1n;
  };
  await until(moved, "both groups move on");
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

/** Java's consumers: kafkajs has only the classic protocol. */
async function newProtocolConsumers(topic: string, group: string): Promise<AsyncDisposable> {
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
