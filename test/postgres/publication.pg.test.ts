import { expect, test } from "vitest";
import {
  ensurePublication,
  missingFrom,
  type Publication,
  type PublicationNeed,
  readPublication,
} from "../../src/postgres/publication.ts";
import type { TableName } from "../../src/table/quote.ts";
import { checkSource } from "../../src/postgres/check.ts";
import { failure, needs, type Source, source } from "./follow.ts";

const table = (name: string, schema = "public"): TableName => ({ schema, name });
const TABLES = `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE "b ""c" (id int PRIMARY KEY); CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY)`;
const PARTITIONED = `CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (9) TO (99)`;

function need(name: string, tables: readonly TableName[], more: Partial<PublicationNeed> = {}): PublicationNeed {
  const operations = new Set(["insert", "update", "delete"] as const);
  return { name, mode: "filtered", viaRoot: false, operations, tables, ...more };
}

async function read(from: Source, name: string): Promise<Publication> {
  const publication = await readPublication(from.client, name);
  if (publication === undefined) throw new Error("it is not there");
  return publication;
}

test("a publication is created for the tables, and a missing table is added later", async () => {
  await using from = await source(TABLES);
  const first = [table("a"), table('b "c')];
  expect(await ensurePublication(from.client, need('p"ub', first))).toEqual({ created: true, added: first });
  expect(await read(from, 'p"ub')).toMatchObject({
    allTables: false,
    viaRoot: false,
    operations: new Set(["insert", "update", "delete", "truncate"]),
    tables: first,
  });
  const all = [...first, table("a", "s")];
  expect(missingFrom(await read(from, 'p"ub'), all)).toEqual([table("a", "s")]);
  expect(await ensurePublication(from.client, need('p"ub', all))).toEqual({ created: false, added: [table("a", "s")] });
  expect(await ensurePublication(from.client, need('p"ub', first))).toEqual({ created: false, added: [] });
  expect((await read(from, 'p"ub')).tables).toHaveLength(3);
});

test("a table that a migration has locked is not added, and the error says that the lock is why", async () => {
  await using from = await source(TABLES);
  await ensurePublication(from.client, need("few", [table("a")]));
  await from.client.query("SET lock_timeout = '200ms'");
  await from.app.query("BEGIN; ALTER TABLE s.a ADD COLUMN b int");
  const error = await failure(ensurePublication(from.client, need("few", [table("a"), table("a", "s")])));
  await from.app.query("ROLLBACK");
  expect(error).toMatchObject({ code: "postgres-locked", fate: "retry" });
});

test("a publication FOR ALL TABLES is not changed", async () => {
  await using from = await source(TABLES);
  const nothing = { created: false, added: [] };
  expect(await ensurePublication(from.client, need("everything", [table("a")]))).toEqual(nothing);
  expect(await read(from, "everything")).toMatchObject({ allTables: true });
});

test("a publication for a schema has the tables of the schema", async ({ skip }) => {
  await using from = await source(TABLES);
  await needs(from, 150_000, skip);
  await from.app.query("CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA s");
  expect(missingFrom(await read(from, "of_schema"), [table("a"), table("a", "s")])).toEqual([table("a")]);
});

test("skipped operations are not sent, except that truncates always are", async () => {
  await using from = await source(TABLES);
  await ensurePublication(from.client, need("few", [table("a")], { operations: new Set(["insert"]) }));
  expect((await read(from, "few")).operations).toEqual(new Set(["insert", "truncate"]));
  expect(await failure(ensurePublication(from.client, need("few", [table("a")])))).toMatchObject({
    code: "publication-unfit",
    message: "[publication-unfit] publication few does not send update, delete",
    next: `ALTER PUBLICATION "few" SET (publish = 'insert, update, delete, truncate');`,
  });
});

test.each([
  ["all_tables", { created: true, added: [] }, true],
  ["filtered", { created: true, added: [table("a")] }, false],
] as const)("publication.autocreate.mode %s creates it", async (mode, done, allTables) => {
  await using from = await source(TABLES);
  expect(await ensurePublication(from.client, need("made", [table("a")], { mode }))).toEqual(done);
  expect(await read(from, "made")).toMatchObject({ allTables });
});

