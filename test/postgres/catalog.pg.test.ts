import { expect, test } from "vitest";
import { fieldOf } from "../../src/event/field.ts";
import { DEFAULT_MODES } from "../../src/event/types/modes.ts";
import { readTable, readTables, readTypes } from "../../src/postgres/catalog.ts";
import { columnType, tableOid } from "../../src/table/column.ts";
import { failure, needs, source } from "./follow.ts";

const name = (table: string) => ({ schema: "public", name: table });

function column(attnum: number, columnName: string, typeName: string, more: object = {}) {
  return {
    attnum,
    name: columnName,
    typeName,
    notNull: false,
    defaultExpr: undefined,
    missing: null,
    identity: false,
    generated: false,
    type: expect.objectContaining({ typmod: expect.any(Number) }),
    version: expect.stringMatching(/^\d+$/),
    ...more,
  };
}

test("a table is read with everything that the log does not contain", async () => {
  await using from = await source(
    `CREATE DOMAIN positive AS int CHECK (VALUE > 0);
     CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gone text, price numeric(10,2) NOT NULL DEFAULT 1.5,
       at timestamptz(3) DEFAULT now(), twice bigint GENERATED ALWAYS AS (id * 2) STORED, p positive, "We""ird" text[]);
     ALTER TABLE t DROP COLUMN gone`,
  );
  const [table] = await readTables(from.client, [name("t")]);
  expect(table).toMatchObject({ schema: "public", name: "t", maxAttnum: 7, key: [1], replicaIdentity: "default" });
  expect(table?.filenode).toBeGreaterThan(0);
  expect(table?.columns).toEqual([
    column(1, "id", "bigint", { notNull: true, identity: true, type: { oid: 20, typmod: -1 } }),
    column(3, "price", "numeric(10,2)", { notNull: true, defaultExpr: "1.5", type: { oid: 1700, typmod: 655366 } }),
    column(4, "at", "timestamp(3) with time zone", { defaultExpr: "now()", type: { oid: 1184, typmod: 3 } }),
    column(5, "twice", "bigint", { generated: true }),
    column(6, "p", "public.positive"),
    column(7, 'We"ird', "text[]", {
      type: { oid: 1009, typmod: -1, detail: { kind: "array", of: { oid: 25, typmod: -1 } } },
    }),
  ]);
});

test.each([
  ["the primary key, in index order", "a int NOT NULL UNIQUE, b int, c int, PRIMARY KEY (c, a)", "", [3, 1]],
  ["the first unique index of NOT NULL columns", "a int UNIQUE, b int NOT NULL UNIQUE, c int NOT NULL UNIQUE", "", [2]],
  ["not a partial index", "a int NOT NULL", "CREATE UNIQUE INDEX ON t (a) WHERE a > 0", []],
  ["not an index on an expression", "a int NOT NULL", "CREATE UNIQUE INDEX ON t (abs(a))", []],
  ["without included columns", "a int NOT NULL, b int NOT NULL", "CREATE UNIQUE INDEX ON t (b) INCLUDE (a)", [2]],
  ["not a deferrable index", "a int NOT NULL UNIQUE DEFERRABLE", "", []],
  ["nothing without an index", "a int", "", []],
  [
    "that of the replica identity's index, before the primary key",
    "a int PRIMARY KEY, b int NOT NULL, c int NOT NULL",
    "CREATE UNIQUE INDEX z ON t (c, b); ALTER TABLE t REPLICA IDENTITY USING INDEX z",
    [3, 2],
  ],
  [
    "the primary key, if the replica identity's index is no longer it",
    "a int PRIMARY KEY, b int NOT NULL",
    "CREATE UNIQUE INDEX z ON t (b); ALTER TABLE t REPLICA IDENTITY USING INDEX z; ALTER TABLE t REPLICA IDENTITY FULL",
    [1],
  ],
  [
    "the index that comes first by name, whichever was built last",
    "a int NOT NULL, b int NOT NULL",
    "CREATE UNIQUE INDEX ta ON t (b); CREATE UNIQUE INDEX tb ON t (a); REINDEX INDEX ta",
    [2],
  ],
])("the key is %s", async (_what, columns, ddl, key) => {
  await using from = await source(`CREATE TABLE t (${columns}); ${ddl}`);
  expect((await readTables(from.client, [name("t")]))[0]?.key).toEqual(key);
});

