import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../src/event/envelope/partition.ts";
import { collect } from "../stack/collect.ts";
import { freshDatabase } from "../stack/database.ts";
import { registryDecoder } from "../stack/decode.ts";
import { servers } from "../stack/servers.ts";
import { type Debezium, openDebezium } from "./debezium.ts";

const open = new AsyncDisposableStack();
afterAll(() => open.disposeAsync());
const database = open.use(await freshDatabase());
let debezium: Debezium;

beforeAll(async () => {
  await database.query("create table t (id int primary key, a text); insert into t values (1, 'one')");
  await database.query("create table spread (id int, a text, primary key (id, a))");
  const connector = { "topic.creation.default.partitions": "7" };
  debezium = open.use(await openDebezium({ database, tables: ["public.t", "public.spread"], connector }));
});

test("a real Debezium publishes the changes of a table, and an added column gives a new schema version", async () => {
  const topic = `${debezium.prefix}.public.t`;
  await using collector = collect([topic]);
  await database.query("insert into t values (2, 'two'); delete from t where id = 2");
  const records = await collector.count(3);
  const decoder = registryDecoder();
  const decoded = [];
  for (const { key, value } of records) decoded.push([await decoder.decode(key), await decoder.decode(value)]);
  const source = expect.objectContaining({ version: "3.6.1.Final", name: debezium.prefix, table: "t" });
  expect(decoded).toEqual([
    [{ id: 2 }, expect.objectContaining({ op: "c", after: { id: 2, a: "two" }, source })],
    [{ id: 2 }, expect.objectContaining({ op: "d", before: { id: 2, a: null }, source })],
    [{ id: 2 }, null],
  ]);
  await database.query("alter table t add b int; insert into t values (3, 'three', 3)");
  await collector.count(4);
  const versions = async (side: string) =>
    (await fetch(`${servers.registry.url}/subjects/${topic}-${side}/versions`)).json();
  expect([await versions("key"), await versions("value")]).toEqual([[1], [1, 2]]);
});

test("a key has the same partition as in Java", async () => {
  const topic = `${debezium.prefix}.public.spread`;
  await database.query("insert into spread select n, repeat('x', n) from generate_series(1, 100) n");
  await using collector = collect([topic]);
  const records = await collector.count(100);
  expect(new Set(records.map(({ partition }) => partition)).size).toBe(7);
  expect(records.map(({ key }) => partitionOf(key, topic, 7))).toEqual(records.map(({ partition }) => partition));
});