test("mode disabled changes nothing; the error has the statements that add what is missing", async () => {
  await using from = await source(TABLES);
  const mode = "disabled" as const;
  expect(await failure(ensurePublication(from.client, need("none", [table("a")], { mode })))).toMatchObject({
    code: "publication-unfit",
    next: `CREATE PUBLICATION "none" FOR TABLE "public"."a" WITH (publish = 'insert, update, delete, truncate')`,
  });
  await from.app.query("CREATE PUBLICATION part FOR TABLE a WITH (publish = 'insert')");
  const all = [table("a"), table("a", "s")];
  expect(await failure(ensurePublication(from.client, need("part", all, { mode })))).toMatchObject({
    message: "[publication-unfit] publication part does not send s.a; does not send update, delete",
    next: `ALTER PUBLICATION "part" ADD TABLE "s"."a"; ALTER PUBLICATION "part" SET (publish = 'insert, update, delete, truncate');`,
  });
});

test("mode no_tables creates an empty publication, and the error says which tables to add", async () => {
  await using from = await source(TABLES);
  const made = await failure(ensurePublication(from.client, need("empty", [table("a")], { mode: "no_tables" })));
  expect(made).toMatchObject({ next: `ALTER PUBLICATION "empty" ADD TABLE "public"."a";` });
  expect(await read(from, "empty")).toMatchObject({ tables: [] });
});

test("a column list or row filter is refused on captured tables only", async ({ skip }) => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)");
  await needs(from, 150_000, skip);
  await from.app.query("CREATE PUBLICATION part FOR TABLE t (id) WHERE (id > 3), u");
  expect((await read(from, "part")).tables).toEqual([
    { schema: "public", name: "t", columnList: true, rowFilter: true, generated: false },
    { schema: "public", name: "u", columnList: false, rowFilter: false, generated: false },
  ]);
  expect(await failure(ensurePublication(from.client, need("part", [table("t"), table("u")])))).toMatchObject({
    message: "[publication-unfit] publication part has a column list and a row filter for public.t",
    next: `ALTER PUBLICATION "part" DROP TABLE "public"."t"; ALTER PUBLICATION "part" ADD TABLE "public"."t";`,
  });
  expect(await ensurePublication(from.client, need("part", [table("u")]))).toEqual({ created: false, added: [] });
});

test("generated columns are refused on captured tables only", async ({ skip }) => {
  await using from = await source("CREATE TABLE u (id int PRIMARY KEY)");
  await needs(from, 180_000, skip);
  await from.app.query(`CREATE TABLE t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED);
    CREATE TABLE virtual (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2))`);
  await from.app.query("CREATE PUBLICATION computed FOR TABLE t, virtual, u WITH (publish_generated_columns = stored)");
  expect(await failure(ensurePublication(from.client, need("computed", [table("t"), table("u")])))).toMatchObject({
    message: "[publication-unfit] publication computed sends generated columns of public.t",
    next: `ALTER PUBLICATION "computed" SET (publish_generated_columns = none);`,
  });
  const others = [table("virtual"), table("u")];
  expect(await ensurePublication(from.client, need("computed", others))).toEqual({ created: false, added: [] });
});

test("publish.via.partition.root decides whose name is used for the changes of partitions", async () => {
  await using from = await source(PARTITIONED);
  const root = need("parted", [table("t")], { viaRoot: true });
  const leaves = need("parted", [table("t1"), table("t2")]);
  await ensurePublication(from.client, root);
  expect((await read(from, "parted")).tables).toMatchObject([{ name: "t" }]);
  // Now the other names are required: `filtered` changes the publication, the other modes report the statement.
  expect(await failure(ensurePublication(from.client, { ...leaves, mode: "disabled" }))).toMatchObject({
    message:
      "[publication-unfit] publication parted does not send public.t1, public.t2 under that name (publish_via_partition_root is true)",
    next: `ALTER PUBLICATION "parted" SET (publish_via_partition_root = false);`,
  });
  expect(await ensurePublication(from.client, leaves)).toEqual({ created: false, added: [] });
  expect((await read(from, "parted")).tables).toMatchObject([{ name: "t1" }, { name: "t2" }]);
});