test("the key stays the same when its index is rebuilt, which gives it a new OID", async () => {
  await using from = await source("CREATE TABLE t (email text NOT NULL, login text NOT NULL)");
  await from.app.query("CREATE UNIQUE INDEX t_email ON t (email); CREATE UNIQUE INDEX t_login ON t (login)");
  const read = async () => {
    const [table] = await readTables(from.client, [name("t")]);
    const { rows } = await from.app.query<{ oid: number }>("SELECT 't_email'::regclass::oid AS oid");
    return { key: table?.key, oid: rows[0]?.oid };
  };
  const before = await read();
  await from.app.query("REINDEX INDEX CONCURRENTLY t_email");
  const after = await read();
  expect(after.oid).not.toBe(before.oid);
  expect([before.key, after.key]).toEqual([[1], [1]]);
});

test("a column whose NOT NULL constraint was never validated counts as nullable", async ({ skip }) => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, NULL)");
  await needs(from, 180_000, skip);
  await from.app.query("ALTER TABLE t ADD CONSTRAINT v_there NOT NULL v NOT VALID");
  const columnV = async () => (await readTables(from.client, [name("t")]))[0]?.columns[1];
  expect(await columnV()).toMatchObject({ name: "v", notNull: false });
  await from.app.query("UPDATE t SET v = 1; ALTER TABLE t VALIDATE CONSTRAINT v_there");
  expect(await columnV()).toMatchObject({ name: "v", notNull: true });
});

test("all missing tables are named in one error; tables are returned in the requested order", async () => {
  await using from = await source("CREATE TABLE a (); CREATE TABLE b (); CREATE VIEW v AS SELECT 1 AS x");
  const tables = await readTables(from.client, [name("b"), name("a")]);
  expect(tables.map((table) => table.name)).toEqual(["b", "a"]);
  const error = await failure(readTables(from.client, [name("a"), name("c"), name("v"), { schema: "no", name: "a" }]));
  expect(error).toMatchObject({ code: "table-missing" });
  expect(String(error)).toMatch(/: public\.c, public\.v, no\.a$/);
});

test("a table and its snapshot agree: a change is in both or in neither", async () => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY)");
  const [before] = await readTables(from.client, [name("t")]);
  const oid = before?.oid ?? tableOid(0);
  await from.app.query("BEGIN; ALTER TABLE t ADD COLUMN v int");
  const { rows } = await from.app.query<{ xid: string }>("SELECT pg_current_xact_id() AS xid");
  const xid = BigInt(rows[0]?.xid ?? 0);
  const open = await readTable(from.client, oid);
  expect(open.table?.columns).toHaveLength(1);
  expect(xid >= open.snapshot.xmax || open.snapshot.inProgress.has(xid)).toBe(true);
  await from.app.query("COMMIT");
  const done = await readTable(from.client, oid);
  expect(done.table?.columns).toHaveLength(2);
  expect(xid < done.snapshot.xmax && !done.snapshot.inProgress.has(xid)).toBe(true);
});

test.each([
  ["composite", "CREATE TYPE citext AS (a int, b int); CREATE TABLE t (id int PRIMARY KEY, v citext)", "left-out"],
  [
    "range",
    "CREATE TYPE vector AS RANGE (SUBTYPE = float8); CREATE TABLE t (id int PRIMARY KEY, v vector)",
    "left-out",
  ],
  ["extension's", "CREATE EXTENSION citext; CREATE TABLE t (id int PRIMARY KEY, v citext)", "field"],
])("a %s type with the name of an extension's type: %s", async (_kind, ddl, expected) => {
  await using from = await source(ddl);
  const [table] = await readTables(from.client, [name("t")]);
  const read = table?.columns.map((one) => fieldOf(one, DEFAULT_MODES).kind);
  expect(read).toEqual(["field", expected]);
});

