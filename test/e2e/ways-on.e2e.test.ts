import { describe, expect, it } from "vitest";
import { until } from "../stack/until.ts";
import { captureTable, latest, type World } from "./world.ts";

const ALL_TABLES = { "publication.autocreate.mode": "all_tables" };

/** The code of the connector's stop, and the id that its next step names. */
async function stopOf({ service }: World): Promise<{ readonly code: string | undefined; readonly id: string }> {
  const problem = await until(async () => {
    const { status, problem: found } = await service.connector();
    return status === "stopped" ? found : undefined;
  }, "the connector stops");
  return { code: problem?.code, id: /fieldgate release (\S+)/.exec(problem?.next ?? "")?.[1] ?? "" };
}

async function carryOut(world: World): Promise<void> {
  const { code, id } = await stopOf(world);
  expect(code).toBe("table-replaced");
  expect(await world.service.command({ kind: "release", ids: [id], reason: "as it says" })).toMatchObject({
    kind: "done",
  });
}

async function streams({ service }: World): Promise<void> {
  await until(async () => ((await service.connector()).status === "streaming" ? true : undefined), "it streams again");
}

describe("a captured table is another one: the command that the stop names lets it flow again", () => {
  const cases: readonly [string, readonly string[], readonly object[]][] = [
    [
      "made again",
      ["drop table t; create table t (id int primary key, a text); insert into t values (2, 'again')"],
      [{ id: 2, a: "again" }],
    ],
    [
      "made again and altered since",
      [
        "drop table t; create table t (id int primary key); insert into t values (2)",
        "alter table t add column a text; insert into t values (3, 'three')",
      ],
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
      [
        { id: 2, a: "two" },
        { id: 3, a: "three" },
      ],
    ],
    [
      "made twice",
      [
        "drop table t; create table t (id int primary key, a text); insert into t values (2, 'again')",
        "drop table t; create table t (id int primary key, a text); insert into t values (3, 'third')",
      ],
      [{ id: 3, a: "third" }],
    ],
  ];
  it.each(cases)("%s", async (_, statements, expected) => {
    await using world = await captureTable({ connector: { ...ALL_TABLES, "fieldgate.release.policy": "manual" } });
    const { database, events } = world;
    await world.stop();
    for (const statement of statements) await database.query(statement);
    await world.start();
    await carryOut(world);
    await streams(world);
    await database.query("insert into t (id) values (9)");
    await events.until((seen) => seen.some(({ after }) => after?.["id"] === 9), "a row of the new table");
    await world.service.idle();
    const rows = latest((await events.all()).map(({ after }) => after)).filter(({ id }) => id !== 1 && id !== 9);
    expect(rows).toEqual(expected);
  });

  it("made again a third time while the second waits: the stream goes on to the third, which waits", async () => {
    await using world = await captureTable({ connector: ALL_TABLES });
    const { database, events, service } = world;
    await database.query("drop table t; create table t (id int primary key, a text); insert into t values (2, 'two')");
    expect((await stopOf(world)).code).toBe("table-replaced");
    await database.query(
      "drop table t; create table t (id int primary key, a text); insert into t values (3, 'three')",
    );
    await until(
      () => Promise.resolve(service.output().includes("but that table is gone") || undefined),
      "the second is passed",
    );
    await carryOut(world);
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "a row of the third");
    expect(all.some(({ after }) => after?.["id"] === 2)).toBe(false);
  });
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
  await streams(world);
});
