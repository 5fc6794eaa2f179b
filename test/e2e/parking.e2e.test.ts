import { describe, expect, it } from "vitest";
import type { ParkedView } from "../../src/api/api.ts";
import { collect } from "../stack/collect.ts";
import { servers } from "../stack/servers.ts";
import { kafkaClient } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { type Event, readEvents } from "./events.ts";
import { captureTable, type World, type WorldOptions } from "./world.ts";

/** A table whose changes cannot flow waits in Kafka, and its neighbour, `public.n`, flows meanwhile. */

const MANUAL = { "fieldgate.release.policy": "manual" };
const NEIGHBOUR = "create table n (id int primary key); ";

const capture = (setup: string, options: WorldOptions = {}) =>
  captureTable({ connector: MANUAL, tables: ["public.t", "public.n"], setup: NEIGHBOUR + setup, ...options });

/** Waits until the table is parked for a reason with this code. */
function parked({ service }: World, code: string): Promise<ParkedView> {
  return until(
    async () => {
      const view = (await service.connector()).tables.find(({ table }) => table === "public.t")?.parked;
      return view?.code === code ? view : undefined;
    },
    `public.t is parked with ${code}; ${service.output().slice(-2000)}`,
  );
}

async function flowsAgain({ service }: World): Promise<void> {
  await until(
    async () => (await service.connector()).tables.every((table) => table.parked === undefined),
    `no table is parked; ${service.output().slice(-3000)}`,
  );
}

/** Writes a row of the neighbour and sees it while the table is still parked. */
async function neighbourFlows({ database, service, topic }: World): Promise<void> {
  await using events = readEvents([topic.replace(/t$/, "n")]);
  const id = Math.floor(Math.random() * 1e9);
  await database.query(`insert into n values (${id})`);
  await events.until((seen) => seen.some(({ after }) => after?.["id"] === id), "its row");
  expect((await service.connector()).tables.find(({ table }) => table === "public.t")?.parked).toBeDefined();
}

const streamed = (events: readonly Event[]) => events.filter(({ op }) => op !== "r");
const rowsOf = (events: readonly Event[]) => streamed(events).map(({ op, before, after }) => [op, after ?? before]);

