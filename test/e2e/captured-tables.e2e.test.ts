import { describe, expect, it } from "vitest";
import { freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { publication } from "./gaps.ts";
import { startService } from "./service.ts";
import { captureTable, latest } from "./world.ts";

const ALL = { "publication.autocreate.mode": "all_tables", "table.include.list": "public\\..*" };

describe("a table", () => {
  it("that is renamed keeps its topic, its amendments and its position after a restart", async () => {
    await using world = await captureTable();
    const { database, events } = world;
    await database.query("alter table t rename to u");
    await database.query("insert into u values (2, 'two')");
    const all = await events.until((seen) => seen.length >= 2, "the row");
    expect(all[1]).toMatchObject({ after: { id: 2, a: "two" }, source: { table: "u" } });
    await world.stop();
    await database.query("insert into u values (3, 'three')");
    await world.start();
    const after = await events.until((seen) => seen.length >= 3, "the row written in the meantime");
    expect(after[2]?.after).toEqual({ id: 3, a: "three" });
  });

  it("that is replaced by another of the same name stops before the new one's first row until an operator releases it", async () => {
    await using world = await captureTable();
    const { database, service, events, topic } = world;
    await database.query(
      "begin; create table swap (a text, id int primary key); insert into swap select a, id from t; drop table t; alter table swap rename to t; commit",
    );
    await database.query(
      `do $$ begin execute (select format('alter publication %I add table t', pubname) from pg_publication); end $$`,
    );
    await database.query("insert into t values ('two', 2)");
    const problem = await until(async () => {
      const { problem: why } = await service.connector();
      return why?.code === "table-replaced" ? why : undefined;
    }, "the connector stops");
    expect(problem.next).toContain(`fieldgate release ${topic}/table --reason`);
    expect(await events.all()).toHaveLength(1);
    const id = `${topic}/table`;
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "refused" });
    expect(await service.command({ kind: "release", ids: [id], reason: "pg-osc" })).toMatchObject({ kind: "done" });
    await service.idle();
    const all = await events.until((seen) => seen.filter(({ op }) => op === "r").length >= 3, "all rows again");
    const rows = latest(all.map(({ after }) => after)).toSorted((x, y) => Number(x["id"]) - Number(y["id"]));
    expect(rows).toEqual([
      { id: 1, a: "one" },
      { id: 2, a: "two" },
    ]);
  });

  it.each([
    ["while the service runs", false],
    ["while it is down", true],
  ])(
    "that exchanges its name with another captured one keeps its topic, and both names are reported: %s",
    async (_, down) => {
      await using world = await captureTable({
        setup: "create table t (id int primary key, a text); create table q (id int primary key, a text)",
        tables: ["public.t", "public.q"],
      });
      const { database, topic } = world;
      await using both = readEvents([topic, topic.replace(/t$/, "q")]);
      if (down) await world.stop();
      await database.query(
        "begin; alter table t rename to tmp; alter table q rename to t; alter table tmp rename to q; commit",
      );
      // Rows right after it: the log has the new names before the catalog is looked at.
      await database.query("insert into t values (1, 'was q'); insert into q values (2, 'was t')");
      if (down) await world.start();
      const all = await both.until((seen) => seen.length >= 2, "the rows");
      expect(new Map(all.map((event) => [event.topic, event.after?.["a"]]))).toEqual(
        new Map([
          [topic.replace(/t$/, "q"), "was q"],
          [topic, "was t"],
        ]),
      );
      const said = (text: RegExp) => world.service.said(text);
      await said(
        /public\.t is now called public\.q; its topic is still \S+\.public\.t, and \S+\.public\.q belongs to /,
      );
      await said(
        /public\.q is now called public\.t; its topic is still \S+\.public\.q, and \S+\.public\.t belongs to /,
      );
    },
  );

  it("that is renamed is reported even if a row follows at once, and if another captured one takes its name", async () => {
    await using world = await captureTable({
      setup: "create table t (id int primary key, a text); create table q (id int primary key, a text)",
      tables: ["public.t", "public.q"],
    });
    const { database, service } = world;
    await database.query("alter table t rename to away");
    await database.query("insert into away values (1, 'x')");
    await service.said(/public\.t is now called public\.away; its topic is still /);
    await database.query("drop table away; alter table q rename to t");
    await service.said(/public\.q is now called public\.t; its topic is still /);
    expect(await service.said(/public\.away was dropped/)).toBeTruthy();
  });

  it("that has its name back is not replaced by a release that comes before the next look", async () => {
    const connector = { "fieldgate.look.ms": "8000", "table.include.list": "public.t" };
    const setup = "create table t (id int primary key, a text); create table t_new (id int primary key, a text)";
    await using world = await captureTable({ connector, setup });
    const { database, service, events, topic } = world;
    await database.query(`alter publication ${await publication(database)} add table t_new`);
    await database.query("begin; alter table t rename to t_old; alter table t_new rename to t; commit");
    await database.query("insert into t values (10, 'of the other')");
    await until(async () => (await service.amendments()).find(({ kind }) => kind === "table"), "the table is parked");
    await database.query("begin; alter table t rename to t_new; alter table t_old rename to t; commit");
    const release = { kind: "release", ids: [`${topic}/table`], reason: "too late" };
    expect(await service.command(release)).toMatchObject({ kind: "refused" });
    await database.query("insert into t values (1, 'its own')");
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 1), "the table flows");
    expect(all.map(({ after }) => after?.["id"])).toEqual([1]);
  });

  it("that was renamed is not confused with a new table of its old name", async () => {
    await using world = await captureTable({ connector: ALL });
    const { database, service, events } = world;
    await database.query("alter table t rename to t_old; insert into t_old values (2, 'two')");
    await events.until((seen) => seen.length >= 2, "the row of the renamed table");
    await database.query("create table t (id int primary key, a text); insert into t values (3, 'three')");
    await until(async () => (await service.connector()).problem?.code === "table-replaced", "the connector stops");
    expect(await events.all()).toHaveLength(2);
  });

  it("that is new is published from its first row and captured once", async () => {
    // However slow the registry is, column c is in its first row.
    await using world = await captureTable({ connector: { ...ALL, "fieldgate.judge.timeout.ms": "60000" } });
    const { database, service } = world;
    const topic = world.topic.replace(/t$/, "fresh");
    await database.query("create table fresh (id int primary key, b text)");
    await database.query(
      "insert into fresh values (1, 'x'); alter table fresh add column c int; insert into fresh values (2, 'y', 3)",
    );
    await until(
      async () => (await service.connector()).tables.some((table) => table.topic === topic),
      "the table is captured",
    );
    await using events = readEvents([topic]);
    await events.until((seen) => seen.length >= 2, "its rows");
    await service.idle();
    const all = await events.all();
    expect(all.map(({ op }) => op)).toEqual(["c", "c"]);
    expect(all[0]?.after).toMatchObject({ id: 1, b: "x" });
    expect(all[1]?.after).toEqual({ id: 2, b: "y", c: 3 });
  });

  it("that is new is captured before its first row, and no snapshot reads what the log has", async () => {
    await using world = await captureTable({ connector: { ...ALL, "fieldgate.look.ms": "100" } });
    const { database, service } = world;
    const topic = world.topic.replace(/t$/, "fresh");
    await database.query("create table fresh (id int primary key)");
    await until(
      async () => (await service.connector()).tables.some((table) => table.topic === topic),
      "the table is captured",
    );
    await database.query("insert into fresh values (1)");
    await using events = readEvents([topic]);
    expect((await events.until((seen) => seen.length > 0, "its row")).map(({ op }) => op)).toEqual(["c"]);
    await service.idle();
    expect(service.output()).not.toContain(`snapshot/${topic}`);
  });

  it("with partitions has one topic if its changes are published via the root", async () => {
    await using world = await captureTable({
      connector: { "publish.via.partition.root": "true" },
      setup: `create table t (id int, a text, primary key (id)) partition by range (id);
              create table t1 partition of t for values from (0) to (10);
              insert into t values (1, 'one')`,
    });
    const { database, events } = world;
    await database.query("create table t2 partition of t for values from (10) to (20)");
    await database.query("insert into t values (11, 'eleven')");
    const all = await events.until((seen) => seen.length >= 2, "rows of both partitions");
    expect(all.map(({ op, after }) => [op, after?.["id"]])).toEqual([
      ["r", 1],
      ["c", 11],
    ]);
  });
});

