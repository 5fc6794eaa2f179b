import { describe, expect, it } from "vitest";
import { until } from "../stack/until.ts";
import type { Event } from "./events.ts";
import { captureTable, latest, type World } from "./world.ts";

const ALL_TABLES = { "publication.autocreate.mode": "all_tables" };

/** The code of what the table waits for, and the id that its next step names; the connector streams meanwhile. */
async function stopOf({ service }: World): Promise<{ readonly code: string | undefined; readonly id: string }> {
  const problem = await until(async () => {
    const { status, problem: found } = await service.connector();
    return status === "streaming" ? found : undefined;
  }, "the table waits");
  return { code: problem?.code, id: /fieldgate release (\S+)/.exec(problem?.next ?? "")?.[1] ?? "" };
}

async function carryOut(world: World): Promise<void> {
  const { code, id } = await stopOf(world);
  expect(code).toBe("table-replaced");
  expect(await world.service.command({ kind: "release", ids: [id], reason: "as it says" })).toMatchObject({
    kind: "done",
  });
}

async function flowsAgain({ service }: World): Promise<void> {
  await until(async () => (await service.connector()).problem === undefined, "nothing waits");
}

describe("a captured table is another one: the command that the stop names lets it flow again", () => {
  const cases: readonly [
    string,
    readonly string[],
    number,
    readonly { readonly id: number; readonly a: string | null }[],
  ][] = [
    [
      "made again",
      ["drop table t; create table t (id int primary key, a text); insert into t values (2, 'again')"],
      1,
      [{ id: 2, a: "again" }],
    ],
    [
      "made again and altered since",
      [
        "drop table t; create table t (id int primary key); insert into t values (2)",
        "alter table t add column a text; insert into t values (3, 'three')",
      ],
      2,
      [
        { id: 2, a: null },
        { id: 3, a: "three" },
      ],
    ],
    [
      "made again with its columns in another order, one of them renamed since",
      [
        "drop table t; create table t (x text, a text, id int primary key); insert into t values ('x', 'two', 2)",
        "alter table t drop column x; alter table t rename column a to b; insert into t values ('three', 3)",
      ],
      2,
      [
        { id: 2, a: null },
        { id: 3, a: null },
      ],
    ],
    [
      "made twice",
      [
        "drop table t; create table t (id int primary key, a text); insert into t values (2, 'again')",
        "drop table t; create table t (id int primary key, a text); insert into t values (3, 'third')",
      ],
      1,
      [{ id: 3, a: "third" }],
    ],
  ];
  it.each(cases)("%s", async (_, statements, rowsWaiting, expected) => {
    await using world = await captureTable({ connector: { ...ALL_TABLES, "fieldgate.release.policy": "manual" } });
    const { database, events } = world;
    await world.stop();
    for (const statement of statements) await database.query(statement);
    const service = await world.start();
    const waiting = async () => (await service.connector()).tables[0]?.parked?.changes === rowsWaiting;
    await until(waiting, "its rows are passed over until it is accepted");
    await carryOut(world);
    await flowsAgain(world);
    await database.query("insert into t (id) values (9)");
    await events.until((seen) => seen.some(({ after }) => after?.["id"] === 9), "a row of the new table");
    await world.service.idle();
    const isCopied = (seen: readonly Event[]) =>
      expected.every((row) => seen.some(({ op, after }) => op === "r" && after?.["id"] === row.id));
    const seen = await events.until(isCopied, "every row of the new table");
    const rows = latest(seen.map(({ after }) => after)).filter(({ id }) => id !== 1 && id !== 9);
    expect(rows.toSorted((left, right) => Number(left["id"]) - Number(right["id"]))).toEqual(expected);
  });

  it("made again a third time while the second waits: the stream goes on to the third, which waits", async () => {
    await using world = await captureTable({ connector: ALL_TABLES });
    const { database, events, service } = world;
    await database.query("drop table t; create table t (id int primary key, a text); insert into t values (2, 'two')");
    expect((await stopOf(world)).code).toBe("table-replaced");
    await database.query(
      "drop table t; create table t (id int primary key, a text); insert into t values (3, 'three')",
    );
    const passedOver = async () => (await service.connector()).tables[0]?.parked?.changes;
    await until(async () => (await passedOver()) === 2, "a row of each is passed over");
    await carryOut(world);
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "a row of the third");
    expect(all.some(({ after }) => after?.["id"] === 2)).toBe(false);
  });
});

it("with on.unfit=stop the reading halts before its first row, and every row is published in its place", async () => {
  const connector = { ...ALL_TABLES, "fieldgate.release.policy": "manual", "fieldgate.on.unfit": "stop" };
  await using world = await captureTable({ connector });
  const { database, events, topic } = world;
  await world.stop();
  await database.query(
    "drop table t; create table t (x text, a text, id int primary key); insert into t values ('x', 'two', 2)",
  );
  await database.query(
    "alter table t drop column x; alter table t rename column a to b; insert into t values ('three', 3)",
  );
  const service = await world.start();
  await until(async () => (await service.connector()).status === "stopped", "it stops");
  const command = { kind: "release", ids: [`${topic}/table`], reason: "as it says" };
  expect(await service.command(command)).toMatchObject({ kind: "done" });
  await until(async () => (await service.connector()).status === "streaming", "it streams again");
  await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "its rows");
  await service.idle();
  const rows = latest((await events.all()).map(({ after }) => after)).filter(({ id }) => id !== 1);
  expect(rows).toEqual([
    { id: 2, a: "two" },
    { id: 3, a: "three" },
  ]);
});

it("a table that gets its name back ends the stop by itself", async () => {
  await using world = await captureTable({ connector: ALL_TABLES });
  const { database, events } = world;
  await database.query("alter table t rename to t_old; create table t (id int primary key, a text)");
  await database.query("insert into t values (2, 'of the other')");
  expect((await stopOf(world)).code).toBe("table-replaced");
  await database.query("alter table t rename to t_other; alter table t_old rename to t");
  await database.query("insert into t values (3, 'three')");
  const all = await events.until(
    (seen) => seen.some(({ after }) => after?.["id"] === 3),
    "the row of the captured one",
  );
  expect(all.map(({ after }) => after?.["id"])).toEqual([1, 3]);
  await flowsAgain(world);
});
