import { loadModule } from "libpg-query";
import { beforeAll, expect, test } from "vitest";
import { readDdlSteps } from "../../src/migration/read.ts";
import { ddlStepSchema } from "../../src/migration/ddl-step.ts";

beforeAll(loadModule);

const read = (sql: string) => readDdlSteps([{ name: "-", text: sql }]);
const table = { schema: undefined, name: "customers" };
const type = (name: string, ...modifiers: number[]) => ({ name, modifiers, array: false });
const plain = { notNull: false, defaultExpr: undefined, identity: false, generated: false, key: false };
const of = { line: 1, table };

function adds(sql: string) {
  return read(`alter table customers add ${sql}`).map((step) => (step.kind === "add" ? step.column : step));
}

const columns: readonly [string, object][] = [
  ["zip text", { ...plain, name: "zip", type: type("text") }],
  ["zip varchar(10) not null", { ...plain, name: "zip", type: type("varchar", 10), notNull: true }],
  ["price numeric(10,2) default -1.5", { ...plain, name: "price", type: type("numeric", 10, 2), defaultExpr: "-1.5" }],
  ["tags text[]", { ...plain, name: "tags", type: { ...type("text"), array: true } }],
  ["ok boolean default true", { ...plain, name: "ok", type: type("bool"), defaultExpr: "true" }],
  ["ok boolean default 't'::boolean", { ...plain, name: "ok", type: type("bool"), defaultExpr: "true" }],
  ["at timestamptz default now()", { ...plain, name: "at", type: type("timestamptz"), defaultExpr: "now()" }],
  [
    "at timestamp(3) default current_timestamp",
    { ...plain, name: "at", type: type("timestamp", 3), defaultExpr: "CURRENT_TIMESTAMP" },
  ],
  ["c char default 'it''s'", { ...plain, name: "c", type: type("bpchar", 1), defaultExpr: "'it''s'::text" }],
  ["n int default null", { ...plain, name: "n", type: type("int4") }],
  ["n int default 1 + 1", { ...plain, name: "n", type: type("int4"), defaultExpr: "(1 + 1)" }],
  [
    "n bigserial",
    { ...plain, name: "n", type: type("int8"), notNull: true, defaultExpr: "nextval('serial'::regclass)" },
  ],
  ["n int generated always as identity", { ...plain, name: "n", type: type("int4"), notNull: true, identity: true }],
  ["n int generated always as (1) stored", { ...plain, name: "n", type: type("int4"), generated: true }],
  ["mood app.mood", { ...plain, name: "mood", type: type("app.mood") }],
  ["id int primary key", { ...plain, name: "id", type: type("int4"), notNull: true, key: true }],
];

test.each(columns)("a column %s", (sql, expected) => {
  expect(adds(sql)).toStrictEqual([expected]);
});

const statements: readonly [string, readonly object[]][] = [
  ["alter table customers drop column if exists zip", [{ kind: "drop", ...of, column: "zip", ifThere: true }]],
  ["alter table customers rename zip to postcode", [{ kind: "rename", ...of, column: "zip", to: "postcode" }]],
  [
    "alter table customers alter zip type varchar(9) using zip::varchar, alter zip set not null",
    [
      { kind: "retype", ...of, column: "zip", type: type("varchar", 9) },
      { kind: "null", ...of, column: "zip", notNull: true },
    ],
  ],
  ["alter table customers alter zip drop not null", [{ kind: "null", ...of, column: "zip", notNull: false }]],
  ["alter table customers add not null zip", [{ kind: "null", ...of, column: "zip", notNull: true }]],
  ["alter table customers alter zip drop default", [{ kind: "default", ...of, column: "zip", defaultExpr: undefined }]],
  ["alter table customers alter zip set default 5", [{ kind: "default", ...of, column: "zip", defaultExpr: "5" }]],
  [
    "alter table customers add primary key (a, b)",
    [{ kind: "key", ...of, columns: ["a", "b"], index: undefined, name: undefined }],
  ],
  ["alter table customers rename to clients", [{ kind: "rename-table", ...of, to: "clients" }]],
  ["alter table customers set schema old", [{ kind: "move-table", ...of, schema: "old" }]],
  [
    'drop table if exists "Odd"."Name"',
    [{ kind: "drop-table", line: 1, table: { schema: "Odd", name: "Name" }, ifThere: true }],
  ],
  ["create table customers (id int)", [{ kind: "create-table", ...of, unlessThere: false, parent: undefined }]],
  [
    "create table x as select 1",
    [{ kind: "create-table", ...of, table: { schema: undefined, name: "x" }, unlessThere: false }],
  ],
  [
    "alter table customers drop constraint customers_pkey",
    [{ kind: "drop-constraint", ...of, name: "customers_pkey", ifThere: false }],
  ],
  [
    "alter table customers add constraint positive check (id > 0) not valid",
    [{ kind: "constraint", ...of, name: "positive" }],
  ],
  [
    "set search_path = app; alter table customers rename to clients",
    [{ kind: "rename-table", ...of, table: { ...table, path: ["app"] }, to: "clients" }],
  ],
  ["do $$ begin alter table customers rename to clients; end $$", [{ kind: "rename-table", ...of, to: "clients" }]],
  ["drop schema app cascade", [{ kind: "drop-schema", line: 1, schema: "app" }]],
  [
    "drop type mood cascade",
    [{ kind: "drop-type", line: 1, type: { schema: undefined, name: "mood" }, cascade: true }],
  ],
];

test.each(statements)("%s", (sql, expected) => {
  expect(read(sql)).toStrictEqual(expected);
});

test.each([
  "alter table customers inherit base",
  "call migrate()",
  "do $$ begin execute 'drop table ' || x; end $$",
  "drop extension citext cascade",
  "drop publication fieldgate",
  "alter table customers set unlogged",
  "rollback",
])("%s becomes a step of kind unread", (sql) => {
  expect(read(sql).map(({ kind }) => kind)).toStrictEqual(["unread"]);
});

test.each([
  "begin; commit",
  "create index concurrently on customers (zip)",
  "comment on column customers.zip is 'x'",
  "grant select on customers to reader",
  "insert into customers (id) values (1)",
  "alter table customers validate constraint c",
  "alter table customers owner to app",
  "create view v as select 1",
  "set lock_timeout = '2s'",
])("%s changes no column", (sql) => {
  expect(read(sql)).toStrictEqual([]);
});

test("each step has the line of its statement, after comments and letters beyond ASCII", () => {
  const sql =
    "-- größer ✓\nbegin;\n\n/* two\nlines */ alter table customers\n  add zip text;\nalter table customers drop name;\n";
  expect(read(sql).map(({ kind, line }) => [kind, line])).toStrictEqual([
    ["add", 5],
    ["drop", 7],
  ]);
});

test("every step passes the schema that the service checks it with", () => {
  const all = [...statements.map(([sql]) => sql), ...columns.map(([sql]) => `alter table customers add ${sql}`)];
  for (const step of read(all.join(";"))) expect(ddlStepSchema.parse(JSON.parse(JSON.stringify(step)))).toBeDefined();
});
