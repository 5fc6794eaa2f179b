import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTable } from "../../src/postgres/catalog.ts";
import { tableOid } from "../../src/table/column.ts";
import { servers } from "../stack/servers.ts";
import { needs, session } from "./follow.ts";
import { type Triggered, triggered, trusted } from "./signed-ddl.ts";

let db: Triggered;
beforeAll(async () => {
  db = await triggered("CREATE ROLE ddl_writer; CREATE TABLE unused ()");
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await using admin = await session(servers.postgres);
  await admin.query("DROP ROLE ddl_writer");
});

/** The statements and what the log then contains. Each text is one transaction, unless it has its own BEGIN. */
interface Case {
  readonly what: string;
  readonly setup: string;
  readonly run: readonly string[];
  readonly words: readonly string[];
  /** The oldest server_version_num on which the case runs. */
  readonly since?: number;
}

const T = (name: string) => `CREATE TABLE ${name} (id int PRIMARY KEY, a text)`;

const ORDER: readonly Case[] = [
  {
    what: "in its transaction, before the first row that has the column",
    setup: T("o1"),
    run: ["BEGIN; INSERT INTO o1 VALUES (1); ALTER TABLE o1 ADD b int; INSERT INTO o1 VALUES (2, '', 3); COMMIT"],
    words: ["R(id a)", "I(1 )", "M(o1: id a b)", "R(id a b)", "I(2  3)"],
  },
  {
    what: "inside a savepoint",
    setup: T("o2"),
    run: ["BEGIN; SAVEPOINT s; ALTER TABLE o2 ADD b int; INSERT INTO o2 VALUES (2, '', 3); RELEASE s; COMMIT"],
    words: ["M(o2: id a b)", "R(id a b)", "I(2  3)"],
  },
  {
    what: "inside a DO block with an exception handler",
    setup: T("o3"),
    run: [
      `DO $$ BEGIN INSERT INTO o3 VALUES (1); ALTER TABLE o3 ADD b int; INSERT INTO o3 VALUES (2, '', 3);
       EXCEPTION WHEN OTHERS THEN RAISE; END $$`,
    ],
    words: ["R(id a)", "I(1 )", "M(o3: id a b)", "R(id a b)", "I(2  3)"],
  },
  {
    what: "with DDL and row in separate blocks, one right after the other",
    setup: T("o4"),
    run: [
      `DO $$ BEGIN BEGIN ALTER TABLE o4 ADD b int; EXCEPTION WHEN OTHERS THEN RAISE; END;
       BEGIN INSERT INTO o4 VALUES (2, '', 3); EXCEPTION WHEN OTHERS THEN RAISE; END; END $$`,
    ],
    words: ["M(o4: id a b)", "R(id a b)", "I(2  3)"],
  },
  {
    what: "not at all if the transaction is rolled back",
    setup: T("o5"),
    run: ["BEGIN; SAVEPOINT s; ALTER TABLE o5 ADD b int; ROLLBACK TO s; INSERT INTO o5 VALUES (1); COMMIT"],
    words: ["R(id a)", "I(1 )"],
  },
  {
    what: "even if the session is in replica mode",
    setup: T("o6"),
    run: ["BEGIN; SET LOCAL session_replication_role = replica; ALTER TABLE o6 ADD b int; COMMIT"],
    words: ["M(o6: id a b)"],
  },
  {
    what: "not if a superuser has disabled event triggers; the Relation in the log still has the column",
    setup: T("o7"),
    run: ["BEGIN; SET LOCAL event_triggers = off; ALTER TABLE o7 ADD b int; INSERT INTO o7 VALUES (1); COMMIT"],
    words: ["R(id a b)", "I(1  )"],
    since: 170_000,
  },
  {
    what: "for DDL that a function runs, and for each command of a script",
    setup: `${T("o8")}; CREATE FUNCTION add_c() RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE 'ALTER TABLE public.o8 ADD c int'; END $$`,
    run: ["BEGIN; ALTER TABLE o8 ADD b int; SELECT add_c(); ALTER TABLE o8 RENAME a TO z; COMMIT"],
    words: ["M(o8: id a b)", "M(o8: id a b c)", "M(o8: id z b c)"],
  },
  {
    what: "for DDL in a row trigger",
    setup: `${T("o9")}; ${T("p9")}; CREATE FUNCTION grow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN ALTER TABLE public.p9 ADD b int; INSERT INTO public.p9 VALUES (1, '', 2); RETURN NEW; END $$;
      CREATE TRIGGER grow BEFORE INSERT ON o9 FOR EACH ROW EXECUTE FUNCTION grow()`,
    run: ["INSERT INTO o9 VALUES (1)"],
    words: ["M(p9: id a b)", "R(id a b)", "I(1  2)", "R(id a)", "I(1 )"],
  },
  {
    what: "for DDL that another event trigger runs, during and after the command that fired it",
    setup: `${T("o10")}; ${T("p10")}; CREATE FUNCTION echo() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
      IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.o10'::regclass AND attname = 'b')
         AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.p10'::regclass AND attname = 'b')
      THEN ALTER TABLE public.p10 ADD b int; END IF; END $$;
      CREATE EVENT TRIGGER a_first ON ddl_command_end EXECUTE FUNCTION echo()`,
    run: ["ALTER TABLE o10 ADD b int", "DROP EVENT TRIGGER a_first"],
    words: ["M(p10: id a b)", "M(o10: id a b)"],
  },
];

