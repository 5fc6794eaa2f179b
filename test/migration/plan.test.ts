import { loadModule, parseSync } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { schemaHash } from "../../src/avro/hash.ts";
import { GuardError } from "../../src/errors.ts";
import { candidateOf } from "../../src/gate/amendment/candidate.ts";
import type { Rules, State, TableState } from "../../src/gate/state.ts";
import { applyDdlSteps } from "../../src/migration/apply.ts";
import { readDdlSteps } from "../../src/migration/read.ts";
import { planMigration } from "../../src/service/plan.ts";
import type { Check, Registry } from "../../src/registry/client.ts";
import type { Column } from "../../src/table/column.ts";
import {
  column,
  fieldFor,
  ID,
  NAME,
  NICK,
  play,
  publishing,
  REPLICA,
  RULES,
  seen,
  stateOf,
  tableIn,
  TOPIC,
  WHEN,
  ZIP,
} from "../gate/customers.ts";

beforeAll(loadModule);

const steps = (sql: string) => readDdlSteps(sql, parseSync(sql));

/** Amendments, each with the schema it would make, as people and registries see them. */
function shown(table: TableState, rules: Rules = RULES): readonly unknown[] {
  return table.amendments.map((amendment) => {
    const making = candidateOf(rules, table, amendment);
    const { id, kind, name, changes, key } = amendment;
    return { id, kind, name, changes, key, schema: making.kind === "made" ? making.made.candidate.text : making.why };
  });
}

/** DDL, and the columns that the catalog has after it. */
const migrations: readonly [string, readonly Column[]][] = [
  ["add nick text", [ID, NAME, NICK]],
  ["add nick text not null default 'x'", [ID, NAME, { ...NICK, notNull: true, defaultExpr: "'x'::text" }]],
  ["add nick int not null", [ID, NAME, column(3, "nick", "int", { notNull: true })]],
  ["drop name", [ID]],
  ["rename name to full_name", [ID, { ...NAME, name: "full_name" }]],
  ["alter name type int using 1", [ID, { ...column(2, "name", "int") }]],
  ["alter name set not null", [ID, { ...NAME, notNull: true }]],
  ["alter name set default 'x'", [ID, { ...NAME, defaultExpr: "'x'::text" }]],
  ["drop name, add nick text", [ID, NICK]],
  ["add nick text, drop nick", [ID, NAME]],
  ["add nick text, add zip text", [ID, NAME, NICK, ZIP]],
  ["drop name, add name int", [ID, column(3, "name", "int")]],
  ["add at tid", [ID, NAME, column(3, "at", "tid")]],
  ["add gone text, drop gone, add zip text", [ID, NAME, ZIP]],
];

test.each(migrations)("the plan of ALTER TABLE … %s equals what the log would show", (sql, after) => {
  const state = stateOf();
  const real = tableIn(play(RULES, state, seen(after)).state);
  const { tables, notes } = applyDdlSteps(RULES, state, steps(`alter table customers ${sql}`), WHEN);
  if (sql !== "add at tid") expect(notes).toStrictEqual([]);
  const planned = tables[0]?.table;
  if (sql === "add at tid") return expect(notes[0]?.message).toBe("column at: no captured column has the type tid yet");
  expect(planned === undefined ? [] : shown(planned)).toStrictEqual(shown(real));
  expect(tables[0]?.fresh.map(({ amendment }) => amendment.id)).toStrictEqual(real.amendments.map(({ id }) => id));
});

test("an amendment that already waits is not fresh, and a migration that undoes it leaves none", () => {
  const state = play(RULES, stateOf(), seen([ID, NAME, NICK])).state;
  const other = applyDdlSteps(RULES, state, steps("alter table customers add zip text"), WHEN);
  expect(other.tables[0]?.fresh.map(({ amendment }) => amendment.name)).toStrictEqual(["zip"]);
  expect(other.tables[0]?.table.amendments.map(({ name }) => name)).toStrictEqual(["nick", "zip"]);
  const undone = applyDdlSteps(RULES, state, steps("alter table customers drop nick"), WHEN);
  expect(undone.tables[0]?.table.amendments).toStrictEqual([]);
});

test("a table is found by its name, with or without its schema, and by its new name after a rename", () => {
  const names = (sql: string) =>
    applyDdlSteps(RULES, stateOf(), steps(sql), WHEN).tables.flatMap(({ fresh }) =>
      fresh.map((one) => one.amendment.name),
    );
  expect(names("alter table public.customers add zip text")).toStrictEqual(["zip"]);
  expect(names("alter table other.customers add zip text")).toStrictEqual([]);
  expect(names("alter table customers rename to clients; alter table clients add zip text")).toStrictEqual(["zip"]);
  expect(names("alter table orders add zip text")).toStrictEqual([]);
});

