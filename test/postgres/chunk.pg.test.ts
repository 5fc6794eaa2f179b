import { describe, expect, test } from "vitest";
import { readTables } from "../../src/postgres/catalog.ts";
import { type ChunkRead, readChunk } from "../../src/postgres/chunk.ts";
import { isVisible } from "../../src/wal/snapshot.ts";
import { until } from "../stack/until.ts";
import { commits, follow, newRows, session, type Source, source, valuesAt } from "./follow.ts";
import type { ChunkRequest } from "../../src/postgres/chunk-rows.ts";

async function requestFor(from: Source, name: string, more: Partial<ChunkRequest> = {}): Promise<ChunkRequest> {
  const [table] = await readTables(from.client, [{ schema: "public", name }]);
  if (table === undefined) throw new Error("no table");
  const names = new Map(table.columns.map((column) => [column.attnum, column.name]));
  const key = table.key.map((attnum) => names.get(attnum) ?? "");
  return { table, columns: table.columns, key, after: undefined, limit: 1000, ...more };
}

function rowsOf(chunk: ChunkRead): Extract<ChunkRead, { kind: "rows" }> {
  if (chunk.kind !== "rows") throw new Error(`chunk is ${chunk.kind}`);
  return chunk;
}

function valuesOf(chunk: ChunkRead): readonly (readonly (string | null)[])[] {
  return rowsOf(chunk).rows.map((row) => valuesAt(row, 0));
}

const EVERY_TYPE = `CREATE TABLE every_type (
  id int PRIMARY KEY, b boolean, i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, n2 numeric(12,4),
  t text, vc varchar(20), c char(5), u uuid, by bytea, d date, ti time, ts timestamp, tz timestamptz, j json, jb jsonb)`;
const VALUES = `
  (1, true, -32768, -2147483648, -9223372036854775808, 1.1, 0.1, 12345678901234567890.123456789, -1.5, 'plain', 'vary', 'ab',
   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff10', '2026-11-23', '04:05:06.789012', '2026-11-23 04:05:06.789012',
   '2026-11-23 04:05:06.789012+05:30', '{"a" :  1, "a": 2}', '{"b": [1, 2.50, null], "a": "ü"}'),
  (2, false, 32767, 2147483647, 9223372036854775807, 'NaN', '-Infinity', 'NaN', 0, '', '', '',
   '00000000-0000-0000-0000-000000000000', '', 'infinity', '24:00:00', '-infinity', 'infinity', 'null', 'null'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, true, 0, 0, 0, '-0', 1e-300, 1e30, 0.0001, E'tab\\tline\\nquote''"\\\\', 'ünï', 'ü', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
   'text as bytes', '0044-03-15 BC', '00:00', '0001-01-01 00:00:00 BC', '1999-12-31 23:59:59.9999995+00', '[]', '{}'),
  (5, false, 1, 1, 1, 3.4028235e38, 1.7976931348623157e308, -0.0, 99999999.9999, repeat('x', 5000), 'x', 'xxxxx',
   gen_random_uuid(), decode(repeat('ab', 3000), 'hex'), '294276-12-31', '23:59:59.999999', '294276-12-31 23:59:59.999999',
   '0099-01-01 00:00:00+00', '"x"', '1e5')`;

test("a chunk's rows equal those of the stream byte for byte, for every type", async () => {
  await using from = await source(EVERY_TYPE);
  await using followed = await follow(from);
  await from.app.query(`SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = 0`);
  await from.app.query(`INSERT INTO every_type VALUES ${VALUES}`);
  const messages = await commits(followed, 1);
  const streamed = messages.flatMap((m) => (m.kind === "insert" ? [m.bytes.subarray(m.newAt).toString("hex")] : []));
  const chunk = rowsOf(await readChunk(from.client, await requestFor(from, "every_type")));
  expect(chunk.rows.map((row) => row.toString("hex"))).toEqual(streamed);
  const values = valuesOf(chunk);
  expect(values).toHaveLength(5);
  // The settings of this session must not matter.
  expect(values[0]?.slice(13, 18)).toEqual([
    "\\x00ff10",
    "2026-11-23",
    "04:05:06.789012",
    "2026-11-23 04:05:06.789012",
    "2026-11-22 22:35:06.789012+00",
  ]);
  expect(values[4]?.slice(5, 7)).toEqual(["3.4028235e+38", "1.7976931348623157e+308"]);
});

