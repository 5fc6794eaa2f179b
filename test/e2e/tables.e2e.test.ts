import { describe, expect, it } from "vitest";
import type { Database } from "../stack/database.ts";
import { until } from "../stack/until.ts";
import { type Event, readEvents } from "./events.ts";
import { captureTable, latest } from "./world.ts";

const MANUAL = { "fieldgate.release.policy": "manual" };
const PLACEHOLDER = "__debezium_unavailable_value";

/** Events as [op, before, after]. */
function changesOf(events: readonly Event[]): readonly unknown[] {
  return events.map(({ op, before, after }) => [op, before, after]);
}

async function confirmedPosition(database: Database): Promise<bigint> {
  const [slot] = await database.query<{ at: string }>(
    "select (confirmed_flush_lsn - '0/0'::pg_lsn)::text as at from pg_replication_slots where database = current_database()",
  );
  return BigInt(slot?.at ?? 0);
}

describe("keys", () => {
  it("of several columns have the order of the key; the snapshot and the changes are complete", async () => {
    await using world = await captureTable({
      connector: { "fieldgate.chunk.rows": "2" },
      setup: `create table t (line int, a text, "order" bigint, primary key ("order", line));
              insert into t select line, 'x', 10 + line / 3 from generate_series(1, 7) line`,
    });
    const { database, events } = world;
    await database.query(`update t set a = 'y' where "order" = 10 and line = 1`);
    await database.query(`delete from t where "order" = 12`);
    const all = await events.until((seen) => seen.length >= 10, "7 rows are read, 1 is updated and 2 are deleted");
    const keys = all
      .filter(({ op }) => op === "r")
      .map(({ key }) => `${String(key?.["order"])}/${String(key?.["line"])}`);
    expect(keys).toEqual(["10/1", "10/2", "11/3", "11/4", "11/5", "12/6", "12/7"]);
    expect(Object.keys(all[0]?.key ?? {})).toEqual(["order", "line"]);
    expect(all.slice(7).map(({ op }) => op)).toEqual(["u", "d", "d"]);
    expect(Object.keys(all[0]?.after ?? {})).toEqual(["line", "a", "order"]);
  });

  it("that change give d, tombstone and c, in this order and in one transaction", async () => {
    await using world = await captureTable();
    await world.database.query("update t set id = 5 where id = 1");
    await world.database.query("delete from t where id = 5");
    const records = await world.events.collector.count(6);
    const all = await world.events.until((seen) => seen.length >= 4, "r, d, c, d");
    expect(all.map(({ op, key, after }) => [op, key, after])).toEqual([
      ["r", { id: 1 }, { id: 1, a: "one" }],
      ["d", { id: 1 }, null],
      ["c", { id: 5 }, { id: 5, a: "one" }],
      ["d", { id: 5 }, null],
    ]);
    expect(records.map(({ value }) => value === null)).toEqual([false, false, true, false, false, true]);
    expect(records[2]?.key).toEqual(records[1]?.key);
    expect(Object.keys(records[1]?.headers ?? {})).toContain("__debezium.newkey");
    expect(Object.keys(records[3]?.headers ?? {})).toContain("__debezium.oldkey");
  });

  it("a table without a key is streamed; its snapshot is refused with the reason, and a new column needs --backfill none", async () => {
    await using world = await captureTable({
      connector: MANUAL,
      setup: "create table t (id int, a text); alter table t replica identity full; insert into t values (1, 'one')",
    });
    const { database, service, events } = world;
    expect((await service.connector()).chunks).toMatchObject([
      { kind: "snapshot", state: "refused", why: "the table has no key" },
    ]);
    await database.query("insert into t values (2, 'two'), (2, 'two')");
    await database.query("delete from t where id = 1");
    const first = await events.until((seen) => seen.length >= 3, "the changes");
    expect(first.map(({ op, key }) => [op, key])).toEqual([
      ["c", null],
      ["c", null],
      ["d", null],
    ]);
    await database.query("alter table t add column nick text");
    await database.query("insert into t values (3, 'three', 'trey')");
    const { id } = await service.amendment("nick", "withheld");
    await events.until((seen) => seen.length >= 4, "the row is published");
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/no key.*--backfill none/) as unknown,
    });
    expect(await service.command({ kind: "release", ids: [id], backfill: "none" })).toMatchObject({ kind: "done" });
    await database.query("insert into t values (4, 'four', 'quad')");
    const all = await events.until((seen) => seen.length >= 5, "the row with the field");
    expect(all.slice(3).map(({ after }) => after)).toEqual([
      { id: 3, a: "three" },
      { id: 4, a: "four", nick: "quad" },
    ]);
  });
});