describe("a value that does not fit parks its table alone, and the command named lets it flow", () => {
  it("a retyped column, also its deletes and moved keys, each change once and in order", async () => {
    await using world = await capture(
      "create table t (id int primary key, v int not null); insert into t values (1, 1)",
    );
    const { database, service, events, topic } = world;
    await database.query("alter table t alter v type bigint");
    await database.query("insert into t values (2, 5000000000)");
    await database.query(
      "insert into t values (3, 3); update t set v = 4 where id = 3; update t set id = 5 where id = 3",
    );
    await database.query("delete from t where id = 1; insert into t values (1, 6)");
    const view = await parked(world, "value-unfit");
    expect(view.what).toMatch(/public\.t is parked: public\.t\.v at .*now has type bigint/);
    expect(view.what).not.toContain("5000000000");
    expect(view.next).toContain(`fieldgate release ${topic}/2`);
    await neighbourFlows(world);
    expect((await service.connector()).status).toBe("streaming");
    await until(async () => (await parked(world, "value-unfit")).changes === 6, "six changes wait");
    expect(rowsOf(await events.all())).toEqual([]);
    expect(await service.command({ kind: "release", ids: [`${topic}/2`] })).toMatchObject({ kind: "done" });
    await flowsAgain(world);
    await database.query("insert into t values (9, 9)");
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 9), "a row after it");
    expect(rowsOf(all)).toEqual([
      ["c", { id: 2, v: 5_000_000_000n }],
      ["c", { id: 3, v: 3n }],
      ["u", { id: 3, v: 4n }],
      ["d", { id: 3, v: 0n }],
      ["c", { id: 5, v: 4n }],
      ["d", { id: 1, v: 0n }],
      ["c", { id: 1, v: 6n }],
      ["c", { id: 9, v: 9n }],
    ]);
  });

  it("a dropped column of a required field, by fill", async () => {
    await using world = await capture("create table t (id int primary key, a text not null)");
    const { database, service, events, topic } = world;
    await database.query("alter table t drop column a");
    await database.query("insert into t values (2)");
    const { next } = await parked(world, "value-unfit");
    expect(next).toContain(`fieldgate fill ${topic}/2 VALUE`);
    await neighbourFlows(world);
    const wrong = await service.command({ kind: "fill", ids: [`${topic}/2`], value: 5 });
    expect(wrong).toMatchObject({ kind: "refused" });
    expect(await service.command({ kind: "fill", ids: [`${topic}/2`], value: "gone" })).toMatchObject({ kind: "done" });
    await flowsAgain(world);
    await database.query("insert into t values (3)");
    const all = await events.until((seen) => seen.length >= 2, "the rows");
    expect(all.map(({ after }) => after)).toEqual([
      { id: 2, a: "gone" },
      { id: 3, a: "gone" },
    ]);
  });

  it("a null in a required field", async () => {
    await using world = await capture("create table t (id int primary key, a text not null)");
    const { database, service, events, topic } = world;
    await database.query("alter table t alter a drop not null");
    await database.query("insert into t values (2, null)");
    const { next } = await parked(world, "value-unfit");
    expect(next).toContain(`fieldgate release ${topic}/2`);
    await neighbourFlows(world);
    expect(await service.command({ kind: "release", ids: [`${topic}/2`] })).toMatchObject({ kind: "done" });
    await flowsAgain(world);
    const all = await events.until((seen) => seen.length > 0, "the row");
    expect(rowsOf(all)).toEqual([["c", { id: 2, a: null }]]);
  });

  it("a new key", async () => {
    await using world = await capture(
      "create table t (id int primary key, b int not null); insert into t values (1, 10)",
    );
    const { database, service, events, topic } = world;
    await database.query("alter table t drop constraint t_pkey, add primary key (id, b)");
    await database.query("insert into t values (2, 20); update t set b = 30 where id = 2; delete from t where id = 1");
    const { next } = await parked(world, "key-changed");
    expect(next).toContain(`fieldgate release ${topic}/key --reason`);
    await neighbourFlows(world);
    // Under BACKWARD the registry takes no such key.
    const level = {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: '{"compatibility":"FORWARD"}',
    };
    expect((await fetch(`${servers.registry.url}/config/${topic}-key`, level)).ok).toBe(true);
    const command = { kind: "release", ids: [`${topic}/key`], reason: "agreed" };
    expect(await service.command(command)).toMatchObject({ kind: "done" });
    await flowsAgain(world);
    const all = await events.until((seen) => streamed(seen).length >= 4, "the rows");
    expect(streamed(all).map(({ op, key }) => [op, key])).toEqual([
      ["c", { id: 2, b: 20 }],
      ["d", { id: 2, b: 20 }],
      ["c", { id: 2, b: 30 }],
      ["d", { id: 1, b: 10 }],
    ]);
  });

  it("a row larger than its topic takes, once the topic takes it", async () => {
    await using world = await capture("create table t (id int primary key, a text)");
    const { database, events, topic } = world;
    await database.query("insert into t values (1, repeat('x', 1500000)), (2, 'two')");
    const { what } = await parked(world, "record-too-large");
    expect(what).toContain("max.message.bytes");
    await neighbourFlows(world);
    const admin = kafkaClient().admin();
    await admin.connect();
    const configEntries = [{ name: "max.message.bytes", value: "4000000" }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] });
    await admin.disconnect();
    await flowsAgain(world);
    const all = await events.until((seen) => seen.length >= 2, "the rows");
    expect(all.map(({ after }) => [after?.["id"], String(after?.["a"]).length])).toEqual([
      [1, 1_500_000],
      [2, 3],
    ]);
  });
});

