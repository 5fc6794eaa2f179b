import { expect, test } from "vitest";
import { type Capture, readCapturedTables } from "../../src/postgres/captured.ts";
import { readTables } from "../../src/postgres/catalog.ts";
import { captureFilter, entryList, type ListEntry } from "../../src/capture/lists.ts";
import { failure, type Source, source } from "./follow.ts";

function entries(text: string): readonly ListEntry[] {
  const list = entryList(text);
  if (list.kind === "refused") throw new Error(list.why.join());
  return list.entries;
}

function capture(include: string | undefined, more: { exclude?: string; viaRoot?: boolean } = {}): Capture {
  const listed = include === undefined ? [] : entries(include);
  const excluded =
    more.exclude === undefined ? undefined : { kind: "exclude" as const, entries: entries(more.exclude) };
  const tables = include === undefined ? excluded : { kind: "include" as const, entries: listed };
  return { filter: captureFilter({ tables }), listed, viaRoot: more.viaRoot ?? false, before: [] };
}

async function names(from: Source, wanted: Capture): Promise<readonly string[]> {
  const { tables } = await readCapturedTables(from.client, wanted);
  return tables.map(({ schema, name }) => `${schema}.${name}`);
}

const TABLES = `CREATE TABLE customers (id int PRIMARY KEY, name text); CREATE TABLE "Orders" (id int PRIMARY KEY);
  CREATE UNLOGGED TABLE cache (id int); CREATE VIEW seen AS SELECT 1 AS id; CREATE SCHEMA sales;
  CREATE TABLE sales.orders (id int); CREATE SCHEMA fieldgate; CREATE TABLE fieldgate.secret (id int)`;

const LISTS: readonly (readonly [string | undefined, { exclude?: string }, readonly string[]])[] = [
  [undefined, {}, ["public.Orders", "public.customers", "sales.orders"]],
  ["public.customers", {}, ["public.customers"]],
  ["PUBLIC.orders", {}, ["public.Orders"]],
  [".*\\.orders", {}, ["public.Orders", "sales.orders"]],
  [undefined, { exclude: "sales\\..*" }, ["public.Orders", "public.customers"]],
];

test("the tables that match the lists are captured, but never those of the system or of Fieldgate itself", async () => {
  await using from = await source(TABLES);
  for (const [include, more, expected] of LISTS) {
    expect([include, await names(from, capture(include, more))]).toEqual([include, expected]);
  }
  const { tables, warnings } = await readCapturedTables(from.client, capture("public.customers"));
  expect(tables).toEqual(await readTables(from.client, [{ schema: "public", name: "customers" }]));
  expect(warnings).toEqual([]);
});

test("a table that the role may not read is reported with the right that is missing, and the statement that grants it", async () => {
  await using from = await source(`${TABLES}; REVOKE ALL ON SCHEMA public FROM PUBLIC`);
  // A predefined role, which has no rights on these tables but one.
  await from.app.query("GRANT SELECT ON customers TO pg_monitor; GRANT USAGE ON SCHEMA sales TO pg_monitor");
  await from.client.query("SET ROLE pg_monitor");
  const lists = capture("public.customers,sales.orders,public.nobody");
  expect(await failure(readCapturedTables(from.client, lists))).toMatchObject({
    code: "table-missing",
    text: "not a permanent table: public.nobody; public.customers: no right to use its schema (USAGE); sales.orders: no right to read it (SELECT)",
    next: 'correct table.include.list; GRANT USAGE ON SCHEMA "public" TO "pg_monitor"; GRANT SELECT ON "sales"."orders" TO "pg_monitor";',
  });
});

test("if the role may read none of the tables that match a pattern, the error has every right that is missing", async () => {
  await using from = await source(`${TABLES}; REVOKE ALL ON SCHEMA public FROM PUBLIC`);
  await from.client.query("SET ROLE pg_monitor");
  expect(await failure(readCapturedTables(from.client, capture("public\\.cust.*,sales\\..*")))).toMatchObject({
    code: "table-missing",
    text: "public.customers: no right to use its schema (USAGE) or read it (SELECT); sales.orders: no right to use its schema (USAGE) or read it (SELECT)",
    next: 'GRANT USAGE ON SCHEMA "public" TO "pg_monitor"; GRANT SELECT ON "public"."customers" TO "pg_monitor"; GRANT USAGE ON SCHEMA "sales" TO "pg_monitor"; GRANT SELECT ON "sales"."orders" TO "pg_monitor";',
  });

  // One that may be read is captured, and the others are reported later.
  await from.app.query("GRANT SELECT ON customers TO pg_monitor; GRANT USAGE ON SCHEMA public TO pg_monitor");
  expect(await names(from, capture("public\\.cust.*,sales\\..*"))).toEqual(["public.customers"]);
});

test("names of missing or unreadable tables are reported in one error; a pattern without a match is a warning", async () => {
  await using from = await source(TABLES);
  const reading = failure(
    readCapturedTables(from.client, capture("public.customers,public.nobody,public.cache,public.seen")),
  );
  expect(await reading).toMatchObject({
    code: "table-missing",
    message: "[table-missing] not a permanent table: public.nobody, public.cache, public.seen",
    next: "correct table.include.list",
  });
  const { warnings } = await readCapturedTables(from.client, capture("public.customers,public\\.tmp_.*"));
  expect(warnings).toEqual(["table.include.list: public\\.tmp_.* matches no table"]);
  expect(await failure(readCapturedTables(from.client, capture("nobody\\..*")))).toMatchObject({
    code: "table-missing",
    message: "[table-missing] the include and exclude lists match no table of the database",
  });
});

const PARTITIONED = `CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE other (id int);
  CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9);
  CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (9) TO (99) PARTITION BY RANGE (id);
  CREATE TABLE t2a PARTITION OF t2 FOR VALUES FROM (9) TO (50)`;

const PARTS: readonly (readonly [string | undefined, boolean, readonly string[]])[] = [
  [undefined, false, ["public.other", "public.t1", "public.t2a"]],
  [undefined, true, ["public.other", "public.t"]],
  ["public.t", true, ["public.t"]],
  ["public.t2", true, ["public.t2"]],
  ["public.t1", true, ["public.t1"]],
  ["public.t1,public.t2a", false, ["public.t1", "public.t2a"]],
  ["public\\.t.*", false, ["public.t1", "public.t2a"]],
  ["public\\.t.*", true, ["public.t"]],
];

test("publish.via.partition.root decides whether the partitions or the partitioned table are captured", async () => {
  await using from = await source(PARTITIONED);
  for (const [include, viaRoot, expected] of PARTS) {
    expect([include, viaRoot, await names(from, capture(include, { viaRoot }))]).toEqual([include, viaRoot, expected]);
  }
});

test("a partitioned table whose changes are sent under other names is refused, or a warning if a pattern matches it", async () => {
  await using from = await source(PARTITIONED);
  expect(await failure(readCapturedTables(from.client, capture("public.t")))).toMatchObject({
    code: "config-invalid",
    message: expect.stringMatching(/under the names of their partitions, .* public\.t \(public\.t1, public\.t2a\)$/),
    next: "set publish.via.partition.root to true, or list the partitions as well",
  });
  const { tables, warnings } = await readCapturedTables(from.client, capture("public\\.(t|other)"));
  expect(tables.map(({ name }) => name)).toEqual(["other"]);
  expect(warnings).toEqual([expect.stringMatching(/public\.t \(public\.t1, public\.t2a\): set publish\.via/)]);
});