test("every row is read once, in key order, whatever the size of the ranges", async () => {
  await using from = await source(
    `CREATE TABLE pairs (a numeric(6,2), b text, c timestamptz, v int, PRIMARY KEY (b, a, c));
     INSERT INTO pairs SELECT g % 7, chr(65 + g % 5) || '''"', 'epoch'::timestamptz + g * interval '1 ms', g
       FROM generate_series(1, 47) g`,
  );
  const request = await requestFor(from, "pairs");
  expect(request.key).toEqual(["b", "a", "c"]);
  const all = valuesOf(await readChunk(from.client, request));
  expect(new Set(all.map(([, , , v]) => v)).size).toBe(47);
  for (const limit of [1, 10, 46, 47, 48]) {
    const read: (readonly (string | null)[])[] = [];
    let after: readonly string[] | undefined;
    for (let done = false; !done;) {
      const chunk = rowsOf(await readChunk(from.client, { ...request, limit, after }));
      read.push(...valuesOf(chunk));
      expect(chunk.scanned).toBe(chunk.rows.length);
      ({ last: after = after, done } = chunk);
    }
    expect(read).toEqual(all);
  }
});

test("an empty table is a single range without a last key", async () => {
  await using from = await source("CREATE TABLE empty (id int PRIMARY KEY, v int)");
  const request = await requestFor(from, "empty");
  const nothing = { kind: "rows", rows: [], last: undefined, done: true, scanned: 0 };
  expect(await readChunk(from.client, request)).toMatchObject(nothing);
  expect(await readChunk(from.client, { ...request, due: { column: "v", fill: null } })).toMatchObject(nothing);
  expect(await readChunk(from.client, { ...request, again: [["1"]] })).toMatchObject(nothing);
});

test.each([
  ["boolean", "true", "t", "false"],
  ["char(4)", "'ab'", "ab  ", "'f'"],
  ["numeric(6,2)", "1.5", "1.50", "1"],
  ["jsonb", `'{"a":1}'`, '{"a": 1}', "'2'"],
  ["json", `'{"a":1}'`, '{"a":1}', "'2'"],
  ["timestamptz", "'2026-11-23 00:00+05:30'", "2026-11-22 18:30:00+00", "'epoch'"],
  ["text", "'100%'", "100%", "''"],
])("of a column of %s, %s is the fill value %j and the rest is due", async (type, value, fill, other) => {
  await using from = await source(
    `CREATE TABLE due (id int PRIMARY KEY, "v%s" ${type}); INSERT INTO due VALUES (1, ${value}), (2, ${other}), (3, NULL)`,
  );
  const request = await requestFor(from, "due", { due: { column: "v%s", fill } });
  const filled = rowsOf(await readChunk(from.client, request));
  expect(valuesOf(filled).map(([id]) => id)).toEqual(["2", "3"]);
  expect(filled).toMatchObject({ last: ["3"], scanned: 3, done: true });
  const optional = await readChunk(from.client, { ...request, due: { column: "v%s", fill: null } });
  expect(valuesOf(optional).map(([id]) => id)).toEqual(["1", "2"]);
});

test("a range has a last key even if none of its rows is due", async () => {
  await using from = await source(
    "CREATE TABLE due (id int PRIMARY KEY, v int); INSERT INTO due SELECT g, CASE WHEN g > 8 THEN g END FROM generate_series(1, 10) g",
  );
  const request = await requestFor(from, "due", { due: { column: "v", fill: null }, limit: 4 });
  expect(await readChunk(from.client, request)).toMatchObject({ rows: [], last: ["4"], scanned: 4, done: false });
  const third = await readChunk(from.client, { ...request, after: ["8"] });
  expect(third).toMatchObject({ last: ["10"], scanned: 2, done: true });
  expect(valuesOf(third)).toEqual([
    ["9", "9"],
    ["10", "10"],
  ]);
});

