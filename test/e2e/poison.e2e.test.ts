import { expect, it } from "vitest";
import type { TableView } from "../../src/api/api.ts";
import { type Collector, collect } from "../stack/collect.ts";
import { freshDatabase } from "../stack/database.ts";
import { createTopics, kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { startService } from "./service.ts";
import { captureTable, type World, type WorldOptions } from "./world.ts";

const SETUP =
  "create table t (id int primary key, n numeric, w text, secret text); create table other (id int primary key);" +
  "insert into t values (1, 1, 'one', 's1'), (2, 'NaN', 'two', 's2'), (3, 3, 'three', 's3')";
const CHANGES = [
  "insert into t values (4, 'NaN', 'four', 's4')",
  "insert into t values (5, 5, 'five', 's5')",
  "update t set n = 'Infinity', w = 'lost' where id = 1",
  "update t set n = 1.5, w = 'again' where id = 1",
  "update t set id = 6, n = 'NaN' where id = 3",
  "delete from t where id = 4",
];

interface Poisonous extends AsyncDisposable {
  readonly world: World;
  readonly letters: Collector;
}

async function capture(policy: string, options: WorldOptions = {}): Promise<Poisonous> {
  await using stack = new AsyncDisposableStack();
  const { connector, ...rest } = options;
  const world = stack.use(
    await captureTable({
      setup: SETUP,
      tables: ["public.t", "public.other"],
      ...rest,
      connector: { "fieldgate.on.poison": policy, "column.exclude.list": "public.t.secret", ...connector },
    }),
  );
  const prefix = world.topic.slice(0, -".public.t".length);
  const letters = stack.use(collect([`__fieldgate.${prefix}.dead-letter.${prefix}`], kafkaClient()));
  const open = stack.move();
  return { world, letters, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

function read({ records }: Collector) {
  return records.map(({ value }) => {
    const end = value?.indexOf("\n") ?? 0;
    return JSON.parse(value?.toString("utf8", 0, end) ?? "") as Record<string, unknown>; // an object, by docs/dead-letters.md
  });
}

/** `c 4`: op and key of each event of t, in order; `x` is a tombstone. */
async function ops({ events }: World): Promise<readonly string[]> {
  return (await events.all()).map(({ op, key }) => `${op} ${String(key?.["id"])}`);
}

async function poisonOf({ service }: World): Promise<TableView["poison"]> {
  return (await service.connector()).tables.find(({ table }) => table === "public.t")?.poison;
}

/** The counts, once that many rows were passed: the service shows a commit after readers may see it. */
function poisonAfter(world: World, rows: number): Promise<NonNullable<TableView["poison"]>> {
  return until(async () => {
    const poison = await poisonOf(world);
    return poison && poison.deadLetters + poison.nulls >= rows ? poison : undefined;
  }, `${rows} rows were passed`);
}

/** Carries out the CHANGES, and then a row of each table that flows. */
async function change({ database, events }: World): Promise<void> {
  for (const one of CHANGES) await database.query(one);
  await database.query("insert into t values (9, 9)");
  await events.until((seen) => seen.some(({ after }) => after?.["id"] === 9), "the last row");
}

it("dead-letter: such rows of snapshot and log are dead letters, in order, and everything around them flows", async () => {
  await using poisonous = await capture("dead-letter");
  const { world, letters } = poisonous;
  await change(world);
  expect(await ops(world)).toEqual(["r 1", "r 3", "c 5", "u 1", "d 3", "d 4", "c 9"]);
  await until(async () => (letters.records.length >= 4 ? true : undefined), "the dead letters");
  const code = "value-unfit";
  expect(read(letters)).toMatchObject([
    {
      topic: world.topic,
      op: "r",
      key: { id: "2" },
      code,
      field: "n",
      published: "nothing",
      decided: { by: "policy" },
    },
    { op: "c", key: { id: "4" }, code, published: "nothing" },
    { op: "u", key: { id: "1" }, code, published: "nothing" },
    { op: "u", key: { id: "6" }, code, published: "removal" },
  ]);
  const [, four] = letters.records;
  expect(four?.value?.includes("four")).toBe(true);
  expect(letters.records.some(({ value }) => /s[0-9]/.test(String(value)))).toBe(false);
  expect(await poisonAfter(world, 4)).toMatchObject({
    deadLetters: 4,
    nulls: 0,
    waits: null,
    last: { as: "dead-letter", field: "n" },
  });
  expect((await world.service.connector()).status).toBe("streaming");
  await world.service.said(/fit no event/);
  expect(world.service.output()).not.toContain("four");
});

it("dead-letter: a value of a withheld column is in no dead letter, and a restart repeats none", async () => {
  await using poisonous = await capture("dead-letter", { connector: { "fieldgate.release.policy": "manual" } });
  const { world, letters } = poisonous;
  await world.database.query(
    "alter table t add column hidden text; insert into t values (4, 'NaN', 'four', 's', 'hush')",
  );
  await until(async () => (letters.records.length >= 2 ? true : undefined), "the dead letters");
  expect(letters.records.some(({ value }) => value?.includes("hush"))).toBe(false);
  await world.stop();
  await world.start();
  await world.database.query("insert into t values (7, 'NaN', 'seven', 's')");
  await until(async () => (letters.records.length >= 3 ? true : undefined), "the dead letters after the restart");
  expect(read(letters).map(({ key }) => key)).toEqual([{ id: "2" }, { id: "4" }, { id: "7" }]);
});

it("dead-letter: with REPLICA IDENTITY FULL, deletes and corrections of such rows reach the consumers", async () => {
  await using poisonous = await capture("dead-letter", { setup: `${SETUP}; alter table t replica identity full` });
  const { world, letters } = poisonous;
  await change(world);
  expect(await ops(world)).toEqual(["r 1", "r 3", "c 5", "u 1", "d 3", "d 4", "c 9"]);
  await until(async () => (letters.records.length >= 6 ? true : undefined), "the dead letters");
  expect(read(letters).map(({ op, published }) => `${String(op)} ${String(published)}`)).toEqual([
    "r nothing",
    "c nothing",
    "u nothing",
    "u row",
    "u removal",
    "d removal",
  ]);
});

it("null-and-alert: such values are null in the events of snapshot and log", async () => {
  await using poisonous = await capture("null-and-alert");
  const { world } = poisonous;
  await change(world);
  const all = await world.events.all();
  expect(all.map(({ op, key }) => `${op} ${String(key?.["id"])}`)).toEqual([
    "r 1",
    "r 2",
    "r 3",
    "c 4",
    "c 5",
    "u 1",
    "u 1",
    "d 3",
    "c 6",
    "d 4",
    "c 9",
  ]);
  const nulls = all.filter(({ after }) => after !== null && after["n"] === null).map(({ key }) => key?.["id"]);
  expect(nulls).toEqual([2, 4, 1, 6]);
  expect(await poisonAfter(world, 4)).toMatchObject({ deadLetters: 0, nulls: 4, waits: null });
});

it("park: each command lets the one change past, and the next one waits again", async () => {
  await using poisonous = await capture("park", {
    setup:
      "create table t (id int primary key, n numeric, w text, secret text); create table other (id int primary key)",
  });
  const { world, letters } = poisonous;
  const { database, service, events, topic } = world;
  await database.query("insert into t values (1, 1), (2, 'NaN'), (3, 'NaN'), (4, 4)");
  for (const as of ["null", "dead-letter"]) {
    const waits = await until(async () => (await poisonOf(world))?.waits ?? undefined, "a change waits");
    expect(waits.next).toContain(`fieldgate release ${topic}/row --as ${as} --reason "…"`);
    const reason = "NaN from the import";
    expect(await service.command({ kind: "release", ids: [`${topic}/row`], as, reason })).toMatchObject({
      kind: "done",
    });
  }
  await events.until((seen) => seen.some(({ after }) => after?.["id"] === 4), "the last row");
  expect(await ops(world)).toEqual(["c 1", "c 2", "c 4"]);
  await until(async () => (letters.records.length >= 1 ? true : undefined), "the dead letter");
  expect(read(letters)).toMatchObject([
    { key: { id: "3" }, decided: { by: "operator", reason: "NaN from the import" } },
  ]);
  const again = await service.command({ kind: "release", ids: [`${topic}/row`], as: "null", reason: "once more" });
  expect(again).toMatchObject({ kind: "refused", message: `no change of ${topic} waits for a decision` });
});

it("park: a row of the first snapshot waits, changes flow meanwhile, and the command lets the snapshot go on", async () => {
  await using database = await freshDatabase();
  await database.query(SETUP);
  const prefix = uniquePrefix();
  await using service = await startService({ database: database.address, prefix, tables: ["public.t"] });
  const find = async () => (await service.connector()).tables[0]?.poison?.waits ?? undefined;
  await until(find, "a row waits");
  await database.query("insert into t values (9, 9)");
  await using events = readEvents([`${prefix}.public.t`]);
  await events.until((seen) => seen.some(({ after }) => after?.["id"] === 9), "a change");
  expect((await service.connector()).problem).toBeUndefined();
  const ids = [`${prefix}.public.t/row`];
  expect(await service.command({ kind: "release", ids, as: "null", reason: "NaN" })).toMatchObject({ kind: "done" });
  await service.idle();
  expect((await service.connector()).chunks[0]).toMatchObject({ state: "done" });
});

it("dead-letter: a record larger than its topic takes, and an update beside a large value without a placeholder", async () => {
  const before = (topic: string) =>
    createTopics([{ topic, configEntries: [{ name: "max.message.bytes", value: "20000" }] }]);
  const setup = "create table t (id int primary key, v float8[], w text); create table other (id int primary key)";
  await using poisonous = await capture("dead-letter", {
    setup,
    before,
    connector: { "column.exclude.list": "public.t.secret" },
  });
  const { world, letters } = poisonous;
  const { database, events } = world;
  await database.query("insert into t values (1, null, repeat('x', 50000))");
  await database.query("insert into t select 2, array_agg(random()), 'two' from generate_series(1, 1000)");
  await database.query("update t set w = 'three' where id = 2");
  await database.query("insert into t values (9)");
  await events.until((seen) => seen.some(({ after }) => after?.["id"] === 9), "the last row");
  expect(await ops(world)).toEqual(["c 2", "c 9"]);
  await until(async () => (letters.records.length >= 2 ? true : undefined), "the dead letters");
  expect(read(letters)).toMatchObject([
    { op: "c", code: "record-too-large", key: { id: "1" } },
    { op: "u", code: "value-unfit", field: "v", key: { id: "2" } },
  ]);
  expect(letters.records[0]?.value?.length).toBeGreaterThan(50_000);
});
