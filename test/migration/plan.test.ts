import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { schemaHash } from "../../src/avro/hash.ts";
import { GuardError } from "../../src/errors.ts";
import { candidateOf } from "../../src/gate/amendment/candidate.ts";
import type { Rules, State, TableState } from "../../src/gate/state.ts";
import { applyDdlSteps } from "../../src/migration/apply.ts";
import { readDdlSteps } from "../../src/migration/read.ts";
import { planMigration } from "../../src/service/plan.ts";
import type { Check, Registry } from "../../src/registry/client.ts";
import { type Column, tableOid } from "../../src/table/column.ts";
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

const steps = (sql: string) => readDdlSteps([{ name: "-", text: sql }]);

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
  ["add nick text; alter table customers drop nick", [ID, NAME]],
  ["add nick text, add zip text", [ID, NAME, NICK, ZIP]],
  ["drop name, add name int", [ID, column(3, "name", "int")]],
  ["add at tid", [ID, NAME, column(3, "at", "tid")]],
  ["add gone text; alter table customers drop gone, add zip text", [ID, NAME, ZIP]],
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
  [
    "alter table customers set schema old;alter table staging.customers set schema public",
    "unknown",
    /^another table takes the name/,
  ],
])("%s: the last note is %s", (sql, kind, message) => {
  // The connector's file lists only these two. A renamed table is still captured under its old name.
  const table = (schema: string, name: string) => schema === "public" && ["customers", "orders"].includes(name);
  const rules = { ...RULES, filter: { ...RULES.filter, table } };
  const { notes } = applyDdlSteps(rules, stateOf(), steps(sql), WHEN);
  expect(notes.at(-1)).toMatchObject({ kind, message: expect.stringMatching(message) });
});