test("rows can be read again by key; deleted ones are missing from the result", async () => {
  await using from = await source(
    `CREATE TABLE pairs (a bytea, b boolean, c char(3), PRIMARY KEY (a, b, c)); INSERT INTO pairs VALUES ('\\x01', true, 'a'), ('\\x02', false, 'b')`,
  );
  const request = await requestFor(from, "pairs", {
    again: [
      ["\\x02", "f", "b  "],
      ["\\x02", "t", "b  "],
      ["\\x01", "t", "a"],
    ],
  });
  expect(valuesOf(await readChunk(from.client, request))).toEqual([
    ["\\x01", "t", "a  "],
    ["\\x02", "f", "b  "],
  ]);
});

test("names with any characters are quoted", async () => {
  await using from = await source(
    `CREATE TYPE "my ""type" AS ENUM ('x');
     CREATE TABLE "t""; --" ("k""1" varchar(9) PRIMARY KEY, "select" "my ""type"); INSERT INTO "t""; --" VALUES ('a', 'x'), ('b', NULL)`,
  );
  const request = await requestFor(from, 't"; --');
  expect(valuesOf(await readChunk(from.client, { ...request, after: ["a"] }))).toEqual([["b", null]]);
  const due = { ...request, due: { column: "select", fill: null } };
  expect(valuesOf(await readChunk(from.client, due))).toEqual([["a", "x"]]);
});

test("a chunk waits for a rewrite and then reads the new table, not an empty one", async () => {
  await using from = await source(
    "CREATE TABLE rw (id int PRIMARY KEY, v int); INSERT INTO rw SELECT g, g FROM generate_series(1, 100) g",
  );
  const request = await requestFor(from, "rw", { lockTimeoutMs: 20_000 });
  await from.app.query("BEGIN; ALTER TABLE rw ALTER COLUMN v TYPE bigint USING v * 10");
  const reading = readChunk(from.client, request);
  await until(async () => {
    const { rows } = await from.app.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'rw'::regclass");
    return rows.length > 0;
  }, "the chunk waits for its lock");
  await from.app.query("COMMIT");
  const chunk = rowsOf(await reading);
  expect(valuesOf(chunk).slice(0, 2)).toEqual([
    ["1", "10"],
    ["2", "20"],
  ]);
  expect(chunk.scanned).toBe(100);
  expect(chunk.table.columns[1]?.typeName).toBe("bigint");
});

test("a table that another session has locked is reported as locked, and the session remains usable", async () => {
  await using from = await source("CREATE TABLE held (id int PRIMARY KEY)");
  const request = await requestFor(from, "held", { lockTimeoutMs: 50 });
  await from.app.query("BEGIN; LOCK TABLE held");
  expect(await readChunk(from.client, request)).toEqual({ kind: "locked" });
  await from.app.query("ROLLBACK");
  expect(await readChunk(from.client, request)).toMatchObject({ kind: "rows" });
});

test.each([
  ["dropped", "DROP TABLE t", "gone"],
  ["renamed", "ALTER TABLE t RENAME TO other", "gone"],
  ["replaced", "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v int)", "gone"],
  ["in another schema", "CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s", "gone"],
  ["without a column", "ALTER TABLE t DROP COLUMN v", "differs"],
  ["with a new column of the same name", "ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN v int", "differs"],
  ["with one more column", "ALTER TABLE t ADD COLUMN w int", "rows"],
])("a table that is %s meanwhile gives no wrong rows", async (_what, ddl, kind) => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 2)");
  const request = await requestFor(from, "t");
  await from.app.query(ddl);
  expect((await readChunk(from.client, request)).kind).toBe(kind);
});

test("rows of partitions are included, but rows of inheriting tables are not", async () => {
  await using from = await source(
    `CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
     INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2);
     CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
     CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10); INSERT INTO parted VALUES (3)`,
  );
  expect(valuesOf(await readChunk(from.client, await requestFor(from, "parent")))).toEqual([["1"]]);
  expect(valuesOf(await readChunk(from.client, await requestFor(from, "parted")))).toEqual([["3"]]);
});

