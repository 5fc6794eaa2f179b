import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { closedGap, expectRows, gapOf, LOOK, needsLists, publication } from "./gaps.ts";
import type { Service } from "./service.ts";
import { captureTable, type World } from "./world.ts";

/**
 * What is sent of each table: tables that leave the publication, are replaced, or appear later. Starting a service
 * takes longer than each of these stories, so tests share one, and each test has tables of its own. Tests that restart
 * it or change the whole publication come last.
 */

const ALL = { ...LOOK, "publication.autocreate.mode": "all_tables" };

/** Reads the events of another table than `t`. */
const eventsOf = ({ topic }: World, table: string) => readEvents([topic.replace(/t$/, table)]);

/** Waits until a row that is inserted now is published, which shows that the table flows. */
async function expectFlow({ database, events }: World, id: number): Promise<void> {
  await database.query("insert into t values ($1, 'later')", [id]);
  const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === id), `row ${id} is published`);
  expect(all.find(({ after }) => after?.["id"] === id)?.op).toBe("c");
}

/** Waits until the table is reported as not captured. */
const leftOf = (service: Service, name: string) =>
  until(
    async () => (await service.connector()).notCaptured.find(({ table }) => table === name),
    `${name} is reported as not captured`,
  );

describe("a captured table", () => {
  const tables = ["t", "between", "filtered", "swapped", "dropped", "restarted", "unlisted", "updates", "recreated"];
  const listed = [...tables, "keyless", "bare"].map((table) => `public.${table}`);
  const include = (names: readonly string[]) => ({
    ...LOOK,
    "table.include.list": [...names, "public\\.fresh.*"].join(","),
  });
  const opened = new AsyncDisposableStack();
  let world: World;
  beforeAll(async () => {
    const starting = captureTable({
      connector: include(listed),
      setup: [
        ...tables.map((name) => `create table ${name} (id int primary key, a text)`),
        ...tables.map((name) => `insert into ${name} values (1, 'one')`),
        "create table keyless (id int, a text)",
        "create table bare (a text)",
        ...["keyless", "bare"].map((name) => `alter table ${name} replica identity full`),
      ].join("; "),
    });
    world = opened.use(await starting);
  });
  afterAll(() => opened.disposeAsync());

  it("that is taken out of the publication is added again, reported and repaired", async () => {
    const { database, service, events } = world;
    await database.query(`alter publication ${await publication(database)} drop table t`);
    await database.query("insert into t values (2, 'two'); update t set a = 'changed' where id = 1");
    await expectRows(
      events,
      [
        { id: 1, a: "changed" },
        { id: 2, a: "two" },
      ],
      "its rows",
    );
    expect((await closedGap(service)).what).toMatch(/deleted in that time/);
    expect(service.output()).toContain("public.t was not sent in full for a while");
    await expectFlow(world, 3);
  });

  it("that leaves the publication and comes back between two looks is reported and repaired", async () => {
    const { database, service } = world;
    const name = await publication(database);
    await database.query(`alter publication ${name} drop table between`);
    await database.query("insert into between values (2, 'lost')");
    await database.query(`alter publication ${name} add table between`);
    await using events = eventsOf(world, "between");
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect(await closedGap(service, "public.between")).toMatchObject({ open: false });
  });

  it("that has a row filter is reported with the statement, and repaired after it", async ({ skip }) => {
    const { database, service } = world;
    await needsLists(database, skip);
    const name = await publication(database);
    await database.query(
      `alter publication ${name} drop table filtered; alter publication ${name} add table filtered where (id < 2)`,
    );
    await database.query("insert into filtered values (2, 'lost')");
    const gap = await until(async () => {
      const found = await gapOf(service, "public.filtered");
      return /row filter/.test(found.what) ? found : undefined;
    }, "the row filter is reported");
    expect(gap.open).toBe(true);
    for (const one of (gap.next ?? "").split(";")) await database.query(one);
    await using events = eventsOf(world, "filtered");
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect(await closedGap(service, "public.filtered")).toMatchObject({ open: false });
  });

  it("without a key cannot be repaired, and the reason is reported", async () => {
    const { database, service } = world;
    await database.query(`alter publication ${await publication(database)} drop table keyless`);
    await database.query("insert into keyless values (2, 'lost')");
    const gap = await closedGap(service, "public.keyless");
    expect(gap.what).toMatch(/not published again: the table has no key/);
  });

  it("that is new and matches a pattern is added to the publication and captured without a restart", async () => {
    const { database } = world;
    await database.query("create table fresh (id int primary key); insert into fresh values (1)");
    await using events = eventsOf(world, "fresh");
    await events.until((seen) => seen.length > 0, "its row");
    await database.query("insert into fresh values (2)");
    await events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "later rows");
    expect((await events.all()).map(({ op, after }) => [op, after?.["id"]])).toEqual([
      ["r", 1],
      ["c", 2],
    ]);
  });

  it.each([
    [
      "swapped",
      "create table n (id int primary key, a text); insert into n select * from swapped; begin; alter table swapped rename to o; alter table n rename to swapped; commit",
    ],
    [
      "dropped",
      "drop table dropped; create table dropped (id int primary key, a text); insert into dropped values (1, 'one')",
    ],
  ])(
    "that another table replaces (%s) is parked, although the publication sends no row of it",
    async (table, replace) => {
      const { database, service } = world;
      const topic = world.topic.replace(/t$/, table);
      await database.query(replace);
      await until(async () => {
        const found = (await service.connector()).tables.find((one) => one.topic === topic);
        return found?.parked?.code === "table-replaced";
      }, "it is parked");
      await database.query(`insert into ${table} values (2, 'two')`);
      const released = { kind: "release", ids: [`${topic}/table`], reason: "a swap" };
      expect(await service.command(released)).toMatchObject({ kind: "done" });
      await using events = eventsOf(world, table);
      await expectRows(
        events,
        [
          { id: 1, a: "one" },
          { id: 2, a: "two" },
        ],
        "the new table's rows",
      );
      await database.query(`insert into ${table} values (3, 'three')`);
      const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "later rows");
      expect(all.find(({ after }) => after?.["id"] === 3)?.op).toBe("c");
    },
  );

  it("that is missing from the publication at a restart is repaired", async () => {
    const { database } = world;
    const name = await publication(database);
    await world.stop();
    await database.query(`alter publication ${name} drop table restarted; insert into restarted values (2, 'lost')`);
    const service = await world.start();
    await using events = eventsOf(world, "restarted");
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect(await closedGap(service, "public.restarted")).toMatchObject({ open: false });
  });

  it("that is unlisted and listed again is repaired", async () => {
    const { database } = world;
    await world.stop();
    await world.start(include(listed.filter((name) => name !== "public.unlisted")));
    await database.query("insert into unlisted values (2, 'lost')");
    await expectFlow(world, 4);
    await world.stop();
    const service = await world.start();
    await using events = eventsOf(world, "unlisted");
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect(await closedGap(service, "public.unlisted")).toMatchObject({ open: false });
  });

  it("whose updates the publication leaves out is reported with the statement, and repaired after it", async () => {
    const { database, service } = world;
    await database.query(`alter publication ${await publication(database)} set (publish = 'insert, delete')`);
    await database.query("update updates set a = 'lost' where id = 1; insert into updates values (2, 'two')");
    const gap = await gapOf(service, "public.updates");
    expect(gap).toMatchObject({ open: true, what: expect.stringMatching(/leaves out update/) as unknown });
    await database.query(gap.next ?? "");
    await using events = eventsOf(world, "updates");
    await expectRows(
      events,
      [
        { id: 1, a: "lost" },
        { id: 2, a: "two" },
      ],
      "the update of the gap",
    );
    expect(await closedGap(service, "public.updates")).toMatchObject({ open: false });
  });

  it("whose publication is dropped and made again is repaired", async () => {
    const { database } = world;
    const name = await publication(database);
    await database.query(`drop publication ${name}`);
    await database.query("insert into recreated values (2, 'lost')");
    await using events = eventsOf(world, "recreated");
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect(await publication(database)).toBe(name);
  });

  it("that loses all its columns does not hold up other tables", async () => {
    await world.database.query("alter table bare drop column a; insert into bare default values");
    await expectFlow(world, 5);
    expect((await world.service.connector()).status).toBe("streaming");
  });
});

