import { expect, test } from "vitest";
import { NONE_TRUNCATED, type Sent, type SentNews, sentAs, sentNews, truncatedBy } from "../../src/capture/sent.ts";
import { hasOtherColumns, hasOtherLabels, versionsOf } from "../../src/gate/amendment/rewritten.ts";
import type { Table } from "../../src/table/column.ts";
import { readTables } from "../../src/postgres/catalog.ts";
import { readTablesLook } from "../../src/postgres/look.ts";
import { needs, type Source, source } from "./follow.ts";

const ALL = new Set(["insert", "update", "delete"]);
const TABLES = "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'one')";
const ROOT = `CREATE TABLE t (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
  CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
  CREATE PUBLICATION p FOR TABLE t WITH (publish_via_partition_root)`;

const PUBLISHED = `CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
  CREATE PUBLICATION p FOR TABLE t WITH (publish_via_partition_root)`;
const NARROW_ROOT = `CREATE TABLE t (id int) PARTITION BY RANGE (id); ${PUBLISHED}`;
const FULL_ROOT = `CREATE TABLE t (id int NOT NULL, a text NOT NULL DEFAULT 'x') PARTITION BY RANGE (id); ${PUBLISHED}`;

async function sent(from: Source, viaRoot: boolean): Promise<Sent> {
  const { look, table } = await lookAt(from);
  return sentAs(look, table, { viaRoot, operations: ALL });
}

async function lookAt({ client }: Source) {
  const look = await readTablesLook(client, "p");
  const table = [...look.tables.values()].find(({ schema, name }) => schema === "public" && name === "t");
  return { look, table };
}

/** The transaction that last changed the table's entry in the catalog. */
async function changedBy({ app }: Source, table: string): Promise<string> {
  const { rows } = await app.query<{ xmin: string }>("SELECT xmin FROM pg_class WHERE relname = $1", [table]);
  return rows[0]?.xmin ?? "";
}

interface Story {
  readonly what: string;
  readonly setup: string;
  readonly steps: readonly string[];
  readonly viaRoot?: boolean;
  /** Whether the log reports that the first step has truncated the table. */
  readonly truncated?: boolean;
  readonly news: SentNews["kind"];
  readonly why?: string;
  /** The first version that can do it. */
  readonly since?: number;
}

const byName = `${TABLES}; CREATE PUBLICATION p FOR TABLE t`;
const all = `${TABLES}; CREATE PUBLICATION p FOR ALL TABLES`;
const bySchema = `${TABLES}; CREATE SCHEMA other; CREATE PUBLICATION p FOR TABLES IN SCHEMA public`;