test("rows, catalog and snapshot of a chunk belong to the same moment", async () => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY)");
  await using followed = await follow(from);
  const request = await requestFor(from, "t");
  const writing = (async () => {
    await using writer = await session(from.database.address);
    for (let id = 0; id < 60; id++) await writer.query("INSERT INTO public.t VALUES ($1)", [id]);
  })();
  const chunks: Extract<ChunkRead, { kind: "rows" }>[] = [];
  while (chunks.length < 30) chunks.push(rowsOf(await readChunk(from.client, request)));
  await writing;
  const messages = await commits(followed, 60);
  // Before version 15, pgoutput also sends transactions without any change, such as those of autovacuum.
  const writes = messages.filter(({ kind }, index) => kind === "begin" && messages[index + 1]?.kind !== "commit");
  const xids = writes.flatMap((message) => (message.kind === "begin" ? [message.xid] : []));
  const ids = newRows(messages).map(([id]) => id);
  for (const chunk of chunks) {
    const seen = new Set(valuesOf(chunk).map(([id]) => id));
    expect(xids.map((xid) => isVisible(chunk.snapshot, xid))).toEqual(ids.map((id) => seen.has(id ?? "")));
  }
});

/** Reads the whole table in ranges of `limit`; the texts of its first column. */
async function readAll(from: Source, name: string, limit: number): Promise<readonly (string | null)[]> {
  const request = await requestFor(from, name);
  const read: (string | null)[] = [];
  let after: readonly string[] | undefined;
  let order: string | undefined;
  for (let done = false; !done;) {
    const chunk = rowsOf(await readChunk(from.client, { ...request, limit, after, order }));
    read.push(...valuesOf(chunk).map(([first]) => first ?? null));
    ({ last: after = after, order, done } = chunk);
    if (read.length > 500) throw new Error("the ranges come round again");
  }
  return read;
}

const COLLATIONS = `CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE COLLATION german (provider = icu, locale = 'de')`;