it("a partition that was a table with rows before is read again", async () => {
  await using world = await captureTable({
    connector: { ...LOOK, "publish.via.partition.root": "true" },
    setup: `create table t (id int primary key, a text) partition by range (id);
      create table t1 partition of t for values from (0) to (10); insert into t values (1, 'one')`,
  });
  const { database, events } = world;
  await database.query("create table t2 (id int primary key, a text); insert into t2 values (11, 'before')");
  await database.query("alter table t attach partition t2 for values from (10) to (20)");
  await database.query("insert into t values (12, 'after')");
  await expectRows(
    events,
    [
      { id: 1, a: "one" },
      { id: 11, a: "before" },
      { id: 12, a: "after" },
    ],
    "all rows",
  );
  expect(await closedGap(world.service)).toMatchObject({ open: false });
});

describe("in a publication of all tables", () => {
  const opened = new AsyncDisposableStack();
  let world: World;
  beforeAll(async () => {
    const starting = captureTable({
      connector: { ...ALL, "table.include.list": "public\\.(t|a.b|odd.*|in_.*)" },
      setup: `create table t (id int primary key, a text); insert into t values (1, 'one');
        create table a_b (id int primary key, v text); insert into a_b values (1, 'one')`,
    });
    world = opened.use(await starting);
  });
  afterAll(() => opened.disposeAsync());

  it("a table that is UNLOGGED for a while is reported and repaired", async () => {
    const { database, events, service } = world;
    await database.query("alter table t set unlogged");
    await database.query("insert into t values (2, 'lost'); update t set a = 'lost' where id = 1");
    await database.query("alter table t set logged");
    await expectRows(
      events,
      [
        { id: 1, a: "lost" },
        { id: 2, a: "lost" },
      ],
      "the rows of the gap",
    );
    expect(await gapOf(service)).toBeDefined();
  });

  it("a new table whose topic is another table's is a warning, and nothing of it is in that topic", async () => {
    const { database, service } = world;
    await database.query(`create table "a b" (id int primary key, v text); insert into "a b" values (1, 'intruder')`);
    await leftOf(service, "public.a b");
    await database.query("insert into a_b values (2, 'two')");
    await using events = eventsOf(world, "a_b");
    await events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "its own row");
    expect((await events.all()).map(({ after }) => after?.["v"])).toEqual(["one", "two"]);
  });

  it("a table that is renamed into the list is read with the rows it had before", async () => {
    const { database } = world;
    await database.query("create table outside (id int primary key); insert into outside values (1)");
    await database.query("alter table outside rename to in_list; insert into in_list values (2)");
    await using events = eventsOf(world, "in_list");
    const rows = (seen: readonly { readonly after: Readonly<Record<string, unknown>> | null }[]) =>
      new Set(seen.map(({ after }) => after?.["id"]));
    const all = await events.until((seen) => rows(seen).size === 2, "both rows");
    expect(rows(all)).toEqual(new Set([1, 2]));
  });

  it("new tables that cannot be captured are warnings, and other tables flow, also after a restart", async () => {
    const { database } = world;
    await database.query(
      `create table odd_key (at pg_lsn primary key); insert into odd_key values ('0/1');
       create table odd_empty (); insert into odd_empty default values;
       create table odd_pair ("a b" int primary key, "a-b" int); insert into odd_pair values (1, 2)`,
    );
    const expectLeft = async (service: Service) => {
      expect((await leftOf(service, "public.odd_key")).why).toMatch(/not mapped/);
      expect((await leftOf(service, "public.odd_empty")).why).toMatch(/no column/);
      expect((await leftOf(service, "public.odd_pair")).why).toMatch(/several columns/);
    };
    await expectLeft(world.service);
    await expectFlow(world, 3);
    await world.stop();
    await expectLeft(await world.start());
    await expectFlow(world, 4);
  });
});