describe("a change", () => {
  it("under REPLICA IDENTITY FULL has the whole row as before, without withheld fields", async () => {
    await using world = await captureTable({
      connector: MANUAL,
      setup:
        "create table t (id int primary key, a text); alter table t replica identity full; insert into t values (1, 'one')",
    });
    const { database, service, events } = world;
    await database.query("update t set a = 'uno' where id = 1");
    await database.query("alter table t add column nick text");
    await database.query("update t set nick = 'ace' where id = 1");
    await service.amendment("nick", "withheld");
    await database.query("delete from t");
    const all = await events.until((seen) => seen.length >= 4, "r, u, u, d");
    expect(changesOf(all)).toEqual([
      ["r", null, { id: 1, a: "one" }],
      ["u", { id: 1, a: "one" }, { id: 1, a: "uno" }],
      ["u", { id: 1, a: "uno" }, { id: 1, a: "uno" }],
      ["d", { id: 1, a: "uno" }, null],
    ]);
  });

  it("has the placeholder for a large unchanged value, and under FULL the value itself", async () => {
    const large = "(select string_agg(md5(i::text), '') from generate_series(1, 400) i)";
    await using world = await captureTable({
      setup: `create table t (id int primary key, a text, big text); alter table t alter big set storage external;
              insert into t values (1, 'one', ${large})`,
    });
    const { database, events } = world;
    await database.query("update t set a = 'uno' where id = 1");
    await database.query("alter table t replica identity full");
    await database.query("update t set a = 'eins' where id = 1");
    const all = await events.until((seen) => seen.length >= 3, "r, u, u");
    const value = all[0]?.after?.["big"];
    expect(String(value)).toHaveLength(400 * 32);
    expect(all.map(({ after }) => [after?.["a"], after?.["big"]])).toEqual([
      ["one", value],
      ["uno", PLACEHOLDER],
      ["eins", value],
    ]);
    expect(all[2]?.before).toEqual({ id: 1, a: "uno", big: value });
  });

  it("lacks columns of an unsupported type, which cause a warning; the same holds for columns added later", async () => {
    await using world = await captureTable({
      setup: "create table t (id int primary key, at tid, a text); insert into t values (1, '(0,1)', 'one')",
    });
    const { database, service, events } = world;
    expect(service.output()).toMatch(/Column at has type tid, which is not mapped to Avro; it is left out/);
    await database.query("alter table t add column area tsquery");
    await database.query("insert into t values (2, '(0,2)', 'two', 'a')");
    const area = await service.amendment("area", "withheld");
    expect(area.gate.why).toContain("type tsquery is not supported");
    expect(await service.command({ kind: "release", ids: [area.id], force: true, reason: "please" })).toMatchObject({
      kind: "refused",
    });
    await database.query("alter table t drop column at");
    await database.query("alter table t add column nick text");
    await database.query("insert into t values (3, 'three', null, 'trey')");
    const all = await events.until((seen) => seen.length >= 3, "all rows");
    expect(all.map(({ after }) => after)).toEqual([
      { id: 1, a: "one" },
      { id: 2, a: "two" },
      { id: 3, a: "three", nick: "trey" },
    ]);
  });

  it("by TRUNCATE gives no event, but later changes do", async () => {
    await using world = await captureTable();
    const { database, events } = world;
    await database.query("insert into t values (2, 'two'); truncate t; insert into t values (3, 'three')");
    await database.query("truncate t");
    await database.query("insert into t values (4, 'four')");
    const all = await events.until((seen) => seen.length >= 4, "r, c, c, c");
    expect(all.map(({ op, after }) => [op, after?.["id"]])).toEqual([
      ["r", 1],
      ["c", 2],
      ["c", 3],
      ["c", 4],
    ]);
  });
});

