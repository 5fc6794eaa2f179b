import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { collect } from "../stack/collect.ts";
import { until } from "../stack/until.ts";
import { servers } from "../stack/servers.ts";
import { freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { captureTable } from "./world.ts";

/** A typical Debezium file; its variables hold what differs between installations. */
const FILE = new URL("../cases/connectors/confluent-avro.json", import.meta.url);
const { config } = JSON.parse(readFileSync(FILE, "utf8")) as { readonly config: Readonly<Record<string, string>> }; // the file has this shape

const SETUP = `
  create table t (id int primary key, price numeric(10,2) not null, internal_note text);
  create table order_2026 (id int primary key);
  create table orders (id int primary key);
  create table debezium_heartbeat (id int primary key, ts timestamptz);
  insert into t values (1, 9.50, 'secret')`;

test("a file written for Debezium runs unchanged, with its lists, modes, publication and registry", async () => {
  await using database = await freshDatabase();
  const { address } = database;
  const prefix = uniquePrefix();
  await using world = await captureTable({
    database,
    prefix,
    setup: SETUP,
    connector: config,
    // The service's own registry does not answer; the converters' registry is used.
    registryUrl: "http://127.0.0.1:9",
    schemasFrom: servers.registry.url,
    env: {
      PG_HOST: address.host,
      PG_PORT: String(address.port),
      PG_USER: address.user,
      PG_PASSWORD: address.password,
      PG_DATABASE: address.database,
      TOPIC_PREFIX: prefix,
      SLOT_NAME: `slot_${prefix}`,
      SCHEMA_REGISTRY_URL: servers.registry.url,
    },
  });
  await database.query("insert into t values (2, 10.00, 'secret')");
  const events = await world.events.until((all) => all.length >= 2, "the existing row and the new one");
  expect(events.map(({ op, after }) => [op, after])).toEqual([
    ["r", { id: 1, price: "9.50" }],
    ["c", { id: 2, price: "10.00" }],
  ]);
  const { tables } = await world.service.connector();
  expect(tables.map(({ topic }) => topic).sort()).toEqual([`${prefix}.public.order_2026`, `${prefix}.public.t`]);
  const published = await database.query("select tablename from pg_publication_tables where pubname = $1 order by 1", [
    config["publication.name"],
  ]);
  expect(published).toEqual([{ tablename: "order_2026" }, { tablename: "t" }]);
  await using beats = collect([`__debezium-heartbeat.${prefix}`]);
  await beats.count(2);
  await until(
    async () => (await database.query("select * from debezium_heartbeat")).length === 1,
    "the row that the heartbeat action inserts",
  );
  expect(world.service.output()).toContain(
    "keys that have no effect here: connector.class, tasks.max, snapshot.fetch.size",
  );
});