const STORIES: readonly Story[] = [
  { what: "nothing happens", setup: byName, steps: ["VACUUM FULL t"], news: "none" },
  {
    what: "another table is added",
    setup: byName,
    steps: ["CREATE TABLE u (id int)", "ALTER PUBLICATION p ADD TABLE u"],
    news: "none",
  },
  { what: "it leaves", setup: byName, steps: ["ALTER PUBLICATION p DROP TABLE t"], news: "lost", why: "unpublished" },
  {
    what: "it leaves and comes back",
    setup: byName,
    steps: ["ALTER PUBLICATION p DROP TABLE t", "ALTER PUBLICATION p ADD TABLE t"],
    news: "again",
  },
  {
    what: "the publication is dropped",
    setup: byName,
    steps: ["DROP PUBLICATION p"],
    news: "lost",
    why: "no-publication",
  },
  {
    what: "the publication is dropped and created",
    setup: byName,
    steps: ["DROP PUBLICATION p", "CREATE PUBLICATION p FOR TABLE t"],
    news: "again",
  },
  {
    what: "generated columns are sent",
    setup: `CREATE TABLE t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED); CREATE PUBLICATION p FOR TABLE t`,
    steps: ["ALTER PUBLICATION p SET (publish_generated_columns = stored)"],
    news: "lost",
    why: "generated",
    since: 180_000,
  },
  {
    what: "generated columns are sent, and it has none",
    setup: byName,
    steps: ["ALTER PUBLICATION p SET (publish_generated_columns = stored)"],
    news: "again",
    since: 180_000,
  },
  {
    what: "updates are not sent",
    setup: byName,
    steps: ["ALTER PUBLICATION p SET (publish = 'insert, delete')"],
    news: "lost",
    why: "operations",
  },
  {
    what: "updates were not sent for a while",
    setup: byName,
    steps: [
      "ALTER PUBLICATION p SET (publish = 'insert')",
      "ALTER PUBLICATION p SET (publish = 'insert, update, delete')",
    ],
    news: "again",
  },
  {
    what: "a row filter is set",
    setup: byName,
    steps: ["ALTER PUBLICATION p SET TABLE t WHERE (id > 5)"],
    since: 150_000,
    news: "lost",
    why: "partial",
  },
  {
    what: "there was a row filter for a while",
    setup: byName,
    steps: ["ALTER PUBLICATION p SET TABLE t WHERE (id > 5)", "ALTER PUBLICATION p SET TABLE t"],
    since: 150_000,
    news: "again",
  },
  {
    what: "a column list is set",
    setup: byName,
    steps: ["ALTER PUBLICATION p SET TABLE t (id)"],
    since: 150_000,
    news: "lost",
    why: "partial",
  },
  { what: "it is dropped", setup: byName, steps: ["DROP TABLE t"], news: "lost", why: "dropped" },
  { what: "it is unlogged", setup: all, steps: ["ALTER TABLE t SET UNLOGGED"], news: "lost", why: "unlogged" },
  {
    what: "it was unlogged for a while",
    setup: all,
    steps: ["ALTER TABLE t SET UNLOGGED", "ALTER TABLE t SET LOGGED"],
    news: "rewritten",
  },
  { what: "it is truncated", setup: all, steps: ["TRUNCATE t"], truncated: true, news: "same" },
  {
    what: "its schema leaves the publication and comes back",
    setup: bySchema,
    steps: ["ALTER PUBLICATION p SET TABLES IN SCHEMA other", "ALTER PUBLICATION p SET TABLES IN SCHEMA public"],
    since: 150_000,
    news: "again",
  },
  {
    what: "a partition is created",
    setup: ROOT,
    viaRoot: true,
    steps: ["CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)", "VACUUM ANALYZE"],
    news: "same",
  },
  {
    what: "a table is attached",
    setup: `${ROOT}; CREATE TABLE t2 (id int PRIMARY KEY, a text)`,
    viaRoot: true,
    steps: ["ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20)"],
    news: "attached",
  },
  {
    what: "a table is filled and attached in the transaction that creates it",
    setup: ROOT,
    viaRoot: true,
    steps: [
      `BEGIN; CREATE TABLE t2 (id int PRIMARY KEY, a text); INSERT INTO t2 VALUES (11, 'x');
       ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20); COMMIT`,
    ],
    news: "attached",
  },
  {
    what: "a table of one column without a key is filled and attached in the transaction that creates it",
    setup: NARROW_ROOT,
    viaRoot: true,
    steps: [
      `BEGIN; CREATE TABLE t2 (id int); INSERT INTO t2 VALUES (11);
       ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20); COMMIT`,
    ],
    news: "attached",
  },
  {
    what: "a table of one column is filled and attached below a partition in the transaction that creates it",
    setup: `${NARROW_ROOT}; CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (30) TO (50) PARTITION BY RANGE (id)`,
    viaRoot: true,
    steps: [
      `BEGIN; CREATE TABLE t31 (id int); INSERT INTO t31 VALUES (31);
       ALTER TABLE t3 ATTACH PARTITION t31 FOR VALUES FROM (30) TO (40); COMMIT`,
    ],
    news: "attached",
  },
  {
    what: "a partition is created whose columns have defaults and constraints, and they change later",
    setup: FULL_ROOT,
    viaRoot: true,
    steps: [
      "CREATE TABLE t2 PARTITION OF t (a DEFAULT 'y', CHECK (id > 9)) FOR VALUES FROM (10) TO (20)",
      "VACUUM ANALYZE",
      "ALTER TABLE t2 ALTER id SET STATISTICS 7, ALTER a SET STATISTICS 7",
    ],
    news: "same",
  },
  {
    what: "a partition is detached and attached again",
    setup: ROOT,
    viaRoot: true,
    steps: ["ALTER TABLE t DETACH PARTITION t1", "ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (10)"],
    news: "attached",
  },
  {
    what: "a partition of a partition is attached",
    setup: `${ROOT}; CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (id);
      CREATE TABLE t21 (id int PRIMARY KEY, a text)`,
    viaRoot: true,
    steps: ["ALTER TABLE t2 ATTACH PARTITION t21 FOR VALUES FROM (10) TO (20)"],
    news: "attached",
  },
  {
    what: "a partition is unlogged",
    setup: ROOT,
    viaRoot: true,
    steps: ["ALTER TABLE t1 SET UNLOGGED"],
    news: "lost",
    why: "unlogged",
  },
  {
    what: "changes are sent under the partitions' names",
    setup: ROOT,
    viaRoot: true,
    steps: ["ALTER PUBLICATION p SET (publish_via_partition_root = false)"],
    news: "lost",
    why: "other-root",
  },
  {
    what: "it is truncated, and loaded while it is unlogged",
    setup: all,
    steps: ["TRUNCATE t", "ALTER TABLE t SET UNLOGGED", "INSERT INTO t VALUES (2)", "ALTER TABLE t SET LOGGED"],
    truncated: true,
    news: "rewritten",
  },
  {
    what: "it is truncated, and loaded while it is unlogged, in one transaction",
    setup: all,
    steps: [
      "BEGIN; TRUNCATE t; ALTER TABLE t SET UNLOGGED; INSERT INTO t VALUES (2); ALTER TABLE t SET LOGGED; COMMIT",
    ],
    truncated: true,
    news: "rewritten",
  },
  {
    what: "it leaves the publication's schema and comes back",
    setup: bySchema,
    steps: ["ALTER TABLE t SET SCHEMA other", "ALTER TABLE other.t SET SCHEMA public"],
    since: 150_000,
    news: "again",
  },
  {
    what: "it is renamed and renamed back, published with its schema",
    setup: bySchema,
    steps: [
      "ALTER TABLE t RENAME TO u",
      "ALTER TABLE u RENAME TO t",
      "ALTER TABLE t OWNER TO CURRENT_USER",
      "ALTER TABLE t ADD b int",
    ],
    since: 150_000,
    news: "none",
  },
  {
    what: "a partition was unlogged for a while",
    setup: ROOT,
    viaRoot: true,
    steps: ["ALTER TABLE t1 SET UNLOGGED", "INSERT INTO t VALUES (1)", "ALTER TABLE t1 SET LOGGED"],
    news: "rewritten",
  },
  {
    what: "a foreign table becomes a partition",
    setup: `CREATE TABLE t (id int, a text) PARTITION BY RANGE (id); CREATE PUBLICATION p FOR TABLE t WITH (publish_via_partition_root);
      CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw;
      CREATE FOREIGN TABLE f (id int, a text) SERVER s OPTIONS (filename '/dev/null')`,
    viaRoot: true,
    steps: ["ALTER TABLE t ATTACH PARTITION f FOR VALUES FROM (10) TO (20)"],
    news: "lost",
    why: "foreign",
  },
  { what: "a partition is truncated", setup: ROOT, viaRoot: true, steps: ["TRUNCATE t1"], news: "emptied" },
  {
    what: "a partitioned table is truncated",
    setup: ROOT,
    viaRoot: true,
    steps: ["TRUNCATE t"],
    truncated: true,
    news: "same",
  },
  {
    what: "a partition is truncated after the partitioned table",
    setup: ROOT,
    viaRoot: true,
    steps: ["TRUNCATE t", "INSERT INTO t VALUES (1, 'x')", "TRUNCATE t1"],
    truncated: true,
    news: "emptied",
  },
  {
    what: "a partition is detached",
    setup: ROOT,
    viaRoot: true,
    steps: ["ALTER TABLE t DETACH PARTITION t1"],
    news: "detached",
  },
  { what: "a partition is dropped", setup: ROOT, viaRoot: true, steps: ["DROP TABLE t1"], news: "detached" },
  {
    what: "its rows are written to a new file by VACUUM FULL",
    setup: all,
    steps: ["VACUUM FULL t"],
    news: "same",
  },
  {
    what: "a table without a TOAST table is truncated",
    setup: "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR ALL TABLES",
    steps: ["TRUNCATE t"],
    truncated: true,
    news: "same",
  },
  {
    what: "a table without a TOAST table is truncated, and loaded while it is unlogged",
    setup: "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR ALL TABLES",
    steps: ["TRUNCATE t", "ALTER TABLE t SET UNLOGGED", "INSERT INTO t VALUES (2)", "ALTER TABLE t SET LOGGED"],
    truncated: true,
    news: "rewritten",
  },
];