const AFFECTED: readonly Case[] = [
  {
    what: "for no command that leaves tables unchanged: grants, views, non-unique indexes, functions",
    setup: T("a1"),
    run: [
      "GRANT SELECT ON a1 TO ddl_writer; CREATE VIEW a1v AS SELECT * FROM a1; CREATE INDEX ON a1 (a)",
      "CREATE TABLE a1t AS SELECT 1 AS one WITH NO DATA",
      "REVOKE ALL ON a1 FROM ddl_writer; ALTER VIEW a1v RENAME TO a1w; COMMENT ON TABLE a1 IS 'x'",
      "CREATE SEQUENCE a1s; ALTER SEQUENCE a1s RESTART; DROP VIEW a1w; CREATE MATERIALIZED VIEW a1m AS SELECT 1 AS one",
      "CREATE UNIQUE INDEX ON a1m (one); REFRESH MATERIALIZED VIEW CONCURRENTLY a1m; DROP MATERIALIZED VIEW a1m",
    ],
    words: [],
  },
  {
    what: "for an ALTER TABLE that changes nothing, and no Relation follows",
    setup: T("a2"),
    run: ["ALTER TABLE a2 ADD COLUMN IF NOT EXISTS a text", "ALTER TABLE a2 OWNER TO CURRENT_USER"],
    words: ["M(a2: id a)", "C", "M(a2: id a)"],
  },
  {
    what: "not for temporary tables, and for unlogged tables only once they are logged",
    setup: "",
    run: [
      "CREATE TEMP TABLE a3 (id int); ALTER TABLE a3 ADD b int; DROP TABLE a3",
      "CREATE UNLOGGED TABLE a3 (id int)",
      "ALTER TABLE a3 SET LOGGED",
    ],
    words: ["M(a3: id)"],
  },
  {
    what: "once for a table that is created, and not for one that existed",
    setup: "",
    run: ["CREATE TABLE a4 (id int PRIMARY KEY, b int UNIQUE)", "CREATE TABLE IF NOT EXISTS a4 (z int)"],
    words: ["M(a4: id b)"],
  },
  {
    what: "for tables that are created together with their schema",
    setup: "",
    run: ["CREATE SCHEMA a5 CREATE TABLE t (id int) CREATE TABLE u (id int)"],
    words: ["M(t: id; u: id)"],
  },
  {
    what: "for a unique index, even one created CONCURRENTLY, as it may become the key",
    setup: "CREATE TABLE a6 (id int NOT NULL)",
    run: ["CREATE UNIQUE INDEX a6i ON a6 (id)", "DROP INDEX a6i", "CREATE UNIQUE INDEX CONCURRENTLY a6j ON a6 (id)"],
    words: ["M(a6: id)", "C", "M(a6: id)", "C", "M(a6: id)"],
  },
  {
    what: "for an index dropped CONCURRENTLY",
    setup: "CREATE TABLE a7 (id int NOT NULL); CREATE UNIQUE INDEX a7i ON a7 (id)",
    run: ["DROP INDEX CONCURRENTLY a7i"],
    words: ["M(a7: id)"],
  },
  {
    what: "for a partitioned table and its partitions together",
    setup: `CREATE TABLE a8 (id int, a text) PARTITION BY RANGE (id);
      CREATE TABLE a8_1 PARTITION OF a8 FOR VALUES FROM (1) TO (9); CREATE TABLE a8_2 (a text, id int);
      ALTER TABLE a8 ATTACH PARTITION a8_2 FOR VALUES FROM (9) TO (20)`,
    run: [
      "ALTER TABLE a8 ADD b int",
      "CREATE TABLE a8_3 PARTITION OF a8 FOR VALUES FROM (20) TO (30)",
      "ALTER TABLE a8 DETACH PARTITION a8_2",
      "DROP TABLE a8",
    ],
    words: [
      "M(a8: id a b; a8_1: id a b; a8_2: a id b)",
      "C",
      "M(a8_3: id a b)",
      "C",
      "M(a8: id a b; unlocked 2)",
      "C",
      "M(-a8; -a8_1; -a8_3)",
    ],
  },
  {
    what: "once for every table that is dropped with its schema",
    setup: "CREATE SCHEMA a9; CREATE TABLE a9.t (id serial PRIMARY KEY); CREATE TABLE a9.u (id int REFERENCES a9.t)",
    run: ["DROP SCHEMA a9 CASCADE"],
    words: ["M(-t; -u)"],
  },
  {
    what: "for a table that changes its schema, and for names that need quoting",
    setup: `CREATE SCHEMA "Odd "" schéma"; CREATE TABLE "t'""%s\\ é" (id int, "c o,l""." text)`,
    run: [
      `ALTER TABLE "t'""%s\\ é" SET SCHEMA "Odd "" schéma"`,
      `ALTER TABLE "Odd "" schéma"."t'""%s\\ é" RENAME TO "плохо"`,
      `DROP TABLE "Odd "" schéma"."плохо"`,
    ],
    words: [`M(t'"%s\\ é: id c o,l".)`, "C", `M(плохо: id c o,l".)`, "C", "M(-плохо)"],
  },
  {
    what: "for the tables that use a type: only named, as the command has not locked them",
    setup: `CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN mood_domain AS mood; CREATE DOMAIN price AS int;
      CREATE TABLE a10 (id int, m mood); CREATE TABLE a10a (m mood[]); CREATE TABLE a10d (m mood_domain[]);
      CREATE TABLE a10p (p price); ${T("a10n")}`,
    run: [
      "ALTER TYPE mood ADD VALUE 'glad'",
      "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
      "ALTER DOMAIN price ADD CHECK (VALUE > 0)",
      "ALTER DOMAIN price SET NOT NULL",
      "BEGIN; LOCK a10p IN ACCESS SHARE MODE; ALTER DOMAIN price DROP NOT NULL; COMMIT",
      "DROP DOMAIN price CASCADE",
      "ALTER TYPE mood RENAME TO temper",
    ],
    words: "M(unlocked 3),M(unlocked 3),M(a10p: p),M(a10p: p),M(a10p: p),M(a10p: ),M(unlocked 3)"
      .split(",")
      .flatMap((m) => [m, "C"])
      .slice(0, -1),
  },
  {
    what: "for the tables of a renamed schema",
    setup: "CREATE SCHEMA a11; CREATE TABLE a11.t (id int); CREATE TABLE a11.u (id int)",
    run: ["ALTER SCHEMA a11 RENAME TO a11_new"],
    words: ["M(unlocked 2)"],
  },
  {
    what: "with at most a hundred tables described; further partitions are only named",
    setup: `CREATE TABLE a12 (id int) PARTITION BY LIST (id); DO $$ BEGIN FOR i IN 1..120 LOOP EXECUTE
      format('CREATE TABLE a12_%s PARTITION OF a12 FOR VALUES IN (%s)', i, i); END LOOP; END $$`,
    run: ["ALTER TABLE a12 ADD b int"],
    words: [expect.stringMatching(/^M\(a12: id b; (a12_\d+: id b; ){99}look 21\)$/)],
  },
  {
    what: "for a table that is too large for a message, which only names it",
    setup: `${T("a13")}; DO $$ BEGIN EXECUTE format('ALTER TABLE a13 ALTER a SET DEFAULT %L', repeat('x', 1100000)); END $$`,
    run: ["ALTER TABLE a13 ADD b int"],
    words: ["M(look 1)"],
  },
  {
    what: "for a typed table, when its type changes",
    setup: "CREATE TYPE a14_row AS (id int, a text); CREATE TABLE a14 OF a14_row",
    run: [
      "ALTER TYPE a14_row ADD ATTRIBUTE b int CASCADE",
      "ALTER TYPE a14_row RENAME ATTRIBUTE a TO c CASCADE",
      "ALTER TYPE a14_row ALTER ATTRIBUTE b TYPE bigint CASCADE",
      "ALTER TYPE a14_row DROP ATTRIBUTE c CASCADE, ADD ATTRIBUTE c text CASCADE",
    ],
    words: ["M(a14: id a b)", "C", "M(a14: id c b)", "C", "M(a14: id c b)", "C", "M(a14: id b c)"],
  },
  {
    what: "for a table that inherits from a foreign table",
    setup: `CREATE EXTENSION file_fdw; CREATE SERVER a15s FOREIGN DATA WRAPPER file_fdw;
      CREATE FOREIGN TABLE a15f (id int, a text) SERVER a15s OPTIONS (filename '/dev/null'); CREATE TABLE a15 () INHERITS (a15f)`,
    run: ["ALTER FOREIGN TABLE a15f DROP COLUMN a", "ALTER FOREIGN TABLE a15f ADD COLUMN a text"],
    words: ["M(a15: id)", "C", "M(a15: id a)"],
  },
  {
    what: "for a column that is dropped with its collation",
    setup: `CREATE COLLATION a16c FROM "C"; CREATE TABLE a16 (id int, a text COLLATE a16c)`,
    run: ["DROP COLLATION a16c CASCADE"],
    words: ["M(a16: id)"],
  },
];

