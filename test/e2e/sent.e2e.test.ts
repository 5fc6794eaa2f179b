import { describe, expect, it } from "vitest";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { expectRows, gapOf, LOOK, needsLists, publication } from "./gaps.ts";
import type { Service } from "./service.ts";
import { captureTable } from "./world.ts";

const ALL = { ...LOOK, "publication.autocreate.mode": "all_tables", "table.include.list": "public\\..*" };

describe("a captured table", () => {
  it("that is taken out of the publication is added again, reported and repaired", async () => {
    await using world = await captureTable({ connector: LOOK });
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
    expect(await gapOf(service)).toMatchObject({
      open: false,
      what: expect.stringMatching(/deleted in that time/) as unknown,
    });
    expect(service.output()).toContain("public.t was not sent in full for a while");
    await database.query("insert into t values (3, 'three')");
    const all = await events.until((seen) => seen.at(-1)?.after?.["id"] === 3, "later rows");
    expect(all.at(-1)?.op).toBe("c");
  });

  it("that leaves the publication and comes back between two looks is reported and repaired", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, events } = world;
    const name = await publication(database);
    await database.query(`alter publication ${name} drop table t`);
    await database.query("insert into t values (2, 'lost')");
    await database.query(`alter publication ${name} add table t`);
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect((await gapOf(world.service))?.open).toBe(false);
  });

  it("that is missing from the publication at a restart is repaired", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, events } = world;
    const name = await publication(database);
    await world.stop();
    await database.query(`alter publication ${name} drop table t; insert into t values (2, 'lost')`);
    const service = await world.start();
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect((await gapOf(service))?.open).toBe(false);
  });

  it("whose publication is dropped and made again is repaired", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, events } = world;
    const name = await publication(database);
    await database.query(`drop publication ${name}`);
    await database.query("insert into t values (2, 'lost')");
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

  it("whose updates the publication leaves out is reported with the statement, and repaired after it", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, service, events } = world;
    const name = await publication(database);
    await database.query(`alter publication ${name} set (publish = 'insert, delete')`);
    await database.query("update t set a = 'lost' where id = 1; insert into t values (2, 'two')");
    const gap = await gapOf(service);
    expect(gap).toMatchObject({ open: true, what: expect.stringMatching(/leaves out update/) as unknown });
    await database.query(gap?.next ?? "");
    await expectRows(
      events,
      [
        { id: 1, a: "lost" },
        { id: 2, a: "two" },
      ],
      "the update of the gap",
    );
  });

  it("that has a row filter is reported with the statement, and repaired after it", async ({ skip }) => {
    await using world = await captureTable({ connector: LOOK });
    const { database, service, events } = world;
    await needsLists(database, skip);
    await database.query(`alter publication ${await publication(database)} set table t where (id < 2)`);
    await database.query("insert into t values (2, 'lost')");
    const gap = await gapOf(service);
    expect(gap).toMatchObject({ open: true, what: expect.stringMatching(/row filter/) as unknown });
    for (const one of (gap?.next ?? "").split(";")) await database.query(one);
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
  });

  it("without a key cannot be repaired, and the reason is reported", async () => {
    await using world = await captureTable({
      connector: LOOK,
      setup: "create table t (id int, a text); alter table t replica identity full",
    });
    const { database, service } = world;
    await database.query(`alter publication ${await publication(database)} drop table t`);
    await database.query("insert into t values (2, 'lost')");
    const gap = await until(async () => {
      const found = await gapOf(service);
      return found === undefined || found.open ? undefined : found;
    }, "the gap is over");
    expect(gap.what).toMatch(/not published again: the table has no key/);
  });

  it("that loses all its columns does not hold up other tables", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "table.include.list": "public.t,public.bare" },
      setup: `create table t (id int primary key, a text); insert into t values (1, 'one');
        create table bare (a text); alter table bare replica identity full`,
    });
    const { database, events } = world;
    await database.query("alter table bare drop column a; insert into bare default values");
    await database.query("insert into t values (2, 'two')");
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "the other table flows");
    expect(all).toHaveLength(2);
  });

  it("that is UNLOGGED for a while is reported and repaired", async () => {
    await using world = await captureTable({ connector: ALL });
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

  it("whose partition was a table with rows before is read again", async () => {
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
    expect((await gapOf(world.service))?.open).toBe(false);
  });

  it.each(["swap", "drop"])(
    "that another table replaces (%s) halts, although the publication sends no row of it",
    async (how) => {
      await using world = await captureTable({ connector: LOOK });
      const { database, service, events, topic } = world;
      await database.query(
        how === "swap"
          ? "create table n (id int primary key, a text); insert into n select * from t; begin; alter table t rename to o; alter table n rename to t; commit"
          : "drop table t; create table t (id int primary key, a text); insert into t values (1, 'one')",
      );
      await until(async () => (await service.connector()).problem?.code === "table-replaced", "it halts");
      await database.query("insert into t values (2, 'two')");
      const released = { kind: "release", ids: [`${topic}/table`], reason: "a swap" };
      expect(await service.command(released)).toMatchObject({ kind: "done" });
      await expectRows(
        events,
        [
          { id: 1, a: "one" },
          { id: 2, a: "two" },
        ],
        "the new table's rows",
      );
      await database.query("insert into t values (3, 'three')");
      const all = await events.until((seen) => seen.at(-1)?.after?.["id"] === 3, "later rows");
      expect(all.at(-1)?.op).toBe("c");
    },
  );

  it("that is unlisted and listed again is repaired", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "table.include.list": "public.t,public.other" },
      setup:
        "create table t (id int primary key, a text); insert into t values (1, 'one'); create table other (id int primary key)",
    });
    const { database, events } = world;
    await world.stop();
    await world.start({ ...LOOK, "table.include.list": "public.other" });
    await database.query("insert into t values (2, 'lost'); insert into other values (1)");
    await using others = readEvents([world.topic.replace(/t$/, "other")]);
    await others.until((seen) => seen.length > 0, "the other table's row");
    await world.stop();
    await world.start({ ...LOOK, "table.include.list": "public.t,public.other" });
    await expectRows(
      events,
      [
        { id: 1, a: "one" },
        { id: 2, a: "lost" },
      ],
      "the row of the gap",
    );
    expect((await gapOf(world.service))?.open).toBe(false);
  });
});