test("a missing publication is undefined, and creating one for a table that does not exist is refused", async () => {
  await using from = await source(TABLES);
  expect(await readPublication(from.client, "nowhere")).toBeUndefined();
  expect(await failure(ensurePublication(from.client, need("wrong", [table("nowhere")])))).toMatchObject({
    code: "postgres-refused",
  });
});

test("a role that may not create or extend the publication is given the statement for an administrator", async () => {
  await using from = await source(TABLES);
  await ensurePublication(from.client, need("few", [table("a")]));
  // A predefined role, which owns nothing.
  await from.client.query("SET ROLE pg_read_all_data");
  expect(await failure(ensurePublication(from.client, need("mine", [table("a")])))).toMatchObject({
    code: "publication-unfit",
    text: expect.stringMatching(/^creating publication mine: permission denied for database /),
    next: `have an administrator run: CREATE PUBLICATION "mine" FOR TABLE "public"."a" WITH (publish = 'insert, update, delete, truncate');`,
  });
  expect(await failure(ensurePublication(from.client, need("few", [table("a"), table("a", "s")])))).toMatchObject({
    code: "publication-unfit",
    text: expect.stringMatching(/^adding tables to publication few: must be owner of /),
    next: `have an administrator run: ALTER PUBLICATION "few" ADD TABLE "s"."a";`,
  });
});

test("a publication has exactly the tables of pg_publication_tables, and is read while a migration holds their locks", async () => {
  await using from = await source(`${TABLES}; ${PARTITIONED}; CREATE UNLOGGED TABLE fleeting (id int);
    CREATE TABLE s.deep PARTITION OF t FOR VALUES FROM (99) TO (999) PARTITION BY RANGE (id);
    CREATE TABLE deeper PARTITION OF s.deep FOR VALUES FROM (99) TO (500)`);
  const bySchema = (await checkSource(from.client)).version >= 150_000 ? ["FOR TABLES IN SCHEMA s"] : [];
  const clauses = ["FOR ALL TABLES", ...bySchema, "FOR TABLE a, t, t1, s.deep", "FOR TABLE t1, a", ""];
  const kinds = clauses.flatMap((clause) => [false, true].map((root) => ({ clause, root })));
  const names = kinds.map((_, index) => `publication_${index}`);
  for (const [index, { clause, root }] of kinds.entries()) {
    const created = `CREATE PUBLICATION ${names[index]} ${clause} WITH (publish_via_partition_root = ${root})`;
    await from.app.query(created);
  }
  // PostgreSQL 14 shows a partition twice that is listed next to its table.
  const { rows } = await from.app.query<{ pubname: string; tables: string }>(
    `SELECT p.pubname, coalesce(string_agg(schemaname || '.' || tablename, ', ' ORDER BY schemaname, tablename), '')
              AS tables
       FROM pg_publication p LEFT JOIN (SELECT DISTINCT * FROM pg_publication_tables) AS shown USING (pubname)
      GROUP BY p.pubname`,
  );
  const shown = new Map(rows.map(({ pubname, tables }) => [pubname, tables]));
  await from.client.query("SET lock_timeout = '500ms'");
  await from.app.query(`BEGIN; LOCK TABLE a, t, s.a IN ACCESS EXCLUSIVE MODE`);
  const found = new Map<string, string>();
  for (const one of names) {
    const { tables } = await read(from, one);
    found.set(one, tables.map(({ schema, name }) => `${schema}.${name}`).join(", "));
  }
  await from.app.query("ROLLBACK");
  expect(found).toEqual(new Map(names.map((one) => [one, shown.get(one)])));
});