describe.each([
  ["the message is written", ORDER],
  ["there is a message", AFFECTED],
])("%s", (_what, cases) => {
  test.for(cases)("$what", async ({ setup, run, words, since = 0 }, { skip }) => {
    await needs(db.from, since, skip);
    await db.from.app.query(setup);
    const heard = await db.run(...run);
    expect(heard.words).toEqual(words);
    expect(heard.ddl.filter((one) => one.kind !== "trusted")).toEqual([]);
  });
});

test("a message describes the table as the catalog does, whatever the settings of the session", async () => {
  await db.from.app.query(
    `CREATE DOMAIN cents AS bigint; CREATE TYPE hue AS ENUM ('r', 'g');
     CREATE TABLE same (id int PRIMARY KEY, gone int, n numeric(8,3) DEFAULT 1.50, f float8 DEFAULT 0.1::float8 + 0.2, h hue[],
       at timestamptz DEFAULT '2024-03-31 01:30+00', d date DEFAULT '2024-01-02', i interval DEFAULT '1 day 2 hours',
       y bytea DEFAULT '\\x00ff', w text DEFAULT 'back\\slash', c cents DEFAULT 5, g int GENERATED ALWAYS AS (id + 1) STORED);
     ALTER TABLE same DROP COLUMN gone`,
  );
  const heard = await db.run(
    `BEGIN; SET LOCAL DateStyle = 'German'; SET LOCAL TimeZone = 'Asia/Tokyo'; SET LOCAL IntervalStyle = 'iso_8601';
     SET LOCAL bytea_output = escape; SET LOCAL extra_float_digits = -10; SET LOCAL standard_conforming_strings = off;
     SET LOCAL quote_all_identifiers = on; SET LOCAL search_path = public, pg_catalog; ALTER TABLE same ADD b int; COMMIT`,
  );
  const [ddl] = trusted(heard);
  const [told] = ddl?.tables ?? [];
  const { table } = await readTable(db.from.client, told?.table.oid ?? tableOid(0));
  expect(table?.columns).toHaveLength(12);
  expect(told).toEqual({ change: "changed", table, rewritten: false });
});