describe("the connector file", () => {
  it("can publish TRUNCATE, leave out columns and set another key", async () => {
    await using world = await captureTable({
      connector: {
        "skipped.operations": "none",
        "column.exclude.list": "public.t.secret",
        "message.key.columns": "public.t:b,id",
        "fieldgate.chunk.rows": "2",
      },
      setup: `create table t (id int primary key, b int not null, secret text); alter table t replica identity full;
              insert into t select i, i % 2, 's' from generate_series(1, 5) i`,
    });
    const { database, events } = world;
    await database.query("insert into t values (9, 1, 'hidden')");
    await database.query("truncate t");
    const all = await events.until((seen) => seen.length >= 7, "5 rows, an insert and a truncate");
    expect(all.slice(0, 6).map(({ key }) => Object.keys(key ?? {}))).toEqual(
      Array.from({ length: 6 }, () => ["b", "id"]),
    );
    expect(all.slice(0, 6).every(({ after }) => after !== null && !("secret" in after))).toBe(true);
    expect(all[6]).toMatchObject({ op: "t", key: null, before: null, after: null });
  });

  it("with initial_only ends after the existing rows", async () => {
    await using database = await freshDatabase();
    await database.query("create table t (id int primary key, a text); insert into t values (1, 'one'), (2, 'two')");
    const prefix = uniquePrefix();
    const connector = { "snapshot.mode": "initial_only" };
    const options = { database: database.address, prefix, tables: ["public.t"], connector };
    await using service = await startService(options, false);
    expect(await service.exited).toBe(0);
    await using events = readEvents([`${prefix}.public.t`]);
    const all = await events.until((seen) => seen.length >= 2, "the rows");
    expect(all.map(({ op }) => op)).toEqual(["r", "r"]);
  });
});