describe("undoing the change in the database ends it as well", () => {
  it("a new key: every change is published under the old one", async () => {
    await using world = await capture("create table t (id int primary key, b int not null)");
    const { database, events } = world;
    await database.query("alter table t drop constraint t_pkey, add primary key (b)");
    await database.query("insert into t values (2, 20)");
    await parked(world, "key-changed");
    await database.query("alter table t drop constraint t_pkey, add primary key (id)");
    await flowsAgain(world);
    const all = await events.until((seen) => seen.length > 0, "the row");
    expect(streamed(all).map(({ op, key }) => [op, key])).toEqual([["c", { id: 2 }]]);
  });

  it("a retyped column: what never fitted is passed over, and every row is published as it is now", async () => {
    await using world = await capture(
      "create table t (id int primary key, v int not null); insert into t values (1, 1)",
    );
    const { database, service, events } = world;
    await database.query("alter table t alter v type bigint");
    await database.query("insert into t values (2, 5000000000), (3, 3)");
    await parked(world, "value-unfit");
    await service.said(/public\.t is parked: /);
    await database.query("update t set v = 2 where id = 2; delete from t where id = 1");
    await database.query("alter table t alter v type int");
    await flowsAgain(world);
    await service.idle();
    const last = new Map((await events.all()).map(({ key, after }) => [key?.["id"], after]));
    expect(Object.fromEntries(last)).toEqual({ 1: null, 2: { id: 2, v: 2 }, 3: { id: 3, v: 3 } });
    await service.said(/no longer fitted any event/);
  });
});

it("a row whose required columns are in doubt waits at most until the catalog has settled it", async () => {
  const setup = "create table t (id int primary key, first_name text not null, last_name text not null)";
  await using world = await capture(setup);
  const { database, service, events } = world;
  await database.query("insert into t values (2, 'Grace', 'Hopper')");
  await events.until((seen) => seen.length > 0, "a row before it");
  await service[Symbol.asyncDispose]();
  await database.query("insert into t values (3, 'Edsger', 'Dijkstra')");
  await database.query("alter table t drop column first_name, add column full_name text");
  await database.query("insert into n values (1)");
  await world.start();
  await using neighbour = readEvents([world.topic.replace(/t$/, "n")]);
  await neighbour.until((seen) => seen.length > 0, "the neighbour's row");
  await flowsAgain(world);
  await world.service.idle();
  const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "the row");
  const rows = all.filter(({ after }) => after?.["id"] === 3);
  expect(rows.every(({ after }) => after?.["last_name"] === "Dijkstra")).toBe(true);
});

describe("a restart", () => {
  it("while a table is parked loses and doubles nothing, and tells nobody again", async () => {
    await using world = await capture("create table t (id int primary key, v int not null)");
    const { database, events, topic } = world;
    await database.query("alter table t alter v type bigint");
    await database.query("insert into t select g, 5000000000 + g from generate_series(1, 300) g");
    await parked(world, "value-unfit");
    await until(async () => (await parked(world, "value-unfit")).changes === 300, "all of them wait");
    await world.stop();
    await database.query("insert into t values (301, 1)");
    await world.start();
    await until(async () => (await parked(world, "value-unfit")).changes === 301, "the next one waits as well");
    expect(world.service.output()).not.toContain("is parked:");
    await neighbourFlows(world);
    expect(await world.service.command({ kind: "release", ids: [`${topic}/2`] })).toMatchObject({ kind: "done" });
    await flowsAgain(world);
    const all = await events.until((seen) => seen.length >= 301, "every row");
    expect(streamed(all).map(({ after }) => after?.["id"])).toEqual(
      Array.from({ length: 301 }, (_, index) => index + 1),
    );
  });
});