test.each([
  ["a volatile default", "ADD b float DEFAULT random()", true],
  ["a type with USING", "ALTER n TYPE bigint USING n * 10", true],
  ["a generated column", "ADD b int GENERATED ALWAYS AS (n + 1) STORED", true],
  ["a constant default", "ADD b int DEFAULT 5", false],
  ["a default that is stable", "ADD b timestamptz DEFAULT now()", false],
  ["a wider text", "ALTER v TYPE text", false],
  ["a table that becomes logged", "SET LOGGED", false],
])("%s is correctly reported as a rewrite or not: %s", async (_what, alter, rewritten) => {
  const unlogged = alter === "SET LOGGED" ? "UNLOGGED" : "";
  await db.from.app.query(
    `DROP TABLE IF EXISTS rw; CREATE ${unlogged} TABLE rw (id int PRIMARY KEY, n int, v varchar(3))`,
  );
  const heard = await db.run(`INSERT INTO rw VALUES (1, 2, 'x')`, `ALTER TABLE rw ${alter}`);
  expect(trusted(heard).at(-1)?.tables).toMatchObject([{ change: "changed", rewritten }]);
});

test("a rewrite during which the user's code runs more DDL is still reported for each partition", async () => {
  await db.from.app.query(
    `CREATE TABLE rp (id int, n int) PARTITION BY LIST (id); CREATE TABLE rp_1 PARTITION OF rp FOR VALUES IN (1); ${T("ro")};
     CREATE SEQUENCE ro_count; CREATE FUNCTION busy(n int) RETURNS int LANGUAGE plpgsql AS
     $$ BEGIN EXECUTE 'ALTER TABLE public.ro ADD b' || nextval('public.ro_count') || ' int'; RETURN n * 2; END $$;
     INSERT INTO rp VALUES (1, 2)`,
  );
  const heard = await db.run("ALTER TABLE rp ALTER n TYPE bigint USING busy(n)", "ALTER TABLE rp ADD z int");
  const told = trusted(heard).map(({ tables }) =>
    tables.map((one) => `${one.table.name} ${one.change !== "dropped" && one.rewritten}`),
  );
  expect(told).toEqual([["ro false"], ["rp true", "rp_1 true"], ["rp false", "rp_1 false"]]);
});

