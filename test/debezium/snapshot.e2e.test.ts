import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase } from "../stack/database.ts";
import { TABLES, tableOf, TYPES } from "./columns.ts";
import { differences, optionalWithDefault, places, SNAPSHOT } from "./differences.ts";
import { openPair, type Pair, type Published } from "./pair.ts";

const open = new AsyncDisposableStack();
afterAll(() => open.disposeAsync());
const database = open.use(await freshDatabase());
let pair: Pair;
const names = Object.keys(TABLES);

beforeAll(async () => {
  await database.query(`${TYPES}; create table mark (id int primary key); create table empty (id int primary key)`);
  for (const [name, columns] of Object.entries(TABLES)) {
    const { create, changes } = tableOf(name, columns);
    await database.query(create);
    // Debezium reads rows in physical order, Fieldgate by key. Without the update and the delete both are the same.
    for (const one of changes.slice(0, -2)) await database.query(one);
  }
  const tables = [...names, "empty"].map((name) => `public.${name}`);
  pair = open.use(await openPair(database, tables, { "snapshot.mode": "initial" }));
});

test.each(names)("the existing rows of %s", async (name) => {
  const { theirs, ours } = await pair.published(`public.${name}`);
  expect(theirs).toHaveLength(4);
  const nulls = optionalWithDefault(theirs[0]).map((column) => `2 after.${column}`);
  expect(places(differences(theirs, ours, SNAPSHOT))).toEqual(nulls);
});

test("the first and the last row are marked, of each table and of all", async () => {
  const all = await Promise.all(names.map((name) => pair.published(`public.${name}`)));
  const markOf = ({ value }: Published) => (value as { source: { snapshot: string } }).source.snapshot; // the value is an event
  for (const side of ["theirs", "ours"] as const) {
    const marks = all.flatMap((table) => table[side].map(markOf));
    const count = (mark: string) => marks.filter((one) => one === mark).length;
    expect([count("first"), count("last")]).toEqual([1, 1]);
    expect(count("first_in_data_collection") + count("last_in_data_collection")).toBe(2 * names.length - 2);
    expect(count("true")).toBe(2 * names.length);
  }
});