describe("names", () => {
  it("that need quotes, are unusual or are keywords work in snapshots, streams and backfills", async () => {
    const schema = `"Sales-2024"`;
    const table = `${schema}."Order Líne"`;
    await using world = await captureTable({
      connector: MANUAL,
      tables: ["Sales-2024.Order Líne"],
      setup: `create schema ${schema};
        create table ${table} ("Id" int primary key, "select" text, "my-col" int, "it's ""quoted""" text, "2nd" bool);
        insert into ${table} values (1, 's', 7, 'q', true)`,
    });
    const { database, service } = world;
    const topic = world.topic.replace("public.t", "Sales-2024.Order_L_ne");
    await using events = readEvents([topic]);
    await database.query(`insert into ${table} values (2, 's2', 8, 'q2', false)`);
    await database.query(`alter table ${table} add column "Ünïcode; drop" text`);
    await database.query(`insert into ${table} values (3, 's3', 9, 'q3', null, 'u3')`);
    const { id } = await service.amendment("Ünïcode; drop", "withheld");
    await events.until((seen) => seen.length >= 3, "the rows");
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "done" });
    await service.idle();
    const all = await events.until((seen) => seen.length >= 4, "the backfill");
    const fields = ["Id", "select", "my_col", "it_s__quoted_", "_2nd"];
    expect(all.slice(0, 3).map(({ after }) => Object.keys(after ?? {}))).toEqual([fields, fields, fields]);
    expect(all[0]?.after).toEqual({ Id: 1, select: "s", my_col: 7, it_s__quoted_: "q", _2nd: true });
    expect(all[3]).toMatchObject({ op: "r", key: { Id: 3 }, after: { _n_code__drop: "u3" } });
    expect(all[0]?.source).toMatchObject({ schema: "Sales-2024", table: "Order Líne" });
  });

  it("a new column whose field name is taken is withheld, and rows continue to flow", async () => {
    await using world = await captureTable({
      connector: { "fieldgate.release.policy": "observe" },
      setup: `create table t (id int primary key, "my_col" text); insert into t values (1, 'one')`,
    });
    const { database, service, events } = world;
    await database.query(`alter table t add column "my-col" text`);
    await database.query("insert into t values (2, 'two', 'deuce')");
    const all = await events.until((seen) => seen.length >= 2, "the row is published");
    expect(all[1]?.after).toEqual({ id: 2, my_col: "two" });
    const amendment = await service.amendment("my-col", "withheld");
    expect(amendment.gate.why).toMatch(/my_col/);
    await database.query("insert into t values (3, 'three', 'trey')");
    await events.until((seen) => seen.length >= 3, "the next row is published");
  });
});

describe("several tables", () => {
  it("in one transaction are published in order in each topic, with one txId and one commit time", async () => {
    await using world = await captureTable({
      tables: ["public.t", "public.u"],
      setup: "create table t (id int primary key, a text); create table u (id int primary key, t int)",
    });
    const { database } = world;
    await using other = readEvents([world.topic.replace(/t$/, "u")]);
    await database.query(
      "begin; insert into t values (1, 'a'); insert into u values (1, 1); update t set a = 'b'; insert into u values (2, 1); delete from t; commit",
    );
    const first = await world.events.until((seen) => seen.length >= 3, "the events of t");
    const second = await other.until((seen) => seen.length >= 2, "the events of u");
    expect(first.map(({ op }) => op)).toEqual(["c", "u", "d"]);
    expect(second.map(({ after }) => after)).toEqual([
      { id: 1, t: 1 },
      { id: 2, t: 1 },
    ]);
    const all = [...first, ...second];
    expect(new Set(all.map(({ source }) => source["txId"])).size).toBe(1);
    expect(new Set(all.map(({ source }) => source["ts_ms"])).size).toBe(1);
    const inLog = all.toSorted((a, b) => Number(a.source["lsn"]) - Number(b.source["lsn"]));
    expect(inLog.map(({ source, op }) => `${String(source["table"])} ${op}`)).toEqual([
      "t c",
      "u c",
      "t u",
      "u c",
      "t d",
    ]);
  });
});