test("a dropped table is undefined, with a snapshot", async () => {
  await using from = await source("CREATE TABLE t ()");
  expect(await readTable(from.client, tableOid(4_000_000_000))).toMatchObject({ table: undefined, snapshot: {} });
});

test("a rewrite changes the filenode, but a rename does not", async () => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY, v int)");
  const [table] = await readTables(from.client, [name("t")]);
  const filenode = async () => (await readTable(from.client, table?.oid ?? tableOid(0))).table?.filenode;
  await from.app.query("ALTER TABLE t RENAME COLUMN v TO w");
  expect(await filenode()).toBe(table?.filenode);
  await from.app.query("ALTER TABLE t ALTER COLUMN w TYPE bigint");
  expect(await filenode()).not.toBe(table?.filenode);
});

test("a column's version changes with its definition, and with no other rewrite", async () => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'x')");
  const read = async () => {
    const [table] = await readTables(from.client, [name("t")]);
    return { file: table?.filenode, versions: table?.columns.map(({ version }) => version) };
  };
  const before = await read();
  await from.app.query("VACUUM FULL t");
  const vacuumed = await read();
  expect(vacuumed.file).not.toBe(before.file);
  expect(vacuumed.versions).toEqual(before.versions);
  await from.app.query("ALTER TABLE t ALTER v TYPE text USING upper(v)");
  const rewritten = await read();
  expect(rewritten.file).not.toBe(vacuumed.file);
  expect(rewritten.versions?.[0]).toBe(before.versions?.[0]);
  expect(rewritten.versions?.[1]).not.toBe(before.versions?.[1]);
});

const oid = expect.any(Number);
const any = { oid, typmod: -1 };
const named = (typeName: string) => ({ ...any, detail: { kind: "named", name: typeName } });
const array = (of: object, typmod = -1) => ({ oid, typmod, detail: { kind: "array", of } });
const domain = (typeName: string, of: object) => ({ ...any, detail: { kind: "domain", name: typeName, of } });
const mood = {
  ...any,
  detail: { kind: "enum", name: "mood", labels: ["low", "so so", "it's", "high"], ids: [oid, oid, oid, oid] },
};
const price = domain("price", { oid: 1700, typmod: 655_366 });

test.each([
  ["pg_lsn", { oid: 3220, typmod: -1 }],
  ["int4range", { oid: 3904, typmod: -1 }],
  ["mood", mood],
  ["mood[]", array(mood)],
  ["price", price],
  ["cheap", domain("cheap", price)],
  ["prices", domain("prices", array({ oid: 1700, typmod: 655_366 }, 655_366))],
  ["price[]", array(price)],
  ["numeric(10,2)[]", array({ oid: 1700, typmod: 655_366 }, 655_366)],
  ["varchar(4)[][]", array({ oid: 1043, typmod: 8 }, 8)],
  ["oidvector", { oid: 30, typmod: -1 }],
  ["pair", named("public.pair")],
  ["pair[]", array(named("public.pair"))],
  ["floatrange", named("public.floatrange")],
])("a column of type %s says what it is made of", async (type, expected) => {
  await using from = await source(
    `CREATE TYPE mood AS ENUM ('low', 'high'); ALTER TYPE mood ADD VALUE 'it''s' BEFORE 'high';
     ALTER TYPE mood ADD VALUE 'so so' AFTER 'low';
     CREATE DOMAIN price AS numeric(10,2); CREATE DOMAIN cheap AS price CHECK (VALUE < 10);
     CREATE DOMAIN prices AS numeric(10,2)[];
     CREATE TYPE pair AS (a int, b text); CREATE TYPE floatrange AS RANGE (subtype = float8);
     CREATE TABLE t (v ${type})`,
  );
  const read = (await readTables(from.client, [name("t")]))[0]?.columns[0]?.type ?? { oid: 0, typmod: 0 };
  expect(read).toEqual(expected);
  const types = await readTypes(from.client, [read.oid, 4_000_000_000]);
  expect(columnType(read.oid, read.typmod, types.get(read.oid))).toEqual(expected);
  expect(types.has(4_000_000_000)).toBe(false);
});