it("a new table that the role may not read is a warning with the GRANT, survives a restart, and is captured after the GRANT", async () => {
  const role = uniquePrefix();
  const password = "of-the-test";
  const setup = `create table t (id int primary key, a text); insert into t values (1, 'one');
    create role "${role}" login replication password '${password}'; grant select on t to "${role}";
    create publication p for all tables`;
  await using world = await captureTable({
    connector: {
      ...LOOK,
      "table.include.list": "public\\..*",
      "publication.autocreate.mode": "disabled",
      "publication.name": "p",
      "database.user": role,
      "database.password": password,
    },
    setup,
  });
  const { database } = world;
  await database.query("create table fresh (id int primary key); insert into fresh values (1)");
  expect(await leftOf(world.service, "public.fresh")).toMatchObject({
    next: `GRANT SELECT ON "public"."fresh" TO "${role}";`,
  });
  await world.stop();
  const { next } = await leftOf(await world.start(), "public.fresh");
  await expectFlow(world, 2);
  await database.query(next);
  await database.query("insert into fresh values (2)");
  await using fresh = eventsOf(world, "fresh");
  await fresh.until((seen) => new Set(seen.map(({ after }) => after?.["id"])).size === 2, "its rows");
  await world.stop();
  await database.query(`drop owned by "${role}"; drop role "${role}"`);
});