describe("a restart", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)(
    "by %s during writes loses nothing and repeats no c, u or d",
    async (signal) => {
      await using world = await captureTable({ setup: "create table t (id int primary key, n int)" });
      const { database, events } = world;
      const client = await database.connect();
      const writes = (async () => {
        for (let n = 0; n < 300; n++) {
          await client.query("insert into t values ($1 % 20, $2) on conflict (id) do update set n = excluded.n", [
            n,
            n,
          ]);
          if (n % 50 === 49) await client.query("delete from t where id = $1", [n % 20]);
        }
      })();
      await events.until((seen) => seen.length >= 60, "some rows are published");
      world.service.kill(signal);
      expect(await world.service.exited).toBe(signal === "SIGTERM" ? 0 : null);
      await world.start();
      await writes;
      await client.end();
      await database.query("insert into t values (99, 99)");
      const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 99), "the last row");
      const changes = all.filter(({ op }) => op !== "r");
      const inserted = changes.filter(({ op }) => op === "c" || op === "u").map(({ after }) => after?.["n"]);
      expect(inserted).toEqual([...Array.from({ length: 300 }, (_, n) => n), 99]);
      expect(changes.filter(({ op }) => op === "d")).toHaveLength(6);
    },
  );

  it("with a withheld amendment keeps it withheld, and releases it later with every value", async () => {
    await using world = await captureTable({ connector: MANUAL });
    const { database, events } = world;
    await database.query("alter table t add column nick text");
    await database.query("insert into t values (2, 'two', 'deuce')");
    const { id } = await world.service.amendment("nick", "withheld");
    await events.until((seen) => seen.length >= 2, "the row");
    await world.stop();
    await database.query("insert into t values (3, 'three', 'trey')");
    const service = await world.start();
    await events.until((seen) => seen.length >= 3, "the row written in the meantime");
    expect((await service.amendment("nick", "withheld")).id).toBe(id);
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "done" });
    await service.idle();
    await world.stop();
    await database.query("insert into t values (4, 'four', 'quad')");
    const again = await world.start();
    expect((await again.amendment("nick", "released")).id).toBe(id);
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 4), "the last row");
    expect(latest(all.map(({ after }) => after))).toEqual([
      { id: 1, a: "one" },
      { id: 2, a: "two", nick: "deuce" },
      { id: 3, a: "three", nick: "trey" },
      { id: 4, a: "four", nick: "quad" },
    ]);
    expect(all.slice(0, 3).every(({ after }) => after !== null && !("nick" in after))).toBe(true);
  });
});

describe("a database that is idle", () => {
  it("in its captured tables does not pin the log while other tables are written", async () => {
    await using world = await captureTable();
    const { database } = world;
    await database.query("create table noise (n int)");
    for (let round = 0; round < 3; round++) {
      const before = await confirmedPosition(database);
      await database.query("insert into noise select generate_series(1, 1000)");
      const [end] = await database.query<{ at: string }>(
        "select (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text as at",
      );
      const at = BigInt(end?.at ?? 0);
      expect(at).toBeGreaterThan(before);
      await until(async () => (await confirmedPosition(database)) >= at, "the slot has moved past it", 30_000);
    }
    expect(await world.events.until((seen) => seen.length > 0, "the first row")).toHaveLength(1);
  });
});
