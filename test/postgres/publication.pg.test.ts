import { expect, test } from "vitest";
import { ensurePublication, missingFromPublication, readPublication } from "../../src/postgres/publication.ts";
import { failure, source } from "./follow.ts";

const table = (name: string, schema = "public") => ({ schema, name });
const TABLES = `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE "b ""c" (id int PRIMARY KEY); CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY)`;

test("a publication is created for the tables, and one it lacks is added", async () => {
  await using from = await source(TABLES);
  const first = [table("a"), table('b "c')];
  expect(await ensurePublication(from.client, 'p"ub', first)).toEqual({ created: true, added: first });
  expect(await readPublication(from.client, 'p"ub')).toMatchObject({
    allTables: false,
    viaRoot: false,
    operations: new Set(["insert", "update", "delete", "truncate"]),
    tables: first,
  });
  const all = [...first, table("a", "s")];
  expect(await missingFromPublication(from.client, 'p"ub', all)).toEqual([table("a", "s")]);
  expect(await ensurePublication(from.client, 'p"ub', all)).toEqual({ created: false, added: [table("a", "s")] });
  expect(await ensurePublication(from.client, 'p"ub', first)).toEqual({ created: false, added: [] });
  expect((await readPublication(from.client, 'p"ub'))?.tables).toHaveLength(3);
});

test("a publication of all tables is left as it is", async () => {
  await using from = await source(TABLES);
  expect(await ensurePublication(from.client, "everything", [table("a")])).toEqual({ created: false, added: [] });
  expect(await readPublication(from.client, "everything")).toMatchObject({ allTables: true });
});

test("a publication of a schema has its tables", async () => {
  await using from = await source(TABLES);
  await from.app.query("CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA s");
  expect(await missingFromPublication(from.client, "of_schema", [table("a"), table("a", "s")])).toEqual([table("a")]);
});

test("what keeps columns, rows or operations out is told", async () => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)");
  await from.app.query("CREATE PUBLICATION part FOR TABLE t (id) WHERE (id > 3), u WITH (publish = 'insert')");
  expect(await readPublication(from.client, "part")).toMatchObject({
    operations: new Set(["insert"]),
    tables: [
      { name: "t", columnList: true, rowFilter: true },
      { name: "u", columnList: false, rowFilter: false },
    ],
  });
});

test("a partitioned table is not missing when its partitions are published", async () => {
  await using from = await source(
    "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9)",
  );
  await ensurePublication(from.client, "parted", [table("t")]);
  expect(await missingFromPublication(from.client, "parted", [table("t"), table("t1"), table("t2")])).toEqual([
    table("t2"),
  ]);
});

test("a publication that is not there is undefined, and one nobody may create is refused", async () => {
  await using from = await source(TABLES);
  expect(await readPublication(from.client, "nowhere")).toBeUndefined();
  expect(await failure(ensurePublication(from.client, "wrong", [table("nowhere")]))).toMatchObject({
    code: "postgres-refused",
  });
});