test.for(STORIES)("a look after: $what", async (story, { skip }) => {
  const { setup, steps, viaRoot = false, truncated = false, news, why, since = 0 } = story;
  await using from = await source("");
  await needs(from, since, skip);
  await from.app.query(setup);
  const before = await sent(from, viaRoot);
  expect(before.kind).toBe("sent");
  const truncates: string[] = [];
  for (const one of steps) {
    await from.app.query(one);
    if (truncated) truncates.push(await changedBy(from, "t1"), await changedBy(from, "t"));
  }
  const { table } = await lookAt(from);
  const now = await sent(from, viaRoot);
  const found = sentNews(before, now, truncatedBy(truncates.slice(0, 2), table));
  expect(found.kind).toBe(news);
  expect(found.kind === "lost" ? found.why.kind : undefined).toBe(why);
  expect(sentNews(now, await sent(from, viaRoot), NONE_TRUNCATED)).toEqual({ kind: "none" });
});

test("a partition is sent under its own name if its root is published without publish_via_partition_root", async () => {
  await using from = await source(`${ROOT}; ALTER PUBLICATION p SET (publish_via_partition_root = false)`);
  const look = await readTablesLook(from.client, "p");
  const partition = [...look.tables.values()].find(({ name }) => name === "t1");
  expect(sentAs(look, partition, { viaRoot: false, operations: ALL }).kind).toBe("sent");
});

