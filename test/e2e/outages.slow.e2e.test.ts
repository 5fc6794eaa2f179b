import { expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { startService } from "./service.ts";
import { captureTable, type World } from "./world.ts";

/** The ids of the c events in order, up to the row `last`. */
async function insertedIds(world: World, last: number): Promise<readonly unknown[]> {
  const all = await world.events.until(
    (seen) => seen.some(({ after }) => after?.["id"] === last),
    `row ${last}`,
    60_000,
  );
  return all.filter(({ op }) => op === "c").map(({ after }) => after?.["id"]);
}

it("when Kafka dies and comes back, every change is published once and in order, and nothing is acknowledged meanwhile", async () => {
  await using own = await startStack({ postgres: false, registry: false });
  await using world = await captureTable({ kafkaBrokers: own.kafka.brokers });
  const { database, service } = world;
  await database.query("insert into t values (2, 'before')");
  expect(await insertedIds(world, 2)).toEqual([2]);
  await own.kill("kafka");
  await database.query("insert into t values (3, 'while it is down')");
  await until(async () => (await service.connector()).status === "retrying", "the connector retries", 60_000);
  const flushed = () =>
    database.query("select confirmed_flush_lsn from pg_replication_slots where database = current_database()");
  const before = await flushed();
  await database.query("insert into t values (4, 'while it is down')");
  expect(await flushed()).toEqual(before);
  await own.restart("kafka");
  await database.query("insert into t values (5, 'after')");
  expect(await insertedIds(world, 5)).toEqual([2, 3, 4, 5]);
});

it("a service that starts while Kafka is down says so, and streams once Kafka is back", async () => {
  await using own = await startStack({ postgres: false, registry: false });
  const [prefix, kafkaBrokers] = [uniquePrefix(), own.kafka.brokers];
  await using world = await captureTable({ prefix, kafkaBrokers });
  await world.stop();
  await own.kill("kafka");
  await world.database.query("insert into t values (2, 'while it is down')");
  const database = world.database.address;
  await using service = await startService({ database, prefix, tables: ["public.t"], kafkaBrokers }, false);
  await until(() => service.output().includes("waiting for Kafka: [kafka-down]"), "it says that it waits", 60_000);
  await own.restart("kafka");
  expect(await insertedIds(world, 2)).toEqual([2]);
});

it("when PostgreSQL dies and comes back, every change is published once and in order", async () => {
  await using own = await startStack({ kafka: false, registry: false });
  await using world = await captureTable({ database: await freshDatabase(own.postgres) });
  const { database, service } = world;
  await database.query("insert into t values (2, 'before')");
  expect(await insertedIds(world, 2)).toEqual([2]);
  await own.kill("postgres");
  await until(async () => (await service.connector()).status === "retrying", "the connector retries", 60_000);
  await own.restart("postgres");
  const client = await database.connect();
  await client.query("insert into t values (3, 'after')");
  expect(await insertedIds(world, 3)).toEqual([2, 3]);
  await client.end();
});

it("a slot that is about to be lost while Kafka is down is reported, and again once it is no longer", async () => {
  const postgresFlags = ["max_slot_wal_keep_size=128MB", "max_wal_size=64MB"];
  await using own = await startStack({ registry: false, postgresFlags });
  await using world = await captureTable({
    database: await freshDatabase(own.postgres),
    kafkaBrokers: own.kafka.brokers,
  });
  const { database, service } = world;
  // A reader that has not joined its group by then may not find the new Kafka in time.
  await database.query("insert into t values (2, 'before')");
  expect(await insertedIds(world, 2)).toEqual([2]);
  await own.kill("kafka");
  const client = await database.connect();
  for (let megabytes = 0; megabytes < 112; megabytes += 1)
    await client.query("select pg_logical_emit_message(false, 'x', repeat('x', 1048576))");
  await until(() => / MB of log for slot \w+ and drops it after/.test(service.output()), "it warns", 60_000);
  await own.restart("kafka");
  await client.query("insert into t values (3, 'after')");
  expect(await insertedIds(world, 3)).toEqual([2, 3]);
  await until(() => service.output().includes("no longer about to be lost"), "the danger is over", 90_000);
  await client.end();
});
