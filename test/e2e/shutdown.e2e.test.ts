import { expect, it } from "vitest";
import { collect } from "../stack/collect.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { faultyRegistry } from "../stack/faulty-registry.ts";
import { servers } from "../stack/servers.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { type Service, startService } from "./service.ts";
import { captured } from "./world.ts";

const SNAPSHOT = 40_000;
const TRANSACTION = 200_000;

/** Asks the service to end; how long that took, in ms. It must have ended in order, and its slot be free. */
async function endedAfter(service: Service, database: Database, signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
  const asked = performance.now();
  service.kill(signal);
  expect(await service.exited).toBe(0);
  const took = performance.now() - asked;
  const slots = () =>
    database.query("select 1 from pg_replication_slots where database = current_database() and not active");
  await until(async () => (await slots()).length === 1, "the slot is free", 1_000);
  return took;
}

it("in the middle of a snapshot and of a large transaction it ends in order, and nothing is lost or doubled", async () => {
  await using database = await freshDatabase();
  await database.query(`create table t (id int primary key, a text);
    insert into t select i, 'row ' || i from generate_series(1, ${SNAPSHOT}) i`);
  const prefix = uniquePrefix();
  const options = { database: database.address, prefix, tables: ["public.t"] };
  await using collected = collect([`${prefix}.public.t`]);
  const one = await startService(options);
  await collected.count(2_000);
  const times = [await endedAfter(one, database)];
  const inSnapshot = collected.records.length;
  const two = await startService(options);
  await two.idle(60_000);
  await collected.count(SNAPSHOT);

  await database.query(`insert into t select ${SNAPSHOT} + i, 'row' from generate_series(1, ${TRANSACTION}) i`);
  await collected.count(SNAPSHOT + 20_000, 60_000);
  times.push(await endedAfter(two, database, "SIGINT"));
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
  expect((await three.connector()).status).toBe("streaming");
}, 180_000);

it("while the registry hangs it ends all the same", async () => {
  await using registry = await faultyRegistry(servers.registry.url);
  await using world = await captured({ registryUrl: registry.url, schemasFrom: servers.registry.url });
  const { database, service } = world;
  registry.fail({ kind: "hang" });
  const asked = registry.asked.length;
  await database.query("alter table t add column nick text");
  await database.query("insert into t values (2, 'two', 'deuce')");
  await until(() => registry.asked.length > asked, "the registry is asked");
  expect(await endedAfter(service, database)).toBeLessThan(10_000);
});
