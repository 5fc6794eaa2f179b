import { describe, expect, it } from "vitest";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { expectRows, gapOf, LOOK, needsLists, publication } from "./gaps.ts";
import { captureTable, type World } from "./world.ts";

/** Tables whose publication changes while they are captured, in ways that PostgreSQL does not announce in the log. */

const THREE = `create table t (id int primary key, a text, b text not null default 'x');
  insert into t values (1, 'one', 'uno')`;

async function gapThatIs(world: World, open: boolean, table = "public.t") {
  return until(
    async () => {
      const gap = await gapOf(world.service, table);
      return gap?.open === open ? gap : undefined;
    },
    `the gap of ${table} is ${open ? "open" : "over"}`,
  );
}

async function runEach(world: World, statements: string): Promise<void> {
  for (const one of statements.split(";").filter((text) => text.trim() !== "")) await world.database.query(one);
}

async function rowsOf({ database }: World): Promise<readonly Record<string, unknown>[]> {
  return database.query("select * from t order by id");
}

describe("a table whose publication gets a column list", () => {
  it("without one of its columns is reported with the statement, and repaired after it", async ({ skip }) => {
    await using world = await captureTable({ connector: LOOK, setup: THREE });
    const { database, service, events, topic } = world;
    await needsLists(database, skip);
    await database.query(`alter publication ${await publication(database)} set table t (id, b)`);
    await database.query("insert into t values (2, 'two', 'due')");
    const gap = await gapThatIs(world, true);
    expect(gap.what).toMatch(/column list/);
    const parked = await until(
      async () => (await service.connector()).tables.find((one) => one.topic === topic)?.parked,
      "its rows are passed over",
    );
    expect(parked).toMatchObject({ code: "publication-unfit", next: gap.next });
    const release = { kind: "release", ids: [`${topic}/table`], reason: "anyway" };
    expect(await service.command(release)).toMatchObject({ kind: "refused" });
    await runEach(world, gap.next ?? "");
    await expectRows(events, await rowsOf(world), "the row of the gap");
    await gapThatIs(world, false);
    await database.query("insert into t values (3, 'three', 'tre')");
    await expectRows(events, await rowsOf(world), "a later row");
    expect(await service.amendments()).toEqual([]);
  });

  it("with every column is reported, because it would lack a new one, and the table flows on after the statement", async ({
    skip,
  }) => {
    await using world = await captureTable({ connector: LOOK });
    const { database, events } = world;
    await needsLists(database, skip);
    const name = await publication(database);
    await database.query(`alter publication ${name} set table t (id, a)`);
    await database.query("alter table t add b text; insert into t values (2, 'two', 'due')");
    const gap = await gapThatIs(world, true);
    expect(gap.what).toMatch(/column list/);
    await database.query(`alter publication ${name} set table t (id, a, b)`);
    await database.query("insert into t values (3, 'three', 'tre')");
    await runEach(world, gap.next ?? "");
    await database.query("insert into t values (4, 'four', 'quattro')");
    await expectRows(events, await rowsOf(world), "the rows, with the new column");
    await gapThatIs(world, false);
  });

  it.for(["while the connector runs", "while it is stopped"])(
    "for a while (%s) is repaired, and needs no command",
    async (when, { skip }) => {
      await using world = await captureTable({ connector: LOOK, setup: THREE });
      const { database, events } = world;
      await needsLists(database, skip);
      const name = await publication(database);
      const isStopped = when.endsWith("stopped");
      if (isStopped) await world.stop();
      await database.query(`alter publication ${name} set table t (id, b)`);
      await database.query("insert into t values (2, 'two', 'due')");
      await database.query(`alter publication ${name} set table t`);
      if (isStopped) await world.start();
      await database.query("insert into t values (3, 'three', 'tre')");
      await expectRows(events, await rowsOf(world), "all rows");
      expect((await gapThatIs(world, false)).next).toBeNull();
      await until(async () => (await world.service.amendments()).length === 0, "nothing waits");
      await database.query("update t set a = 'zwei' where id = 2; insert into t values (4, 'four', 'quattro')");
      await expectRows(events, await rowsOf(world), "later changes");
    },
  );

  it("and has no key is passed over and reported, and flows again after the statement", async ({ skip }) => {
    await using world = await captureTable({
      connector: { ...LOOK, "table.include.list": "public.t,public.other" },
      setup: `create table t (id int, a text, b text); alter table t replica identity full;
        create table other (id int primary key)`,
    });
    const { database, events, topic } = world;
    await needsLists(database, skip);
    await database.query(`alter publication ${await publication(database)} set table t (id, b), other`);
    await database.query("insert into t values (1, 'one', 'uno'); insert into other values (1)");
    const gap = await gapThatIs(world, true);
    await using others = readEvents([topic.replace(/t$/, "other")]);
    await others.until((seen) => seen.length > 0, "the other table flows");
    await runEach(world, gap.next ?? "");
    expect((await gapThatIs(world, false)).what).toMatch(/not published again: the table has no key/);
    await database.query("insert into t values (2, 'two', 'due')");
    const all = await events.until((seen) => seen.length > 0, "a later row");
    expect(all.map(({ after }) => after)).toEqual([{ id: 2, a: "two", b: "due" }]);
  });
});

