import { expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { collect } from "../stack/collect.ts";
import { freshDatabase } from "../stack/database.ts";
import { pause } from "../stack/processes.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { endService } from "./end-service.ts";
import { startService } from "./service.ts";
import { captureTable, type World } from "./world.ts";

const SNAPSHOT = 40_000;
const TRANSACTION = 200_000;

const createdIds = async ({ events }: World, last: number) => {
  const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === last), `row ${last}`, 60_000);
  return all.filter(({ op }) => op === "c").map(({ after }) => after?.["id"]);
};

/** Sends the signal; returns the exit code and how long the service took to end, in ms. */
async function killService({ service }: World, signal: NodeJS.Signals = "SIGTERM") {
  const asked = performance.now();
  service.kill(signal);
  const code = await service.exited;
  return { code, took: performance.now() - asked };
}

it("in the middle of a snapshot and of a large transaction it ends normally, and loses and repeats nothing", async () => {
  await using database = await freshDatabase();
  await database.query(`create table t (id int primary key, a text);
    insert into t select i, 'row ' || i from generate_series(1, ${SNAPSHOT}) i;
    analyze t`);
  const prefix = uniquePrefix();
  const options = { database: database.address, prefix, tables: ["public.t"] };
  await using collected = collect([`${prefix}.public.t`]);
  // Slow enough that the snapshot does not end before its first rows have been read here.
  const slowly = { "fieldgate.backfill.rate": "2000" };
  const one = await startService({ ...options, connector: slowly, env: { FIELDGATE_LOG: "pretty" } });
  await collected.count(2_000);
  const times = [await endService(one, database)];
  const inSnapshot = collected.records.length;
  expect(one.output()).toMatch(
    /INFO: \w+: snapshot\/\S+: [\d,]+ of about 40,000 rows \(\d%\), [\d,]+ rows\/s, .+ left\n/,
  );
  const two = await startService(options);
  await two.idle(60_000);
  expect(two.output()).toMatch(/"progress":\{"job":"snapshot\/\S+","scanned":\d+,"estimate":40000,"rate":\d+,/);
  await collected.count(SNAPSHOT);

  await database.query(`insert into t select ${SNAPSHOT} + i, 'row' from generate_series(1, ${TRANSACTION}) i`);
  await collected.count(SNAPSHOT + 20_000, 60_000);
  times.push(await endService(two, database, "SIGINT"));
  const inTransaction = collected.records.length;
  await using three = await startService(options);
  await collected.count(SNAPSHOT + TRANSACTION, 120_000);
  await database.query("insert into t values (0, 'the last')");
  await collected.until((seen) => seen.length > SNAPSHOT + TRANSACTION, "the last row");
  expect(inSnapshot).toBeLessThan(SNAPSHOT);
  expect(inTransaction).toBeLessThan(SNAPSHOT + TRANSACTION);
  expect(collected.records).toHaveLength(SNAPSHOT + TRANSACTION + 1);
  expect(new Set(collected.records.map(({ key }) => key?.toString("latin1"))).size).toBe(SNAPSHOT + TRANSACTION + 1);
  expect(Math.max(...times)).toBeLessThan(10_000);
  await three.streams();
}, 300_000);

it("while Kafka hangs it ends within 10 s, or at once on a second signal, and later publishes every change once", async () => {
  await using own = await startStack({ postgres: false, registry: false });
  await using world = await captureTable({ kafkaBrokers: own.kafka.brokers });
  const { database } = world;
  await database.query("insert into t values (2, 'before')");
  expect(await createdIds(world, 2)).toEqual([2]);
  let onOneSignal = 0;
  {
    using _hanging = pause(own.pids.kafka);
    await database.query("insert into t values (3, 'while it hangs')");
    const { code, took } = await killService(world, "SIGTERM");
    expect([code, took < 10_000]).toEqual([0, true]);
    onOneSignal = took;
  }
  await world.start();
  expect(await createdIds(world, 3)).toEqual([2, 3]);
  {
    using _hanging = pause(own.pids.kafka);
    await database.query("insert into t values (4, 'while it hangs again')");
    // Two signals at the same moment may arrive as one.
    const again = setInterval(() => world.service.kill("SIGTERM"), 200);
    const { code, took } = await killService(world);
    clearInterval(again);
    expect(code).toBe(143);
    expect(took).toBeLessThan(onOneSignal);
  }
  await world.start();
  expect(await createdIds(world, 4)).toEqual([2, 3, 4]);
});

it("while PostgreSQL hangs it ends within 10 s, and later resumes", async () => {
  await using own = await startStack({ kafka: false, registry: false });
  await using world = await captureTable({ database: await freshDatabase(own.postgres) });
  await world.database.query("insert into t values (2, 'before')");
  expect(await createdIds(world, 2)).toEqual([2]);
  {
    using _hanging = pause(own.pids.postgres);
    const { code, took } = await killService(world, "SIGINT");
    expect([code, took < 10_000]).toEqual([0, true]);
  }
  await world.start();
  await world.database.query("insert into t values (3, 'after')");
  expect(await createdIds(world, 3)).toEqual([2, 3]);
});