describe("a key of any type is read in one order", () => {
  test.each<[what: string, setup: string, column: string, value: string]>([
    [
      "citext",
      "CREATE EXTENSION citext",
      "citext",
      "(CASE WHEN g % 2 = 0 THEN 'Us' ELSE 'us' END || lpad(g::text, 4, '0'))::citext",
    ],
    [
      "citext in a schema of its own",
      "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext",
      "ext.citext",
      "(CASE WHEN g % 2 = 0 THEN 'Us' ELSE 'us' END || g)::ext.citext",
    ],
    [
      "a domain over citext",
      "CREATE EXTENSION citext; CREATE DOMAIN mail AS citext CHECK (VALUE ~ 's')",
      "mail",
      "(CASE WHEN g % 2 = 0 THEN 'Us' ELSE 'us' END || g)::mail",
    ],
    [
      "an array of citext",
      "CREATE EXTENSION citext",
      "citext[]",
      "ARRAY[(CASE WHEN g % 2 = 0 THEN 'Us' ELSE 'us' END || g)::citext]",
    ],
    [
      "text of a nondeterministic collation",
      COLLATIONS,
      "text COLLATE folded",
      "CASE WHEN g % 2 = 0 THEN 'Us' ELSE 'us' END || g",
    ],
    [
      "text of an ICU collation",
      COLLATIONS,
      "text COLLATE german",
      "CASE g % 3 WHEN 0 THEN 'Ä' WHEN 1 THEN 'a' ELSE 'Z' END || g",
    ],
    ["varchar of collation C", "", 'varchar(40) COLLATE "C"', "CASE WHEN g % 2 = 0 THEN 'Us' ELSE 'us' END || g"],
    ["character(n)", "", "char(8)", "CASE WHEN g % 2 = 0 THEN ' ' ELSE '' END || g"],
    [
      "an enum",
      "CREATE TYPE mood AS ENUM ('z', 'a', 'm'); CREATE TABLE n (v mood)",
      "mood",
      "(ARRAY['z', 'a', 'm'])[g]::mood",
    ],
    [
      "a domain over a domain with a limit",
      "CREATE DOMAIN d1 AS numeric(6, 2); CREATE DOMAIN d2 AS d1 CHECK (VALUE > -900)",
      "d2",
      "(g - 20) / 7.0",
    ],
    ["a range", "", "int4range", "int4range(g % 11, 200 + g)"],
    [
      "a range of a type of one's own",
      'CREATE TYPE textrange AS RANGE (subtype = text, collation = "C")',
      "textrange",
      "textrange(lpad(g::text, 3, '0'), NULL)",
    ],
    ["a composite type", "CREATE TYPE pair AS (a text, b int)", "pair", "ROW(chr(65 + g % 3) || ',\"', g)::pair"],
    ["uuid", "", "uuid", "md5(g::text)::uuid"],
    ["timestamptz", "", "timestamptz", "'0044-03-15 00:00 BC'::timestamptz + g * interval '23 years 1 us'"],
    [
      "timestamp",
      "",
      "timestamp",
      "CASE WHEN g = 1 THEN '-infinity' WHEN g = 2 THEN 'infinity' ELSE 'epoch'::timestamp + g * interval '1 us' END",
    ],
    ["interval", "", "interval", "g * interval '-1 day 25 hours'"],
    ["numeric", "", "numeric", "CASE WHEN g = 3 THEN 'NaN' ELSE (g - 20) * 1.10 END::numeric"],
    [
      "double precision",
      "",
      "double precision",
      "CASE WHEN g = 3 THEN 'NaN' WHEN g = 4 THEN '-Infinity' ELSE (g - 20) / 3.0 END::float8",
    ],
    ["bytea", "", "bytea", "decode(lpad(to_hex(g * 7919 % 256), 2, '0'), 'hex') || decode(md5(g::text), 'hex')"],
    ["bit varying", "", "bit varying", "g::bit(9)::bit varying"],
    ["bit(n)", "", "bit(9)", "g::bit(9)"],
    ["inet", "", "inet", "('10.0.0.0'::inet + g * 3)"],
    ["jsonb", "", "jsonb", "jsonb_build_object('a', g % 3, 'b', g)"],
    ['"char"', "", '"char"', 'chr(32 + 2 * g)::"char"'],
    ["name", "", "name", "('n' || g)::name"],
    ["boolean", "", "boolean", "g = 1"],
  ])("%s", async (what, setup, column, value) => {
    const many = { "an enum": 3, boolean: 2 }[what] ?? 40;
    await using from = await source(
      `${setup}; CREATE TABLE t (k ${column} PRIMARY KEY, v int);
       INSERT INTO t SELECT ${value}, g FROM generate_series(1, ${many}) g`,
    );
    for (const limit of [1, 7, 1000]) {
      const read = await readAll(from, "t", limit);
      expect(new Set(read).size).toBe(many);
      expect(read).toHaveLength(many);
    }
    const request = await requestFor(from, "t");
    const all = await readAll(from, "t", 1000);
    const again = await readChunk(from.client, { ...request, again: all.map((key) => [key ?? ""]) });
    expect(valuesOf(again)).toHaveLength(many);
    // What a backfill reads, range by range.
    const due: string[] = [];
    let after: readonly string[] | undefined;
    for (let done = false; !done;) {
      const chunk = rowsOf(
        await readChunk(from.client, { ...request, limit: 7, after, due: { column: "v", fill: "1" } }),
      );
      due.push(...valuesOf(chunk).map(([, v]) => v ?? ""));
      ({ last: after = after, done } = chunk);
      if (due.length > 500) throw new Error("the ranges come round again");
    }
    expect(due.length).toBe(many - 1);
  });
});

test.each([
  ["with an extension's type first", { k: "citext", n: "int", m: "mail" }, "k, n, m"],
  ["with an extension's type last", { k: "int", n: "int", m: "mail" }, "k, n, m"],
  ["with an extension's type in the middle", { k: "int", n: "citext", m: "int" }, "m, n, k"],
  ["with one schema's operators", { k: "citext", n: "citext", m: "mail" }, "m, n, k"],
  ["of built-in types", { k: "varchar(9)", n: "int", m: "bigint" }, "n, k, m"],
])("a key of several columns %s is read in one order", async (_what, types, key) => {
  await using from = await source(
    `CREATE EXTENSION citext; CREATE DOMAIN mail AS citext;
     CREATE TABLE t (v int, k ${types.k}, n ${types.n}, m ${types.m}, PRIMARY KEY (${key}))`,
  );
  const valueOf = (type: string, number: string) =>
    type.includes("int") ? number : `(CASE WHEN ${number} % 2 = 0 THEN 'U' ELSE 'u' END || ${number})`;
  await from.app.query(
    `INSERT INTO t SELECT g, ${valueOf(types.k, "(g % 3)")}, ${valueOf(types.n, "(g / 3 % 4)")}, ${valueOf(types.m, "(g / 12)")}
       FROM generate_series(1, 48) g`,
  );
  for (const limit of [1, 7, 1000]) expect(new Set(await readAll(from, "t", limit)).size).toBe(48);
});