test("a captured table that takes the name of another captured one stops what readers of that topic get", () => {
  const state = stateOf();
  const [[topic = "", customers] = []] = state.tables;
  if (customers === undefined) throw new Error("no table");
  const orders = {
    ...customers.shape,
    topic: "inventory.public.orders",
    table: { oid: tableOid(7000), schema: "public", name: "orders" },
  };
  const both = {
    ...state,
    tables: new Map([
      [topic, customers],
      [orders.topic, { ...customers, shape: orders }],
    ]),
  };
  for (const sql of [
    "alter table customers rename to tmp; alter table orders rename to customers; alter table tmp rename to orders",
    "drop table customers; alter table orders rename to customers",
    "alter table customers set schema old; alter table orders rename to customers",
  ]) {
    const { notes } = applyDdlSteps(RULES, both, steps(sql), WHEN);
    const stops = notes.filter(({ message }) => message.includes("takes the name under which"));
    expect([sql, stops.map((note) => note.stops)]).toEqual([sql, sql.includes("tmp") ? [true, true] : [true]]);
  }
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

test("a change of a key column is said, although its rows flow", () => {
  const { notes } = applyDdlSteps(RULES, stateOf(), steps("alter table customers rename id to key"), WHEN);
  expect(notes).toMatchObject([{ kind: "fine", message: expect.stringMatching(/^id is a key column: once/) }]);
});

test.each([
  ["alter table customers add name text", "the table already has a column name"],
  ["alter table customers drop nick", "the table has no column nick"],
  ["alter table customers add mood mood", "column mood: no captured column has the type mood yet"],
  ["alter table customers add at constructor", "column at: no captured column has the type constructor yet"],
  ["drop table customers", `the table is dropped: its topic ${TOPIC} gets no more events`],
  ["do $$ begin execute x; end $$", "not analysed: EXECUTE x"],
])("%s gives the note: %s", (sql, message) => {
  const { notes } = applyDdlSteps(RULES, stateOf(), steps(sql), WHEN);
  expect(notes).toMatchObject([{ line: 1, kind: "unknown", message }]);
});

test("a dropped table's note names the consumers that read its topic", () => {
  const other = { ...REPLICA, consumer: "search" };
  const { notes } = applyDdlSteps(RULES, stateOf(publishing(), REPLICA, other), steps("drop table customers"), WHEN);
  expect(notes).toMatchObject([
    { message: expect.stringMatching(/gets no more events, and replica, search read it$/) },
  ]);
});

test.each([
  ["alter table customers add n int generated always as (id) stored", [1]],
  ["alter table customers add n int generated always as (id) stored; alter table customers drop n", []],
  [
    "alter table customers add n int generated always as (id) stored;\nalter table customers alter n drop expression",
    [],
  ],
  ["alter table customers add n int generated always as identity", []],
])("%s: the lines of columns that are in no event because they are generated are %j", (sql, lines) => {
  const { notes } = applyDdlSteps(RULES, stateOf(), steps(sql), WHEN);
  const generated = notes.filter(({ message }) => message.startsWith("column n is generated"));
  expect(generated.map(({ line, kind }) => [line, kind])).toEqual(lines.map((line) => [line, "fine"]));
});

describe("TRUNCATE", () => {
  test.each<[string, readonly string[]]>([
    ["truncate customers", ["t"]],
    ["truncate table only public.customers restart identity", ["t"]],
    ["truncate other, customers", ["t", "u"]],
  ])("%s leaves rows with consumers if %j are skipped", (sql, skipped) => {
    const rules = { ...RULES, "skipped.operations": new Set(skipped) };
    const { notes, tables } = applyDdlSteps(rules, stateOf(), steps(sql), WHEN);
    expect(notes).toMatchObject([
      { kind: "fine", message: expect.stringMatching(/^the rows are gone without an event/) },
    ]);
    expect(tables).toStrictEqual([]);
  });

  test("is an event if t is not skipped, and says that CASCADE reaches further", () => {
    const rules = { ...RULES, "skipped.operations": new Set<string>() };
    const { notes } = applyDdlSteps(rules, stateOf(), steps("truncate customers cascade"), WHEN);
    expect(notes.map(({ message }) => message)).toStrictEqual([
      `consumers of ${TOPIC} get an event with op t, which says that all rows are gone`,
      "CASCADE also empties the tables that reference it, which may be captured",
    ]);
  });

  test("of a table that is not captured is no note", () => {
    expect(applyDdlSteps(RULES, stateOf(), steps("truncate other"), WHEN).notes).toStrictEqual([]);
  });
});

test.each([
  ["alter table customers enable row level security", 1],
  ["alter table customers enable row level security; alter table customers disable row level security", 0],
  ["alter table customers force row level security", 0],
  ["alter table other enable row level security", 0],
])("%s: %i notes that a snapshot may have to wait, if the database was not asked", (sql, count) => {
  const { notes } = applyDdlSteps(RULES, stateOf(), steps(sql), WHEN);
  expect(notes.map(({ kind, message }) => [kind, message])).toStrictEqual(
    Array.from({ length: count }, () => ["unknown", expect.stringMatching(/^row level security may hide rows/)]),
  );
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

  test("only what a release cannot let flow has something to do instead of it", async () => {
    const refusing = registryOf(() => ({ kind: "incompatible", messages: ["no"] }));
    const down = registryOf(() => {
      throw new GuardError("registry-down", "no answer");
    });
    const instead = async (sql: string, registry?: Registry) => {
      const { amendments } = await plan(stateOf(publishing([ID, { ...NAME, notNull: true }])), sql, registry);
      return new Map(amendments.map((one) => [one.what.includes("key") ? "key" : one.field, one.instead]));
    };
    const key = "alter table customers drop constraint customers_pkey, add primary key (id, name)";
    expect((await instead(key, refusing)).get("key")).toMatch(/^the registry rejects the new key: keep the old one/);
    expect((await instead(key)).get("key")).toMatch(/^the registry rejects the new key/); // BACKWARD, by Avro's rules
    const lenient: Registry = { ...compatible, level: async () => "NONE" };
    expect([...(await instead(key, lenient)).values()]).toStrictEqual([undefined]);
    expect([...(await instead(key, down)).values()]).toStrictEqual([undefined]);
    expect((await instead("alter table customers drop id")).get("key")).toMatch(/^keep a primary key/);
    const retype = "alter table customers alter name type int using 1";
    expect((await instead(retype, refusing)).get("name")).toMatch(/so events keep the one they have/);
  });

  test("300 added columns are asked about side by side", async () => {
    let running = 0;
    let most = 0;
    const slow: Registry = {
      ...compatible,
      async check() {
        most = Math.max(most, ++running);
        await new Promise((done) => setImmediate(done));
        running--;
        return { kind: "compatible" };
      },
    };
    const sql = Array.from({ length: 300 }, (_, index) => `alter table customers add c${index} text;`).join("\n");
    const { amendments } = await plan(stateOf(), sql, slow);
    expect(amendments.map(({ field, lines }) => [field, lines])).toStrictEqual(
      Array.from({ length: 300 }, (_, index) => [`c${index}`, [index + 1]]),
    );
    expect(most).toBe(16);
  });

  test("with several files, each place has its file", async () => {
    const files = [
      { name: "1.sql", text: "alter table customers add zip text;" },
      { name: "2.sql", text: "\nalter table customers alter zip set not null;\nalter table customers drop nick;" },
    ];
    const { amendments, notes } = await planMigration(
      [{ name: "inventory", rules: RULES, registry: compatible, state: stateOf() }],
      readDdlSteps(files),
      0,
    );
    expect(amendments).toMatchObject([{ field: "zip", files: ["1.sql:1", "2.sql:2"] }]);
    expect(notes).toMatchObject([{ file: "2.sql", line: 3, message: "the table has no column nick" }]);
  });

  test("a database that cannot be asked is a note, and the answer is not a yes", async () => {
    const openDatabase = async () => {
      throw new GuardError("postgres-down", "connecting to db:5432 failed");
    };
    const planner = { name: "inventory", rules: RULES, registry: compatible, state: stateOf(), openDatabase };
    const { notes } = await planMigration([planner], steps("alter table customers add zip text"), 0);
    expect(notes).toMatchObject([
      { kind: "unknown", message: expect.stringContaining("connecting to db:5432 failed") },
    ]);
  });

  test("a name that one connector's database does not have is fine if another connector's has it", async () => {
    const catalog = (found: boolean) => ({
      relations: found ? [{ oid: 7, schema: "public", name: "elsewhere", ancestors: [] }] : [],
      tables: new Map(),
      indexes: new Map(),
      constraints: new Map(),
      types: [],
      ownFunctions: new Set<string>(),
    });
    const planner = (found: boolean) => ({
      name: String(found),
      rules: RULES,
      registry: compatible,
      state: stateOf(),
      openDatabase: async () => ({
        catalog: async () => catalog(found),
        constants: async () => new Map<string, string>(),
        [Symbol.asyncDispose]: async () => {},
      }),
    });
    const sql = steps("alter table elsewhere add zip text");
    expect((await planMigration([planner(false), planner(true)], sql, 0)).notes).toStrictEqual([]);
    const { notes } = await planMigration([planner(false), planner(false)], sql, 0);
    expect(notes).toMatchObject([{ kind: "unknown", message: expect.stringMatching(/^there is no such table/) }]);
  });
});

test("four megabytes of rows are passed over in less than two seconds of work", () => {
  const row = "insert into customers (id, name) values (1, 'a text with ''quotes'' and ; in it');\n";
  const started = process.cpuUsage();
  const found = steps(`${row.repeat(4_000_000 / row.length)}alter table customers add zip text;`);
  expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
  expect(found).toMatchObject([{ kind: "add", line: Math.floor(4_000_000 / row.length) + 1 }]);
});
