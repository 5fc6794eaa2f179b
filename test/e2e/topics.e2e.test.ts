import kafkajs from "kafkajs"; // Node finds no named export ConfigResourceTypes
import { describe, expect, it } from "vitest";
import { kafkaClient } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { type Events, readEvents } from "./events.ts";
import { captureTable, type World } from "./world.ts";

/** Topics are looked at every 1.5 s. */
const OFTEN = { "fieldgate.look.ms": "100" };

async function admin<T>(work: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const one = kafkaClient().admin();
  await one.connect();
  try {
    return await work(one);
  } finally {
    await one.disconnect();
  }
}

const configure = (topic: string, settings: Readonly<Record<string, string>>) =>
  admin((one) =>
    one.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );

/**
 * As a broker with auto.create.topics.enable does when a consumer asks for the topic. If the service makes the topic
 * first, it is deleted once more, so that it is always this one that stays.
 */
async function remake(topic: string): Promise<void> {
  const again = { topics: [{ topic, numPartitions: 1 }], waitForLeaders: false };
  await until(
    () =>
      admin(async (one) => {
        await one.deleteTopics({ topics: [topic] }).catch(() => {});
        return one.createTopics(again);
      }),
    "the topic is made again",
  );
}

/** The keys that a reader who reads the topic from its start finds in it, once these are there. */
async function untilHolds(topic: string, ids: readonly number[]): Promise<void> {
  await using events = readEvents([topic]);
  await events.until(
    (seen) => ids.every((id) => seen.some(({ after }) => after?.["id"] === id)),
    `rows ${ids.join(", ")} are in the topic`,
  );
}

async function untilSaid({ service }: World, text: string): Promise<void> {
  await until(async () => service.output().includes(text), `the log says: ${text}`, 60_000).catch((cause: unknown) => {
    throw new Error(service.output().slice(-3000), { cause });
  });
}

async function partitionsOf(events: Events, key: number): Promise<readonly number[]> {
  const all = await events.all();
  return events.collector.records.flatMap(({ partition }, at) => (all[at]?.key?.["id"] === key ? [partition] : []));
}

describe("a topic that changes while it is written to", () => {
  it("and is deleted is reported, made again, and has all rows once more", async () => {
    await using world = await captureTable({ connector: OFTEN });
    await admin((one) => one.deleteTopics({ topics: [world.topic] }));
    await untilSaid(world, `topic ${world.topic} and all its events are gone`);
    await world.database.query("insert into t values (2, 'two')");
    await untilHolds(world.topic, [1, 2]);
    await expect(world.service.streams()).resolves.toBeUndefined();
  });

  it("and is deleted and made again by somebody else is reported, and has all rows once more", async () => {
    await using world = await captureTable({ connector: { "topic.creation.default.partitions": "1" } });
    const { topic, database } = world;
    await database.query("insert into t values (2, 'two')");
    await world.events.until((seen) => seen.length >= 2, "the rows");
    await remake(topic);
    await database.query("insert into t values (3, 'three')");
    await untilSaid(world, `topic ${topic} and all its events are gone: somebody has made the topic again`);
    await untilSaid(world, `repair/${topic}: done`);
    await world.stop();
    await remake(topic);
    await world.start();
    await untilSaid(world, `topic ${topic} and all its events are gone: somebody has made the topic again`);
    await untilHolds(topic, [1, 2, 3]);
    await expect(world.service.streams()).resolves.toBeUndefined();
  });

  it("and is compacted is reported; rows with a key flow, and a truncation names the topic and its setting", async () => {
    await using world = await captureTable({ connector: { ...OFTEN, "skipped.operations": "none" } });
    await configure(world.topic, { "cleanup.policy": "compact" });
    await untilSaid(world, `a compacted topic accepts no record without a key: ${world.topic} (truncations)`);
    await world.database.query("insert into t values (2, 'two')");
    await world.events.until((seen) => seen.length >= 2, "a row with a key");
    await world.database.query("truncate t");
    await untilSaid(world, `topic ${world.topic} is compacted and takes no record without a key`);
    expect(world.service.output()).toContain(`set cleanup.policy of ${world.topic} to delete`);
  });

  it("and takes smaller batches gets smaller batches", async () => {
    await using world = await captureTable({ connector: OFTEN });
    await configure(world.topic, { "max.message.bytes": "20000" });
    await world.database.query("insert into t select i, repeat('x', 500) from generate_series(2, 400) i");
    await world.events.until((seen) => seen.length >= 400, "all rows");
    await expect(world.service.streams()).resolves.toBeUndefined();
  });

  it("and gets more partitions keeps the keys where they are until an operator accepts them", async () => {
    await using world = await captureTable({ connector: { ...OFTEN, "topic.creation.default.partitions": "1" } });
    const { database, events, service, topic } = world;
    await admin((one) => one.createPartitions({ topicPartitions: [{ topic, count: 6 }] }));
    await untilSaid(world, `topic ${topic} has 6 partitions now; its keys stay in the first 1`);
    await database.query("insert into t select i, 'x' from generate_series(2, 20) i");
    await events.until((seen) => seen.length >= 20, "rows");
    expect(new Set(events.collector.records.map(({ partition }) => partition))).toEqual(new Set([0]));
    const ids = [`${topic}/partitions`];
    const more = await until(async () => (await service.connector()).tables[0]?.morePartitions, "it is shown");
    expect(more).toMatchObject({ used: 1, now: 6 });
    expect(await service.command({ kind: "release", ids })).toMatchObject({ kind: "refused" });
    expect(await service.command({ kind: "release", ids, reason: "readers are ready" })).toMatchObject({
      kind: "done",
    });
    await database.query("update t set a = 'y'");
    // A reader that was there before does not read new partitions at once.
    await using later = readEvents([topic]);
    await later.until((seen) => seen.length >= 40, "the updates");
    expect(new Set(later.collector.records.map(({ partition }) => partition)).size).toBeGreaterThan(1);
    await world.stop();
    await world.start();
    await database.query("update t set a = 'z' where id = 7");
    await later.until((seen) => seen.length >= 41, "a row after a restart");
    const [first, second, third] = (await partitionsOf(later, 7)).toSorted((a, b) => a - b);
    expect([first, second]).toEqual([0, third]);
  });
});
