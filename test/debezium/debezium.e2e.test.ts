import { expect, test } from "vitest";
import { collect } from "../stack/collect.ts";
import { freshDatabase } from "../stack/database.ts";
import { registryDecoder } from "../stack/decode.ts";
import { servers } from "../stack/servers.ts";
import { openDebezium } from "./debezium.ts";

test("a real Debezium publishes what happens to a table, in Confluent's framing", async () => {
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key, a text); insert into t values (1, 'one')");
  await using debezium = await openDebezium({ database, tables: ["public.t"] });
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
  const versions = await fetch(`${servers.registry.url}/subjects/${topic}-value/versions`);
  expect(await versions.json()).toEqual([1, 2]);
});