test("the operator class and the collation of the index decide, not those of the type and the column", async () => {
  await using from = await source(
    `${COLLATIONS}; CREATE TABLE t (k text COLLATE folded NOT NULL);
     CREATE UNIQUE INDEX ON t (k COLLATE "C" text_pattern_ops);
     INSERT INTO t SELECT x || g FROM unnest(ARRAY['a', 'A', 'ä']) x, generate_series(1, 14) g`,
  );
  for (const limit of [1, 7, 1000]) expect(new Set(await readAll(from, "t", limit)).size).toBe(42);
});

test("in a column whose collation ignores case, a value that differs only in case is due", async () => {
  await using from = await source(
    `${COLLATIONS}; CREATE TABLE t (id int PRIMARY KEY, v text COLLATE folded); INSERT INTO t VALUES (1, 'new'), (2, 'NEW')`,
  );
  const request = await requestFor(from, "t", { due: { column: "v", fill: "new" } });
  expect(valuesOf(await readChunk(from.client, request))).toEqual([["2", "NEW"]]);
});

test("no check of a domain runs for a key of that domain", async () => {
  await using from = await source(
    `CREATE FUNCTION noisy(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it ran'; END $$;
     CREATE DOMAIN d AS text; CREATE TABLE t (k d PRIMARY KEY); INSERT INTO t VALUES ('a'), ('b');
     ALTER DOMAIN d ADD CHECK (public.noisy(VALUE)) NOT VALID`,
  );
  expect(await readAll(from, "t", 1)).toEqual(["a", "b"]);
  const again = await readChunk(from.client, await requestFor(from, "t", { again: [["b"]] }));
  expect(valuesOf(again)).toEqual([["b"]]);
});

test.each([
  ["retyped", "ALTER TABLE t ALTER k TYPE text USING k::text"],
  ["of another collation", 'ALTER TABLE t ALTER k TYPE varchar(9) COLLATE "C"'],
  ["unique in another operator class", "DROP INDEX t_k; CREATE UNIQUE INDEX t_k ON t (k varchar_pattern_ops)"],
])("a key that is %s in the middle has to be read from its beginning", async (what, ddl) => {
  const type = what === "retyped" ? "int" : "varchar(9)";
  await using from = await source(
    `CREATE TABLE t (k ${type} NOT NULL); CREATE UNIQUE INDEX t_k ON t (k); INSERT INTO t VALUES ('1'), ('2'), ('10')`,
  );
  const { last, order } = rowsOf(await readChunk(from.client, await requestFor(from, "t", { limit: 1 })));
  await from.app.query("REINDEX INDEX CONCURRENTLY t_k");
  const request = await requestFor(from, "t", { after: last, order });
  expect(await readChunk(from.client, request)).toMatchObject({ kind: "rows", order });
  await from.app.query(ddl);
  const changed = await requestFor(from, "t", { after: last, order });
  expect(await readChunk(from.client, changed)).toMatchObject({ kind: "reordered" });
  expect(await readChunk(from.client, { ...changed, after: undefined, again: [last ?? []] })).toMatchObject({
    kind: "reordered",
  });
});

test("a key with an enum's label that is renamed in the middle has to be read from its beginning", async () => {
  await using from = await source(
    `CREATE TYPE mood AS ENUM ('low', 'high'); CREATE TABLE t (m mood, id int, PRIMARY KEY (m, id));
     INSERT INTO t VALUES ('low', 1), ('low', 2), ('high', 3)`,
  );
  const { last = [], order } = rowsOf(await readChunk(from.client, await requestFor(from, "t", { limit: 1 })));
  await from.app.query("ALTER TYPE mood RENAME VALUE 'low' TO 'calm'");
  const request = await requestFor(from, "t", { order });
  expect(await readChunk(from.client, { ...request, after: last })).toEqual({ kind: "reordered" });
  expect(await readChunk(from.client, { ...request, again: [last] })).toEqual({ kind: "reordered" });
  expect(valuesOf(await readChunk(from.client, request)).map(([mood]) => mood)).toEqual(["calm", "calm", "high"]);
});

