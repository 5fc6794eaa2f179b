import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase } from "../stack/database.ts";
import { until } from "../stack/until.ts";
import { differences, places } from "./differences.ts";
import { openPair, type Pair, type Published } from "./pair.ts";

interface Table {
  /** The change of the table, and rows after it. */
  readonly ddl: string;
  readonly rows: string;
  readonly later?: string;
  /** Rows that Fieldgate publishes again with op r, and Debezium does not. */
  readonly again?: readonly unknown[];
  readonly differs?: readonly string[];
}

/** Each table starts as (id int primary key, a text, n int, m int not null default 1) with the row 1, 'one', 1. */
const TABLES: Readonly<Record<string, Table>> = {
  added: {
    ddl: "alter table added add b text",
    rows: "insert into added (id, b) values (2, 'b'), (3, null)",
    later: "update added set a = 'c' where id = 1",
  },
  added_with_default: {
    ddl: "alter table added_with_default add b int default 5",
    rows: "insert into added_with_default (id, b) values (2, 6), (3, default), (4, null)",
    later: "update added_with_default set a = 'c' where id = 1",
    differs: ["3 after.b"],
  },
  added_required: {
    ddl: "alter table added_required add b text not null default 'x'",
    rows: "insert into added_required (id, b) values (2, 'y'), (3, default)",
    later: "update added_required set a = 'c' where id = 1",
  },
  added_by_function: {
    ddl: "alter table added_by_function add b uuid not null default gen_random_uuid()",
    rows: "update added_by_function set a = 'c' where id = 1",
    again: [{ id: 1, a: "c", n: 1, m: 1, b: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
  },
  added_twice: {
    ddl: "alter table added_twice add b text",
    rows: "insert into added_twice (id, b) values (2, 'b')",
    later: "alter table added_twice add c text; insert into added_twice (id, c) values (3, 'c')",
  },
  dropped: {
    ddl: "alter table dropped drop a",
    rows: "insert into dropped values (2)",
    later: "delete from dropped where id = 1",
  },
  renamed: {
    ddl: "alter table renamed rename a to b",
    rows: "insert into renamed values (2, 'two')",
    later: "delete from renamed where id = 1",
    again: [
      { id: 1, b: "one", n: 1, m: 1 },
      { id: 2, b: "two", n: null, m: 1 },
    ],
  },
  widened: {
    ddl: "alter table widened alter n type bigint",
    rows: "insert into widened (id, n) values (2, 5000000000)",
    later: "delete from widened where id = 2",
    again: [
      { id: 1, a: "one", n: 1n, m: 1 },
      { id: 2, a: null, n: 5_000_000_000n, m: 1 },
    ],
  },
  with_another_default: {
    ddl: "alter table with_another_default alter m set default 7",
    rows: "insert into with_another_default (id) values (2)",
  },
  replaced_name: {
    ddl: "alter table replaced_name rename to elsewhere; alter table elsewhere rename to replaced_name",
    rows: "insert into replaced_name (id) values (2)",
  },
};

const open = new AsyncDisposableStack();
afterAll(() => open.disposeAsync());
const database = open.use(await freshDatabase());
let pair: Pair;
const all = Object.keys(TABLES);

beforeAll(async () => {
  await database.query("create type mood as enum ('sad', 'ok')");
  await database.query("create table mark (id int primary key); create table refused (id int primary key)");
  for (const name of all) {
    await database.query(`create table ${name} (id int primary key, a text, n int, m int not null default 1)`);
  }
  await database.query("create table labelled (id int primary key, mood mood)");
  pair = open.use(
    await openPair(
      database,
      [...all, "labelled", "refused"].map((name) => `public.${name}`),
    ),
  );
  for (const name of all) await database.query(`insert into ${name} values (1, 'one', 1)`);
  // Debezium reads the current catalog, so no DDL may run while it still has earlier rows to process.
  await pair.caughtUp();
  for (const { ddl, rows } of Object.values(TABLES)) await database.query(`${ddl}; ${rows}`);
  await pair.caughtUp();
  for (const { later } of Object.values(TABLES)) if (later !== undefined) await database.query(later);
  await pair.caughtUp();
});

const isAgain = ({ value }: Published) =>
  (value as { source?: { snapshot?: unknown } } | null)?.source?.snapshot === "incremental"; // it is an event or a tombstone

test.each(Object.entries(TABLES))("%s", async (name, { again = [], differs = [] }) => {
  const { theirs, ours } = await pair.published(`public.${name}`);
  const backfilled = ours.filter(isAgain).map(({ value }) => (value as { after: unknown }).after); // events, as filtered
  // A rewritten column that is released is published again for both reasons, so a row may come twice with the same values.
  const distinct = backfilled.filter((row, at) => !backfilled.slice(0, at).some((one) => isDeepStrictEqual(one, row)));
  expect(distinct).toEqual(again);
  expect(theirs.length).toBeGreaterThan(1);
  const rest = ours.filter((record) => !isAgain(record));
  expect(places(differences(theirs, rest))).toEqual(differs);
});

test("a label added to an enum: Debezium 3.6.1 never adds it to the schema, Fieldgate does soon after its first row", async () => {
  await database.query("insert into labelled values (1, 'ok')");
  await pair.caughtUp();
  await database.query("alter type mood add value 'happy'");
  await database.query("insert into labelled values (2, 'happy')");
  const allowed = ({ valueSchema }: Published) => /"allowed":"(sad[^"]*)"/.exec(valueSchema ?? "")?.[1];
  await until(async () => {
    await database.query("insert into labelled select max(id) + 1, 'sad' from labelled");
    await pair.caughtUp();
    const { ours } = await pair.published("public.labelled");
    return ours.map(allowed).at(-1) === "sad,ok,happy";
  }, "the label is listed");
  const { theirs, ours } = await pair.published("public.labelled");
  expect(theirs.map(({ value }) => value)).toEqual(
    expect.arrayContaining([expect.objectContaining({ after: { id: 2, mood: "happy" } })]),
  );
  expect(new Set(theirs.map(allowed))).toEqual(new Set(["sad,ok"]));
  const found = differences(theirs, ours);
  expect(places(found)).toEqual([
    `${theirs.length - 1} valueSchema.fields.before.type.Value.fields.mood.type.1.connect.parameters.allowed`,
  ]);
});

test("NOT NULL without a default: the registry's 409 stops Debezium; Fieldgate makes the field optional", async () => {
  await database.query("insert into refused values (1)");
  await pair.caughtUp();
  await database.query("delete from refused; alter table refused add b text not null");
  await database.query("insert into refused values (2, 'b')");
  expect(await pair.debezium.ended()).toBe("exit code 1");
  expect(await pair.debezium.log()).toMatch(/registering \S+\.public\.refused-value: 409/);
  const { gate } = await pair.service.amendment("b", "released");
  expect(gate.kind).toBe("released");
  const last = (await pair.published("public.refused")).ours.at(-1);
  expect(last?.value).toMatchObject({ op: "c", after: { id: 2, b: "b" } });
  expect(last?.valueSchema).toContain('{"name":"b","type":["null","string"],"default":null}');
});