test.each([
  ["alter table customers rename to clients", "fine", /^the table is still captured under its old name/],
  ["alter table customers set schema archive", "fine", /^the table is still captured under its old name/],
  ["create table public.orders (id int)", "fine", /^a new table/],
  ["alter table customers rename to old;create table customers (id int)", "unknown", /^a new table takes the name/],
  ["drop table customers;create table customers (id int)", "unknown", /^a new table takes the name/],
])("%s: the last note is %s", (sql, kind, message) => {
  // The connector's file lists only these two. A renamed table is still captured under its old name.
  const table = (schema: string, name: string) => schema === "public" && ["customers", "orders"].includes(name);
  const rules = { ...RULES, filter: { ...RULES.filter, table } };
  const { notes } = applyDdlSteps(rules, stateOf(), steps(sql), WHEN);
  expect(notes.at(-1)).toMatchObject({ kind, message: expect.stringMatching(message) });
});

test("a renamed table keeps the key columns that the connector's file gives it under its old name", () => {
  const keyColumns = (_schema: string, name: string) => (name === "customers" ? ["id"] : undefined);
  const rules = { ...RULES, filter: { ...RULES.filter, keyColumns } };
  const sql = "alter table customers rename to clients; alter table clients add primary key (name)";
  const { tables } = applyDdlSteps(rules, stateOf(), steps(sql), WHEN);
  expect(tables[0]?.fresh.map(({ amendment }) => amendment.kind)).not.toContain("key");
});

test.each([
  ["alter table customers drop id", "key"],
  ["alter table customers add k int primary key", "key"],
  ["alter table customers add primary key (id, name)", "key"],
])("%s changes the key", (sql, kind) => {
  const { tables } = applyDdlSteps(RULES, stateOf(), steps(sql), WHEN);
  expect(tables[0]?.fresh.map(({ amendment }) => amendment.kind)).toContain(kind);
});

test.each([
  ["alter table customers add name text", "the table already has a column name"],
  ["alter table customers drop nick", "the table has no column nick"],
  ["alter table customers add mood mood", "column mood: no captured column has the type mood yet"],
  ["alter table customers add at constructor", "column at: no captured column has the type constructor yet"],
  ["alter table customers rename id to key", "id is a key column: this also changes the key of the events"],
  ["drop table customers", `the table is dropped: its topic ${TOPIC} gets no more events`],
  ["do $$ begin end $$", "not analysed: a DO block"],
])("%s gives the note: %s", (sql, message) => {
  const { notes } = applyDdlSteps(RULES, stateOf(), steps(sql), WHEN);
  expect(notes).toMatchObject([{ line: 1, kind: "unknown", message }]);
});

describe("the plan of a service", () => {
  function registryOf(check: () => Check): Registry {
    const none = async () => undefined;
    return {
      latest: none,
      version: none,
      schemaById: none,
      versions: async () => [],
      level: async () => "BACKWARD",
      check: async () => check(),
      register: async () => {
        throw new Error("a plan registers nothing");
      },
    };
  }
  const compatible = registryOf(() => ({ kind: "compatible" }));
  const plan = (state: State, sql: string, registry = compatible) =>
    planMigration([{ name: "inventory", rules: RULES, registry, state }], steps(sql), 0);

  test("an added column waits for a consumer that rejects unknown fields", async () => {
    const { amendments, notes } = await plan(stateOf(publishing(), REPLICA), "\nalter table customers add zip text");
    expect(notes).toStrictEqual([]);
    expect(amendments).toMatchObject([
      {
        connector: "inventory",
        topic: TOPIC,
        table: "public.customers",
        field: "zip",
        lines: [2],
        flows: false,
        what: "column zip text was added",
        why: "not ready: replica",
        verdicts: [{ consumer: "replica", verdict: "not-ready" }],
      },
    ]);
    expect(amendments[0]?.schema).toContain('"zip"');
  });

  test("without a contract an added column flows, with the schema that the service would register", async () => {
    const { amendments } = await plan(stateOf(), "alter table customers add zip text");
    const real = tableIn(play(RULES, stateOf(), seen([ID, NAME, { ...ZIP, attnum: fieldFor(NICK).attnum }])).state);
    const making = real.amendments[0] && candidateOf(RULES, real, real.amendments[0]);
    const text = amendments[0]?.schema ?? "null";
    expect(amendments).toMatchObject([{ flows: true, verdicts: [] }]);
    expect(schemaHash(JSON.parse(text))).toBe(making?.kind === "made" ? making.made.candidate.hash : "");
  });

  test("a registry that rejects the schema or is down is the reason why an amendment waits", async () => {
    const refusing = registryOf(() => ({ kind: "incompatible", messages: ["no"] }));
    const down = registryOf(() => {
      throw new GuardError("registry-down", "no answer");
    });
    const sql = "alter table customers alter name type int using 1";
    expect((await plan(stateOf(), sql, refusing)).amendments).toMatchObject([{ flows: false, schema: null }]);
    expect((await plan(stateOf(), sql, down)).amendments).toMatchObject([
      { flows: false, why: expect.stringContaining("no answer") },
    ]);
  });
});