test.each([
  ["a unique index", "DROP INDEX t_k"],
  ["NOT NULL", "ALTER TABLE t ALTER k DROP NOT NULL"],
])("rows of a key without %s have no order and are not read", async (_what, ddl) => {
  await using from = await source(
    "CREATE TABLE t (k int NOT NULL, n int NOT NULL); CREATE UNIQUE INDEX t_k ON t (k); INSERT INTO t VALUES (1, 1)",
  );
  const request = await requestFor(from, "t");
  await from.app.query(ddl);
  expect(await readChunk(from.client, request)).toMatchObject({ kind: "unordered" });
});

test("a key WITHOUT OVERLAPS is read, and so is one whose index has additional columns or a different order", async () => {
  await using from = await source(
    `CREATE TABLE t (k int NOT NULL, n text COLLATE "C" NOT NULL, v int);
     CREATE UNIQUE INDEX ON t (n DESC, k) INCLUDE (v);
     INSERT INTO t SELECT g % 9, chr(65 + g / 9), g FROM generate_series(1, 120) g`,
  );
  const request = await requestFor(from, "t");
  expect(request.key).toEqual(["n", "k"]);
  const read = await readChunk(from.client, { ...request, key: ["k", "n"], after: ["4", "C"], limit: 2 });
  expect(valuesOf(read).map(([k, n]) => [k, n])).toEqual([
    ["4", "D"],
    ["4", "E"],
  ]);
  const [version] = (await from.app.query<{ v: string }>("SELECT current_setting('server_version_num') AS v")).rows;
  if (Number(version?.v) < 180_000) return;
  await from.app.query(
    `CREATE EXTENSION btree_gist; CREATE TABLE slots (k int, at int4range, PRIMARY KEY (k, at WITHOUT OVERLAPS));
     INSERT INTO slots SELECT g % 3, int4range(g * 10, g * 10 + 5) FROM generate_series(1, 60) g`,
  );
  const slots = await requestFor(from, "slots");
  const rows: unknown[] = [];
  let after: readonly string[] | undefined;
  for (let done = slots.key.length === 0; !done;) {
    const chunk = rowsOf(await readChunk(from.client, { ...slots, limit: 7, after }));
    rows.push(...chunk.rows);
    ({ last: after = after, done } = chunk);
  }
  expect(rows).toHaveLength(60);
});

test("large rows after small ones: a chunk has as many as fit into a few megabytes, and the next continues after them", async () => {
  await using from = await source("CREATE TABLE wide (id int PRIMARY KEY, a bytea, t text)");
  await from.app.query(`INSERT INTO wide SELECT i, '', 'x' FROM generate_series(1, 500) AS i`);
  await from.app.query(
    `INSERT INTO wide SELECT i, decode(repeat('ab', 350000), 'hex'), repeat('x', 700000) FROM generate_series(501, 540) AS i`,
  );
  const ids: string[] = [];
  let after: readonly string[] | undefined;
  for (let done = false; !done;) {
    const chunk = rowsOf(await readChunk(from.client, await requestFor(from, "wide", { after, limit: 2048 })));
    expect(chunk.rows.reduce((bytes, row) => bytes + row.length, 0)).toBeLessThan(9 << 20);
    ids.push(...chunk.rows.map((row) => valuesAt(row, 0)[0] ?? ""));
    ({ done, last: after } = chunk);
  }
  expect(ids).toEqual(Array.from({ length: 540 }, (_, index) => String(index + 1)));
});

test("a row of 70 MB is not read: the chunk says how large it is", async () => {
  await using from = await source(
    "CREATE TABLE huge (id int PRIMARY KEY, t text); ALTER TABLE huge ALTER t SET STORAGE external",
  );
  await from.app.query(`INSERT INTO huge VALUES (1, 'x'), (2, repeat('x', 70000000))`);
  const first = rowsOf(await readChunk(from.client, await requestFor(from, "huge")));
  expect(first.rows).toHaveLength(1);
  const next = await readChunk(from.client, await requestFor(from, "huge", { after: first.last }));
  expect(next).toMatchObject({ kind: "too-large", bytes: expect.closeTo(70_000_000, -3) });
});