test("a look does not wait for a table that is locked", async () => {
  await using from = await source(byName);
  await from.app.query("BEGIN");
  await from.app.query("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  expect((await sent(from, false)).kind).toBe("sent");
  await from.app.query("ROLLBACK");
});

test("a look shows whether an enum's labels are those that a table's columns were read with", async () => {
  await using from = await source(
    `CREATE TYPE mood AS ENUM ('ärger, leise', 'it''s'); CREATE DOMAIN d AS mood;
     CREATE TABLE t (id int PRIMARY KEY, a mood[], b d, c text)`,
  );
  const [table] = await readTables(from.client, [{ schema: "public", name: "t" }]);
  const differs = async () =>
    hasOtherLabels({ known: table?.columns ?? [] }, (await readTablesLook(from.client, "p")).enums);
  expect(await differs()).toBe(false);
  await from.app.query("ALTER TYPE mood RENAME VALUE 'it''s' TO 'loud'");
  expect(await differs()).toBe(true);
  await from.app.query("ALTER TYPE mood RENAME VALUE 'loud' TO 'it''s'");
  expect(await differs()).toBe(false);
});

test.each([
  ["a new column, which takes the name of a dropped one", "ALTER TABLE t DROP a, ADD a text DEFAULT 'x'"],
  ["a new column", "ALTER TABLE t ADD b text DEFAULT 'x'"],
  ["a dropped column", "ALTER TABLE t DROP a"],
  ["a new name", "ALTER TABLE t RENAME a TO b"],
  ["a new type that writes no file", "ALTER TABLE t ALTER a TYPE varchar"],
  ["a default", "ALTER TABLE t ALTER a SET DEFAULT 'y'"],
  ["a generated column that became ordinary", "ALTER TABLE t ALTER g DROP EXPRESSION"],
])("a look shows whether a table's columns are those that it was read with: %s", async (_, ddl) => {
  await using from = await source(
    "CREATE TABLE t (id int PRIMARY KEY, gone int, a text, g int GENERATED ALWAYS AS (1) STORED); ALTER TABLE t DROP gone",
  );
  const read = async () =>
    (await readTables(from.client, [{ schema: "public", name: "t" }])).flatMap((one) => one ?? []);
  const look = async () => (await readTablesLook(from.client, "p")).named.get("public.t");
  const differs = async (tables: readonly Table[]) => {
    const columns = (await look())?.columns ?? "";
    return tables.map((table) => hasOtherColumns({ versions: versionsOf(table) }, columns));
  };
  const before = await read();
  const file = (await look())?.file;
  await from.app.query("INSERT INTO t (id) VALUES (1); ANALYZE t");
  expect(await differs(before)).toEqual([false]);
  await from.app.query(ddl);
  expect(await differs(before)).toEqual([true]);
  expect((await look())?.file).toBe(file);
  expect(await differs(await read())).toEqual([false]);
});

test("the partitions' files show whether a partitioned table was rewritten, to looks and catalog reads alike", async () => {
  await using from = await source(
    `${ROOT}; CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (id);
     CREATE TABLE t21 PARTITION OF t2 FOR VALUES FROM (10) TO (20);
     CREATE TABLE u (id int PRIMARY KEY) PARTITION BY RANGE (id)`,
  );
  const names = ["t", "t2", "u"].map((name) => ({ schema: "public", name }));
  const read = async () => {
    const { named } = await readTablesLook(from.client, "p");
    const files = names.map(({ name }) => named.get(`public.${name}`)?.file);
    const tables = await readTables(from.client, names);
    expect(names.map(({ name }) => tables.find((table) => table?.name === name)?.filenode)).toEqual(files);
    return files;
  };
  const before = await read();
  expect(before).toEqual([expect.any(Number), expect.any(Number), 0]);
  expect(before.slice(0, 2).every((file) => file !== undefined && file < 0 && Number.isSafeInteger(file))).toBe(true);
  await from.app.query("ALTER TABLE t RENAME a TO b");
  await from.app.query("INSERT INTO t VALUES (1, 'one'), (11, 'eleven')");
  expect(await read()).toEqual(before);
  await from.app.query("ALTER TABLE t ALTER b TYPE text USING upper(b)");
  const rewritten = await read();
  expect(rewritten[0]).not.toBe(before[0]);
  expect(rewritten[1]).not.toBe(before[1]);
  await from.app.query("CREATE TABLE t22 PARTITION OF t2 FOR VALUES FROM (20) TO (30)");
  expect((await read())[0]).not.toBe(rewritten[0]);
});
