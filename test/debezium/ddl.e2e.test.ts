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
  // In two transactions: a row may arrive before its transaction is visible, and then Debezium's field lacks its default.
  for (const { ddl, rows } of Object.values(TABLES)) {
    await database.query(ddl);
    await database.query(rows);
  }
  await pair.caughtUp();
  // Before any of these rows changes again.
  for (const [name, { again = [] }] of Object.entries(TABLES)) {
    await until(async () => isEqual(distinct(await readAgain(name)), again), `rows of ${name} are published again`);
  }
  for (const { later } of Object.values(TABLES)) if (later !== undefined) await database.query(later);
  await pair.caughtUp();
});

function isAgain({ value }: Published): boolean {
  return (value as { source?: { snapshot?: unknown } } | null)?.source?.snapshot === "incremental"; // it is an event or a tombstone
}

/** The rows that Fieldgate has published again, in order. */
async function readAgain(table: string): Promise<readonly unknown[]> {
  const { ours } = await pair.published(`public.${table}`);
  return ours.filter(isAgain).map(({ value }) => (value as { after: unknown }).after); // events, as filtered
}

/** A rewritten column that is released is published again for both reasons, so a row may come twice with the same values. */
function distinct(rows: readonly unknown[]): readonly unknown[] {
  return rows.filter((row, at) => !rows.slice(0, at).some((one) => isDeepStrictEqual(one, row)));
}

/** Also compares with `expect.stringMatching` and the like. */
function isEqual(rows: readonly unknown[], expected: readonly unknown[]): boolean {
  expect(rows).toEqual(expected);
  return true;
}

test.each(Object.entries(TABLES))("%s", async (name, { again = [], differs = [] }) => {
  const { theirs, ours } = await pair.published(`public.${name}`);
  expect(distinct(await readAgain(name))).toEqual(again);
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
  // A look at the catalog may find the label before its first row arrives.
  const first = ours.findIndex((record) => allowed(record) === "sad,ok,happy");
  expect(first).toBeGreaterThan(0);
  const place = "valueSchema.fields.before.type.Value.fields.mood.type.1.connect.parameters.allowed";
  const listed = ours.flatMap((_, index) => (index < first ? [] : [`${index} ${place}`]));
  expect(places(differences(theirs, ours))).toEqual(listed);
});

test("NOT NULL without a default: the registry's 409 stops Debezium; Fieldgate makes the field optional", async () => {
  await database.query("insert into refused values (1)");
  await pair.caughtUp();
  await database.query("delete from refused; alter table refused add b text not null");
  await database.query("insert into refused values (2, 'b')");
  expect(await pair.debezium.ended()).toBe("exit code 1");
  expect(await pair.debezium.log()).toMatch(/registering \S+\.public\.refused-value: 409/);
  const last = await until(async () => {
    const newest = (await pair.published("public.refused")).ours.at(-1);
    const { after } = (newest?.value ?? {}) as { after?: { id: number } | null }; // of an event or a tombstone
    return after?.id === 2 ? newest : undefined;
  }, "Fieldgate has published the row");
  expect(last.value).toMatchObject({ op: "c", after: { id: 2, b: "b" } });
  const isReleased = async () => {
    const amendments = await pair.service.amendments();
    return amendments.some(({ id, gate }) => id.includes(".public.refused/") && gate.kind === "released");
  };
  await until(isReleased, "its amendment is released");
  expect(last.valueSchema).toContain('{"name":"b","type":["null","string"],"default":null}');
});