describe("a new table whose publication has a column list", () => {
  it("is not captured before the publication sends all its columns", async ({ skip }) => {
    await using world = await captureTable({
      connector: {
        ...LOOK,
        "table.include.list": "public\\..*",
        "publication.autocreate.mode": "disabled",
        "publication.name": "p",
      },
      setup:
        "create table t (id int primary key, a text); insert into t values (1, 'one'); create publication p for table t",
    });
    const { database, service, topic } = world;
    await needsLists(database, skip);
    await database.query(
      "create table fresh (id int primary key, a text, b text); alter publication p add table fresh (id, a)",
    );
    await database.query("insert into fresh values (1, 'one', 'uno')");
    const left = await until(
      async () => (await service.connector()).notCaptured.find(({ table }) => table === "public.fresh"),
      "it is reported",
    );
    expect(left.why).toMatch(/column list/);
    await runEach(world, left.next);
    await using events = readEvents([topic.replace(/t$/, "fresh")]);
    await expectRows(events, [{ id: 1, a: "one", b: "uno" }], "its row");
  });
});

describe("publish_via_partition_root that is changed at run time", () => {
  const PARTED = `create table t (id int primary key, a text) partition by range (id);
    create table t1 partition of t for values from (0) to (10); insert into t values (1, 'one')`;

  it("to false is reported with the statement, and repaired after it", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "publish.via.partition.root": "true", "table.include.list": "public\\..*" },
      setup: PARTED,
    });
    const { database, service, events } = world;
    await database.query(`alter publication ${await publication(database)} set (publish_via_partition_root = false)`);
    await database.query("insert into t values (2, 'two')");
    const gap = await gapThatIs(world, true);
    expect(gap.what).toMatch(/publish_via_partition_root/);
    await runEach(world, gap.next ?? "");
    await database.query("insert into t values (3, 'three')");
    await expectRows(events, await rowsOf(world), "the row of the gap");
    await gapThatIs(world, false);
    expect((await service.connector()).tables.map(({ table }) => table)).toEqual(["public.t"]);
    await until(async () => (await service.connector()).notCaptured.length === 0, "no table is left out");
  });

  it("to true is reported with the statement, and repaired after it", async () => {
    await using world = await captureTable({
      connector: {
        ...LOOK,
        "table.include.list": "public\\..*",
        "publication.autocreate.mode": "disabled",
        "publication.name": "p",
      },
      setup: `${PARTED}; create publication p for table t`,
    });
    const { database, service, topic } = world;
    await using events = readEvents([topic.replace(/t$/, "t1")]);
    await database.query(`alter publication ${await publication(database)} set (publish_via_partition_root = true)`);
    await database.query("insert into t values (2, 'two')");
    const gap = await gapThatIs(world, true, "public.t1");
    expect(gap.what).toMatch(/publish_via_partition_root/);
    await runEach(world, gap.next ?? "");
    await database.query("insert into t values (3, 'three')");
    await expectRows(events, await rowsOf(world), "the row of the gap");
    await gapThatIs(world, false, "public.t1");
    expect((await service.connector()).tables.map(({ table }) => table)).toEqual(["public.t1"]);
    await until(async () => (await service.connector()).notCaptured.length === 0, "no table is left out");
  });
});

describe("a table that is swapped away, noticed by a look, and swapped back", () => {
  /** Table n takes the name of t, which is called o then. */
  async function swapAway({ database, service }: World): Promise<void> {
    await database.query("begin; alter table t rename to o; alter table n rename to t; commit");
    await until(async () => (await service.connector()).problem?.code === "table-replaced", "it is noticed");
  }

  /** Waits until the table flows as itself, and returns the amendments then. */
  async function amendmentsAfterwards(world: World) {
    const { service, events } = world;
    await expectRows(events, await rowsOf(world), "its own rows");
    await until(async () => (await service.connector()).problem === undefined, "nothing waits");
    return service.amendments();
  }

  it("flows as before; rows of the other table are not in its topic, and rows that it got meanwhile are", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, events } = world;
    await database.query("create table n (id int primary key, a text); insert into n values (9, 'of the other')");
    await swapAway(world);
    await database.query("insert into t values (8, 'of the other too'); insert into o values (2, 'two')");
    await database.query("begin; alter table t rename to n; alter table o rename to t; commit");
    await database.query("insert into t values (3, 'three'); insert into n values (7, 'of the other')");
    expect(await amendmentsAfterwards(world)).toEqual([]);
    await database.query("update t set a = 'drei' where id = 3");
    await expectRows(events, await rowsOf(world), "later changes");
  });

  it("without a key, too", async () => {
    await using world = await captureTable({
      connector: LOOK,
      setup: "create table t (id int, a text); alter table t replica identity full",
    });
    const { database } = world;
    await database.query("create table n (id int, a text); alter table n replica identity full");
    await swapAway(world);
    await database.query("insert into t values (8, 'of the other'); insert into o values (2, 'two')");
    await database.query("begin; alter table t rename to n; alter table o rename to t; commit");
    await database.query("insert into t values (3, 'three')");
    expect(await amendmentsAfterwards(world)).toEqual([]);
  });
});

it("a captured table that is no longer sent in full at a start stops no other table, and is repaired once it is", async ({
  skip,
}) => {
  const setup = `${THREE}; create table q (id int primary key, a text)`;
  await using world = await captureTable({ connector: LOOK, setup, tables: ["public.t", "public.q"] });
  const { database, topic } = world;
  await needsLists(database, skip);
  await using others = readEvents([topic.replace(/t$/, "q")]);
  await world.stop();
  const name = await publication(database);
  await database.query(`alter publication ${name} drop table t`);
  await database.query(`alter publication ${name} add table t where (id < 0)`);
  await database.query("insert into t values (2, 'two', 'due'); insert into q values (1, 'flows')");
  await world.start();
  expect((await others.until((seen) => seen.length > 0, "the other table's row"))[0]?.after).toMatchObject({ id: 1 });
  const gap = await gapThatIs(world, true);
  expect(gap.what).toMatch(/row filter/);
  await runEach(world, gap.next ?? "");
  await gapThatIs(world, false);
  await expectRows(world.events, await rowsOf(world), "the rows that were not sent");
});