test.each([
  ["the primary key while it is the default", "", [1], [[2]]],
  ["the columns of its index", "ALTER TABLE t REPLICA IDENTITY USING INDEX b", [2], [[1]]],
  ["none for full rows", "ALTER TABLE t REPLICA IDENTITY FULL", [], [[2]]],
  ["none without old rows", "ALTER TABLE t REPLICA IDENTITY NOTHING", [], [[2]]],
])("an old row is identified by %s", async (_what, ddl, identified, otherKeys) => {
  await using from = await source(
    `CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL); CREATE UNIQUE INDEX b ON t (b); ${ddl}`,
  );
  expect((await readTables(from.client, [name("t")]))[0]).toMatchObject({ identified, otherKeys });
});

test("a column whose NOT NULL was never validated cannot be part of a key", async ({ skip }) => {
  await using from = await source("CREATE TABLE t (a int, b int NOT NULL)");
  await needs(from, 180_000, skip);
  await from.app.query(
    "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID; CREATE UNIQUE INDEX a ON t (a); CREATE UNIQUE INDEX b ON t (b)",
  );
  expect((await readTables(from.client, [name("t")]))[0]).toMatchObject({ key: [2], otherKeys: [] });
});

test("a column shows what older rows contain, even if its default has changed since", async () => {
  await using from = await source(
    `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
     ALTER TABLE t ADD a text DEFAULT 'it''s, {legacy}', ADD b int[] DEFAULT '{1,2}', ADD c bool DEFAULT true, ADD d text;
     ALTER TABLE t ALTER a DROP DEFAULT, ALTER c SET DEFAULT false, ALTER d SET DEFAULT 'later'`,
  );
  const [table] = await readTables(from.client, [name("t")]);
  expect(table?.columns.map(({ missing }) => missing)).toEqual([null, "it's, {legacy}", "{1,2}", "t", null]);
});

test("a domain's default is the value of older rows, or the table is rewritten if the domain has a check", async () => {
  await using from = await source(
    `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
     CREATE DOMAIN plain AS text DEFAULT 'of the domain'; CREATE DOMAIN checked AS text DEFAULT 'x' CHECK (VALUE <> '')`,
  );
  const read = async () => (await readTables(from.client, [name("t")]))[0];
  const before = await read();
  await from.app.query("ALTER TABLE t ADD a plain; ALTER DOMAIN plain DROP DEFAULT");
  const added = await read();
  expect(added?.filenode).toBe(before?.filenode);
  expect(added?.columns[1]?.missing).toBe("of the domain");
  await from.app.query("ALTER TABLE t ADD b checked");
  expect((await read())?.filenode).not.toBe(before?.filenode);
});

test("a generated column keeps its number when it becomes an ordinary one, and its definition has another version", async () => {
  await using from = await source(
    "CREATE TABLE t (id int PRIMARY KEY, n int, g int GENERATED ALWAYS AS (n * 2) STORED)",
  );
  const read = async () => (await readTables(from.client, [name("t")]))[0]?.columns[2];
  const before = await read();
  expect(before).toMatchObject({ attnum: 3, generated: true });
  await from.app.query("ALTER TABLE t ALTER g DROP EXPRESSION");
  const now = await read();
  expect(now).toMatchObject({ attnum: 3, generated: false });
  expect(now?.version).not.toBe(before?.version);
});
