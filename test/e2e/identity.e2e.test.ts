import { isDeepStrictEqual } from "node:util";
import { installTrigger } from "../../src/postgres/trigger.ts";
import { describe, expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { freshDatabase } from "../stack/database.ts";
import { until } from "../stack/until.ts";
import { captureTable, latest } from "./world.ts";

const MANUAL = { "fieldgate.release.policy": "manual" };

describe("a column is identified by its attnum", () => {
  it("a withheld column that is dropped and recreated with another type gets a new amendment, which can be released", async () => {
    await using world = await captureTable({ connector: MANUAL });
    const { database, service, events } = world;
    await database.query("alter table t add column nick text; insert into t values (2, 'two', 'secret')");
    const first = await service.amendment("nick", "withheld");
    await database.query("alter table t drop column nick");
    await database.query("alter table t add column nick int");
    await database.query("insert into t values (3, 'three', 33)");
    await events.until((seen) => seen.length >= 3, "the row of the new column");
    // The first column may have been retyped before it was dropped: a catalog read at its place in the log settles it.
    const second = await until(async () => {
      const [only, ...others] = await service.amendments();
      return others.length === 0 && only?.id !== first.id ? only : undefined;
    }, "only the new column has an amendment");
    expect(await service.command({ kind: "release", ids: [second.id] })).toMatchObject({ kind: "done" });
    await service.idle();
    const all = await events.until((seen) => seen.some(({ after }) => after?.["nick"] === 33), "the backfill");
    const text = JSON.stringify(all, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    expect(text).not.toContain("secret");
  });

  it("DROP nick; RENAME nick_new TO nick leaks nothing: nick is dropped, and the renamed column remains withheld", async () => {
    await using world = await captureTable({
      connector: MANUAL,
      setup: "create table t (id int primary key, nick text); insert into t values (1, 'one')",
    });
    const { database, service, events, topic } = world;
    await database.query("alter table t add column nick_new text");
    await database.query("insert into t values (2, 'two', 'secret')");
    await service.amendment("nick_new", "withheld");
    await database.query("alter table t drop column nick; alter table t rename column nick_new to nick");
    await database.query("insert into t values (3, 'leaked')");
    const all = await events.until((seen) => seen.length >= 3, "the rows");
    expect(all.map(({ after }) => after)).toEqual([
      { id: 1, nick: "one" },
      { id: 2, nick: "two" },
      { id: 3, nick: null },
    ]);
    // The columns may be settled by a catalog read at its place in the log, after the row.
    const settled = [`${topic}/2 dropped withheld`, `${topic}/3 added withheld`];
    const amendments = async () =>
      (await service.amendments()).map(({ id, kind, gate }) => `${id} ${kind} ${gate.kind}`).toSorted();
    await until(async () => isDeepStrictEqual(await amendments(), settled), "nick is dropped, and nick_new withheld");
  });

  it("a recreated column is not taken for the old one while the stream lags", async () => {
    await using world = await captureTable({ connector: MANUAL });
    const { database, events } = world;
    await world.stop();
    await database.query("alter table t add column nick text; insert into t values (2, 'two', 'old nick')");
    await database.query("alter table t drop column nick; alter table t add column nick text");
    await database.query("insert into t values (3, 'three', 'new nick')");
    const service = await world.start();
    await events.until((seen) => seen.length >= 3, "all rows are published");
    await database.query("insert into t values (4, 'four', 'newer nick')");
    const id = `${world.topic}/4`;
    await until(async () => {
      const withheld = (await service.amendments()).filter(({ gate }) => gate.kind === "withheld");
      return withheld.length === 1 && withheld[0]?.id === id;
    }, "only the new column is withheld");
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "done" });
    await service.idle();
    const all = await events.until(
      (seen) => seen.filter(({ after }) => typeof after?.["nick"] === "string").length >= 2,
      "the backfill",
    );
    expect(latest(all.map(({ after }) => after))).toContainEqual({ id: 3, a: "three", nick: "new nick" });
    const text = JSON.stringify(all, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    expect(text).not.toContain("old nick");
  });

  it("a row from before a migration that the service missed keeps its values", async () => {
    const setup = "create table t (id int primary key, first text not null, last text not null)";
    await using world = await captureTable({ setup });
    const { database, events } = world;
    await world.stop();
    await database.query("insert into t values (3, 'Edsger', 'Dijkstra')");
    await database.query("alter table t drop column first, add column name text");
    await world.start();
    const [event] = await events.until((seen) => seen.length >= 1, "the row");
    expect(event?.after).toEqual({ id: 3, first: "Edsger", last: "Dijkstra" });
  });

  it("a withheld column that was retyped and dropped while the service was down is published under no name", async () => {
    await using world = await captureTable({ connector: MANUAL });
    const { database, service, events } = world;
    await database.query("alter table t add column pin int; insert into t values (2, 'two', 1234)");
    await service.amendment("pin", "withheld");
    await world.stop();
    await database.query("alter table t alter pin type text using pin::text");
    await database.query("insert into t values (3, 'three', 'withheld value')");
    await database.query("alter table t drop column pin, add column more text");
    await database.query("insert into t values (4, 'four', 'more')");
    await world.start();
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 4), "the last row");
    const text = JSON.stringify(all, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    expect(text).not.toContain("withheld value");
  });

  it("with the DDL trigger, a row from before its column was recreated has the old column's value", async () => {
    await using own = await freshDatabase();
    await installTrigger(await own.connect(), own.address.user);
    await using world = await captureTable({ database: own });
    const { database, events } = world;
    await database.query("insert into t values (2, 'two')");
    await events.until((seen) => seen.length >= 2, "the first row");
    await world.stop();
    await database.query("insert into t values (3, 'three')");
    await database.query("alter table t drop column a; alter table t add column a text");
    await world.start();
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "the row");
    expect(all.find(({ after }) => after?.["id"] === 3)?.after).toEqual({ id: 3, a: "three" });
  });

  it("a recreated published column is not taken for the old one while the stream lags", async () => {
    await using world = await captureTable({ connector: MANUAL });
    const { database, events, topic } = world;
    await world.stop();
    await database.query("alter table t drop column a; alter table t add column a text");
    await database.query("insert into t values (3, 'another a')");
    const service = await world.start();
    await events.until((seen) => seen.length >= 2, "the row");
    await database.query("insert into t values (4, 'again another')");
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 4), "the next row");
    expect(all.filter(({ after }) => after?.["id"] !== 1).every(({ after }) => after?.["a"] === null)).toBe(true);
    const amendments = await until(async () => {
      const now = await service.amendments();
      return now.length === 2 ? now : undefined;
    }, "the drop and the addition are two amendments");
    expect(amendments.map(({ id, kind }) => `${id} ${kind}`).toSorted()).toEqual([
      `${topic}/2 dropped`,
      `${topic}/3 added`,
    ]);
    expect(await service.command({ kind: "release", ids: [`${topic}/2`, `${topic}/3`] })).toMatchObject({
      kind: "done",
    });
    await service.idle();
    const rows = [
      { id: 3, a: "another a" },
      { id: 4, a: "again another" },
    ];
    await events.until(
      (seen) => isDeepStrictEqual(latest(seen.map(({ after }) => after)).slice(1), rows),
      "the backfill of both rows",
    );
  });

  it("a row of the ALTER's own transaction flows without the column while the transaction is not visible", async () => {
    await using own = await startStack({ kafka: false, registry: false });
    if (own.postgres === undefined) throw new Error("no PostgreSQL");
    // The row is not held back for longer than this.
    const connector = { "fieldgate.judge.timeout.ms": "3000" };
    await using world = await captureTable({ database: await freshDatabase(own.postgres), connector });
    const { database, service, events } = world;
    const visible = async () => {
      await database.query("set synchronous_commit = local");
      await database.query("alter system reset synchronous_standby_names");
      await database.query("select pg_reload_conf()");
    };
    // Otherwise a failed test would wait for its own database to be dropped.
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(visible);
    await database.query("alter system set synchronous_standby_names = 'nobody'");
    await database.query("select pg_reload_conf()");
    const waiting = await database.connect();
    const ended = waiting
      .query("begin; alter table t add column nick text; insert into t values (2, 'two', 'deuce'); commit")
      .catch(() => undefined);
    const all = await events.until(
      (seen) => seen.length >= 2,
      "the row is published before the transaction is visible",
    );
    expect(all[1]?.after).toEqual({ id: 2, a: "two" });
    await visible();
    await ended;
    await service.amendment("nick", "released");
    await service.idle();
    await database.query("insert into t values (3, 'three', 'trey')");
    const rows = [
      { id: 1, a: "one" },
      { id: 2, a: "two", nick: "deuce" },
      { id: 3, a: "three", nick: "trey" },
    ];
    await events.until((seen) => isDeepStrictEqual(latest(seen.map(({ after }) => after)), rows), "every value");
    await waiting.end();
  });
});