describe("a new table", () => {
  const odd: readonly (readonly [string, string, RegExp])[] = [
    [
      "a key of an unsupported type",
      "create table fresh (at pg_lsn primary key); insert into fresh values ('0/1')",
      /not mapped/,
    ],
    ["no column", "create table fresh (); insert into fresh default values", /no column/],
    [
      "two columns for one field",
      `create table fresh ("a b" int primary key, "a-b" int); insert into fresh values (1, 2)`,
      /several columns/,
    ],
  ];
  it.each(odd)("with %s is a warning, and other tables flow, also after a restart", async (_, create, why) => {
    await using world = await captureTable({ connector: ALL });
    const { database, events } = world;
    await database.query(create);
    await database.query("insert into t values (2, 'two')");
    await events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "the other table flows");
    const left = async (service: Service) =>
      until(
        async () => (await service.connector()).notCaptured.find(({ table }) => table === "public.fresh"),
        "reported",
      );
    expect((await left(world.service)).why).toMatch(why);
    await world.stop();
    const service = await world.start();
    expect((await left(service)).why).toMatch(why);
    await database.query("insert into t values (3, 'three')");
    await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "the other table flows");
  });

  it("whose topic is another table's is a warning, and nothing of it is in that topic", async () => {
    await using world = await captureTable({
      connector: ALL,
      setup: `create table t (id int primary key, a text); create table a_b (id int primary key, v text); insert into a_b values (1, 'one')`,
    });
    const { database, service, topic } = world;
    await database.query(`create table "a b" (id int primary key, v text); insert into "a b" values (1, 'intruder')`);
    await database.query("insert into a_b values (2, 'two')");
    await using events = readEvents([topic.replace(/t$/, "a_b")]);
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "its own row");
    expect(all.map(({ after }) => after?.["v"])).toEqual(["one", "two"]);
    await until(async () => (await service.connector()).notCaptured.length === 1, "it is reported");
  });

  it("that matches a pattern is added to the publication and captured without a restart", async () => {
    await using world = await captureTable({ connector: { ...LOOK, "table.include.list": "public\\..*" } });
    const { database, topic } = world;
    await database.query("create table fresh (id int primary key); insert into fresh values (1)");
    await using events = readEvents([topic.replace(/t$/, "fresh")]);
    await events.until((seen) => seen.length > 0, "its row");
    await database.query("insert into fresh values (2)");
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "later rows");
    expect(all.map(({ op, after }) => [op, after?.["id"]])).toEqual([
      ["r", 1],
      ["c", 2],
    ]);
  });

  it("that is renamed into the list is read with the rows it had before", async () => {
    await using world = await captureTable({ connector: { ...ALL, "table.include.list": "public\\.(t|in_.*)" } });
    const { database, topic } = world;
    await database.query("create table outside (id int primary key); insert into outside values (1)");
    await database.query("alter table outside rename to in_list; insert into in_list values (2)");
    await using events = readEvents([topic.replace(/t$/, "in_list")]);
    const all = await events.until((seen) => seen.length >= 2, "both rows");
    expect(new Set(all.map(({ after }) => after?.["id"]))).toEqual(new Set([1, 2]));
  });

  it("that the role may not read is a warning with the GRANT, survives a restart, and is captured after the GRANT", async () => {
    const role = uniquePrefix();
    const password = "of-the-test";
    const setup = `create table t (id int primary key, a text); insert into t values (1, 'one');
      create role "${role}" login replication password '${password}'; grant select on t to "${role}";
      create publication p for all tables`;
    await using world = await captureTable({
      connector: {
        ...ALL,
        "publication.autocreate.mode": "disabled",
        "publication.name": "p",
        "database.user": role,
        "database.password": password,
      },
      setup,
    });
    const { database, events, topic } = world;
    await database.query("create table fresh (id int primary key); insert into fresh values (1)");
    const left = async (service: Service) =>
      until(
        async () => (await service.connector()).notCaptured.find(({ table }) => table === "public.fresh"),
        "reported",
      );
    expect(await left(world.service)).toMatchObject({ next: `GRANT SELECT ON "public"."fresh" TO "${role}";` });
    await world.stop();
    const service = await world.start();
    const { next } = await left(service);
    await database.query("insert into t values (2, 'two')");
    await events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "the other table flows");
    await database.query(next);
    await database.query("insert into fresh values (2)");
    await using fresh = readEvents([topic.replace(/t$/, "fresh")]);
    await fresh.until((seen) => new Set(seen.map(({ after }) => after?.["id"])).size === 2, "its rows");
    await world.stop();
    await database.query(`drop owned by "${role}"; drop role "${role}"`);
  });
});