test("a message has the command, the session's user and the time, whichever role is set", async () => {
  const role = `owner_${db.from.database.address.database}`;
  await db.from.app.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; CREATE SCHEMA theirs AUTHORIZATION ${role};
    GRANT ddl_writer TO ${role}; GRANT CREATE ON SCHEMA theirs TO ddl_writer`);
  await using theirs = await session({ ...db.from.database.address, user: role, password: "p" });
  const before = BigInt(Date.now()) * 1000n;
  const heard = await db.hear(async () => {
    await theirs.query("CREATE TABLE theirs.t (id int)");
    await theirs.query("SET ROLE ddl_writer; CREATE TABLE theirs.u (id int)");
  });
  const after = BigInt(Date.now() + 1) * 1000n;
  expect(trusted(heard)).toMatchObject([
    { command: "CREATE TABLE", role, tables: [{ change: "created", table: { schema: "theirs", name: "t" } }] },
    { command: "CREATE TABLE", role, tables: [{ change: "created", table: { schema: "theirs", name: "u" } }] },
  ]);
  for (const ddl of trusted(heard)) expect(ddl.time >= before && ddl.time <= after).toBe(true);
  await db.from.app.query(`DROP OWNED BY ddl_writer; DROP OWNED BY ${role}; DROP ROLE ${role}`);
});

test("when two sessions change a table, each message includes what was committed before it", async () => {
  await db.from.app.query(T("two"));
  await using one = await session(db.from.database.address);
  await using other = await session(db.from.database.address);
  const heard = await db.hear(async () => {
    await one.query("BEGIN; ALTER TABLE public.two ADD b int");
    const waiting = other.query("ALTER TABLE public.two ADD c int");
    await one.query("ALTER TABLE public.two ADD d int; COMMIT");
    await waiting;
  });
  expect(heard.words).toEqual(["M(two: id a b)", "M(two: id a b d)", "C", "M(two: id a b d c)"]);
});

test("a table that another session is changing is only named, as its description could be out of date at commit", async () => {
  await db.from.app.query("CREATE TYPE tone AS ENUM ('low'); CREATE TABLE toned (id int, t tone)");
  await using other = await session(db.from.database.address);
  const heard = await db.hear(async () => {
    await other.query("BEGIN; ALTER TABLE public.toned ADD b int");
    await db.from.app.query("BEGIN; ALTER TYPE tone ADD VALUE 'high'");
    await other.query("COMMIT");
    await db.from.app.query("COMMIT");
  });
  expect(heard.words).toEqual(["M(toned: id t b)", "C", "M(unlocked 1)"]);
});

test("a transaction that sees the catalog as of its start only names the table", async () => {
  await db.from.app.query(T("old"));
  await using late = await session(db.from.database.address);
  const heard = await db.hear(async () => {
    await late.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    await db.from.app.query("ALTER TABLE old ADD b int");
    await late.query("ALTER TABLE public.old ADD c int; COMMIT");
  });
  expect(heard.words).toEqual(["M(old: id a b)", "C", "M(look 1)"]);
});