it("a backlog of 20,000 changes is replayed once and in order, also across a restart in the middle of it", async () => {
  const COUNT = 20_000;
  await using world = await capture("create table t (id int primary key, v int not null)");
  const { database, events, topic } = world;
  await database.query("alter table t alter v type bigint");
  await database.query(`insert into t select g, 5000000000 + g from generate_series(1, ${COUNT}) g`);
  await until(async () => (await parked(world, "value-unfit")).changes === COUNT, "all of them wait", 90_000);
  // From Kafka, not from memory.
  await world.stop();
  const service = await world.start();
  expect(await service.command({ kind: "release", ids: [`${topic}/2`] })).toMatchObject({ kind: "done" });
  await events.until((seen) => streamed(seen).length > 2000, "some are replayed");
  await world.stop();
  await world.start();
  await database.query(`insert into t values (${COUNT + 1}, 1)`);
  const all = await events.until((seen) => streamed(seen).length > COUNT, "all of them", 90_000);
  await flowsAgain(world);
  expect(streamed(all).map(({ after }) => after?.["id"])).toEqual(Array.from({ length: COUNT + 1 }, (_, id) => id + 1));
}, 240_000);

it("parked changes whose topic was deleted are lost: this is reported, and every row is published again", async () => {
  await using world = await capture("create table t (id int primary key, v int not null)", {
    connector: { ...MANUAL, "fieldgate.look.ms": "100" },
  });
  const { database, events, service, topic } = world;
  await database.query("alter table t alter v type bigint");
  await database.query("insert into t select g, 5000000000 + g from generate_series(1, 3) g");
  await until(async () => (await parked(world, "value-unfit")).changes === 3, "all of them wait");
  const name = `__fieldgate.${topic.split(".")[0]}.parked.${topic.split(".")[0]}`;
  const admin = kafkaClient().admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [name] }).finally(() => admin.disconnect());
  await until(async () => service.output().includes(`topic ${name} is gone`), "that is noticed", 30_000);
  await until(async () => service.output().includes("parked changes are missing"), "the loss is in the log", 30_000);
  await database.query("insert into t values (4, 5000000004)");
  await neighbourFlows(world);
  expect(await service.command({ kind: "release", ids: [`${topic}/2`] })).toMatchObject({ kind: "done" });
  await flowsAgain(world);
  const said = /parked changes were missing from the topic .* all rows of the table are published again/;
  await until(async () => said.test(service.output()), "what it means is in the log");
  const has = (seen: readonly Event[], id: number) => seen.some(({ after }) => after?.["id"] === id);
  await events.until((seen) => [1, 2, 3, 4].every((id) => has(seen, id)), "every row");
});

it("the parked topic has no value of a withheld or excluded column", async () => {
  await using world = await capture("create table t (id int primary key, v int not null, secret text)", {
    connector: { ...MANUAL, "column.exclude.list": "public.t.secret" },
  });
  const { database, service, events, topic } = world;
  const name = `__fieldgate.${topic.split(".")[0]}.parked.${topic.split(".")[0]}`;
  await database.query("alter table t alter v type bigint; alter table t add column later text");
  await database.query("insert into t values (1, 5000000000, 'excluded-value', 'withheld-value')");
  await parked(world, "value-unfit");
  await using collector = collect([name], kafkaClient());
  const text = () => collector.records.map(({ value }) => value?.toString("latin1") ?? "").join("\n");
  await until(() => text().includes("5000000000"), "the change is in the topic");
  await collector.toEnd();
  const bytes = text();
  expect(bytes).not.toMatch(/excluded-value|withheld-value/);
  expect(await service.command({ kind: "release", ids: [`${topic}/2`] })).toMatchObject({ kind: "done" });
  await flowsAgain(world);
  expect(await service.command({ kind: "release", ids: [`${topic}/4`] })).toMatchObject({ kind: "done" });
  await service.idle();
  const all = await events.until((seen) => seen.some(({ after }) => "later" in (after ?? {})), "the backfill");
  expect(all[0]).toMatchObject({ op: "c", after: { id: 1, v: 5_000_000_000n } });
  expect(all[0]?.after).not.toHaveProperty("later");
  expect(all.at(-1)).toMatchObject({ op: "r", after: { id: 1, v: 5_000_000_000n, later: "withheld-value" } });
});
