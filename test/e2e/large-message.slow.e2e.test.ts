import { readFile } from "node:fs/promises";
import { type ITopicConfig, ConfigResourceTypes } from "kafkajs";
import { expect, it } from "vitest";
import { createTopics, kafkaClient } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import type { Service } from "./service.ts";
import { captureTable, type World } from "./world.ts";

const MB = 1024 * 1024;
const STOP = { "fieldgate.on.unfit": "stop" };

async function setLimit(topic: string, bytes: number): Promise<void> {
  const admin = kafkaClient().admin();
  await admin.connect();
  const configEntries = [{ name: "max.message.bytes", value: String(bytes) }];
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
  await admin.disconnect();
}

/** Samples the peak memory of a process while it runs; undefined on systems without /proc. */
function trackPeak(pid: number): { mb: number | undefined } & Disposable {
  const peak = { mb: undefined as number | undefined };
  const sample = async (): Promise<void> => {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const found = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
    if (found !== undefined) peak.mb = Number(found) / 1024;
  };
  const timer = setInterval(() => void sample(), 20);
  return Object.assign(peak, { [Symbol.dispose]: () => clearInterval(timer) });
}

async function stops(service: Service): Promise<void> {
  await until(async () => ((await service.connector()).status === "stopped" ? true : undefined), "it stops", 60_000);
}

const ids = (world: World) => world.events.all().then((all) => all.map(({ after }) => after?.["id"]));

it("a change of 50 MB stops the connector with its place, after the rows before it; a higher topic limit lets it through", async () => {
  await using world = await captureTable({ connector: STOP });
  const { database, events, service, topic } = world;
  using peak = trackPeak(service.pid);
  await database.query(
    `insert into t values (2, 'before'); insert into t values (3, repeat('secret', ${50 * MB} / 6)); insert into t values (4, 'after')`,
  );
  await stops(service);
  const error = await service.said(/\[record-too-large\][^"\\]*(?=["\\])/);
  expect(error).toMatch(
    /a row of public\.t \(with key columns id\) at [0-9A-F]+\/[0-9A-F]+ makes an event of 524\d{5} bytes; max\.message\.bytes of /,
  );
  expect(error).toContain(`${topic} is 1048588`);
  await service.said(/raise max\.message\.bytes of /);
  expect(service.output()).not.toContain("secret");
  await events.until((seen) => seen.length >= 2, "the row before it");
  // 150 MB when idle, and about three copies of the change: received, parsed and encoded.
  expect(peak.mb ?? 0).toBeLessThan(450);

  await world.stop();
  await setLimit(topic, 60 * MB);
  const again = await world.start();
  using more = trackPeak(again.pid);
  await events.until((seen) => seen.some(({ after }) => after?.["id"] === 4), "the row after it", 60_000);
  expect(await ids(world)).toEqual([1, 2, 3, 4]);
  expect(more.mb ?? 0).toBeLessThan(650);
});

it("the rows before a record just over the limit are published, even of the same batch", async () => {
  const limit = 20_000;
  const config: Omit<ITopicConfig, "topic"> = { configEntries: [{ name: "max.message.bytes", value: String(limit) }] };
  await using world = await captureTable({ connector: STOP, before: (topic) => createTopics([{ topic, ...config }]) });
  const { database, events, service } = world;
  await database.query(
    `insert into t select i, repeat('x', case i when 40 then ${limit} else 9 end) from generate_series(2, 50) i`,
  );
  await stops(service);
  await service.said(/\[record-too-large\] a row of public\.t .* makes an event of 20\d{3} bytes; .* is 20000/);
  await events.until((seen) => seen.length >= 39, "the rows before it");
  await world.stop();
  await setLimit(world.topic, 2 * limit);
  await world.start();
  await events.until((seen) => seen.length >= 50, "the other rows");
  expect(await ids(world)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
});
