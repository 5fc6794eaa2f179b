import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import kafkajs, { type PartitionAssigner } from "kafkajs";
import { expect, test } from "vitest";
import { announcing, eventReader } from "../../src/consumer/consumer.ts";
import { decodeAnnouncement } from "../../src/contract/announcement.ts";
import { OID } from "../../src/event/types/table.ts";
import { envelopeSchema } from "../../src/event/envelope/schema.ts";
import { registryClient } from "../../src/registry/client.ts";
import { change, field, MARK, shapeOf, rowEncoderOf } from "../event/row.ts";
import { servers } from "../stack/servers.ts";
import { createTopics, kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";

const ID = field({ name: "id", oid: OID.int8, notNull: true }, 0);
const AT = field({ name: "at", oid: OID.timestamp }, 1);
const NICK = field({ name: "nick", oid: OID.text }, 2);
const BIG = 2n ** 53n + 1n;
const ROW = [String(BIG), "2025-01-01 00:00:00.123456", "deuce 😀"];

/** A table's topic with two partitions. Each has the same event, as the service writes it, and its tombstone. */
async function publishedTopic(): Promise<string> {
  const topic = `${uniquePrefix()}.public.t`;
  const kafka = kafkaClient();
  await createTopics([{ topic, numPartitions: 2, replicationFactor: 1 }], kafka);
  const shape = shapeOf(topic, [ID, AT, NICK], [ID]);
  const registry = registryClient({ urls: [servers.registry.url] });
  const registered = await registry.register(`${topic}-value`, shape.valueSchema.text);
  if (registered.kind !== "registered") throw new Error("the registry takes the schema");
  const writer = rowEncoderOf({ ...shape, valueSchema: { ...shape.valueSchema, id: registered.id } });
  const [event] = writer.change(change("insert", ROW), MARK);
  const producer = kafka.producer();
  await producer.connect();
  const messages = [0, 1].flatMap((partition) => [event?.value ?? null, null].map((value) => ({ partition, value })));
  await producer.send({ topic, messages: messages.map((message) => ({ ...message, key: "k" })) });
  await producer.disconnect();
  return topic;
}

/** A member of the group, and the partitions it was assigned. */
async function member(topic: string, partitionAssigners?: PartitionAssigner[]) {
  const consumer = kafkaClient().consumer({
    groupId: `${topic}.group`,
    heartbeatInterval: 200,
    maxWaitTimeInMs: 200,
    ...(partitionAssigners && { partitionAssigners }),
  });
  const state = { owned: [] as number[], values: [] as (Buffer | null)[] };
  consumer.on("consumer.group_join", ({ payload }) => {
    state.owned = payload.memberAssignment[topic] ?? [];
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void state.values.push(message.value) });
  return { state, [Symbol.asyncDispose]: () => consumer.disconnect() };
}

/** What the members of the topic's group announce, read as the guard does. */
async function announced(topic: string) {
  const admin = kafkaClient().admin();
  await admin.connect();
  const { groups } = await admin.describeGroups([`${topic}.group`]);
  await admin.disconnect();
  return groups.flatMap(({ members }) =>
    members.map(({ memberMetadata }) => {
      const metadata = kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata);
      return decodeAnnouncement(metadata?.userData ?? Buffer.alloc(0));
    }),
  );
}

test("plain and announcing members share a group's partitions, and the group shows the announced schema", async () => {
  const topic = await publishedTopic();
  const registry = new SchemaRegistry({ host: servers.registry.url });
  const newest = eventReader({ registry, topic });
  const older = eventReader({ registry, topic, schema: envelopeSchema(topic, [ID, AT]) });
  await using plain = await member(topic);
  await until(() => plain.state.owned.length === 2, "the plain member has both partitions");
  await using ours = await member(topic, [announcing([newest, older])]);
  await until(() => plain.state.owned.length === 1 && ours.state.owned.length === 1, "each has one partition");
  const values = () => [...plain.state.values, ...ours.state.values];
  await until(() => values().length >= 4, "all is read");

  // While the group is rebalanced, Kafka does not show what its members announce.
  await until(async () => {
    const said = await announced(topic);
    expect(said).toHaveLength(2);
    expect(said).toContainEqual(undefined);
    expect(said).toContainEqual(new Map([[topic, older.fingerprint]]));
    return true;
  }, "a plain and an announcing member are seen");

  const event = values().find((value) => value !== null);
  expect(await newest.decode(values().find((value) => value === null))).toBeNull();
  const row = { id: BIG, at: 1_735_689_600_123_456n };
  expect(await newest.decode(event)).toMatchObject({ op: "c", before: null, after: { ...row, nick: "deuce 😀" } });
  expect({ ...((await older.decode(event)) as { after: object }).after }).toEqual(row); // an envelope has `after`
  await expect(newest.decode(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]))).rejects.toMatchObject({ code: "not-found" });
});

test("a registry that does not answer is an error worth a retry", async () => {
  const registry = new SchemaRegistry({ host: "http://127.0.0.1:1", retry: { retries: 0 } });
  const reader = eventReader({ registry, topic: "t" });
  await expect(reader.decode(Buffer.alloc(9))).rejects.toMatchObject({ code: "registry-down", fate: "retry" });
});
