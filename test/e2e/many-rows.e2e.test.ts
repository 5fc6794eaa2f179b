import { describe, expect, it } from "vitest";
import { installTrigger } from "../../src/postgres/trigger.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";
import { captureTable, type World } from "./world.ts";

const FEW = { "fieldgate.release.policy": "manual", "fieldgate.backfill.max.rows": "5" };

async function untilWaiting({ service }: World): Promise<string> {
  let why = "";
  await until(async () => {
    const { chunks } = await service.connector();
    why = chunks.find(({ kind, state }) => kind === "backfill" && state === "waiting")?.why ?? "";
    return why !== "";
  }, "a job waits");
  return why;
}

describe("more rows than fieldgate.backfill.max.rows", () => {
  it("of a table that was never analyzed wait for an operator, and are then published", async () => {
    await using world = await captureTable({
      connector: FEW,
      setup: `create table t (id int primary key, a text) with (autovacuum_enabled = false);
              insert into t select i, 'x' from generate_series(1, 40) i`,
    });
    const { database, events, service } = world;
    await database.query("alter table t add column nick text");
    await database.query("update t set nick = 'n'");
    const { id } = await service.amendment("nick", "withheld");
    await events.until((seen) => seen.length >= 80, "the updates");
    await service.command({ kind: "release", ids: [id] });
    expect(await untilWaiting(world)).toBe(
      `more than 5 rows: start it with fieldgate release ${id} --backfill all, or decline it with none`,
    );
    expect((await service.command({ kind: "release", ids: [id], backfill: "all" })).kind).toBe("done");
    await events.until((seen) => seen.filter(({ after }) => after?.["nick"] === "n").length >= 40, "the backfill");
  });

  it("are not published again after a rewrite before an operator says so", async () => {
    await using world = await captureTable({
      connector: FEW,
      setup: `create table t (id int primary key, a text); insert into t select i, 'x' from generate_series(1, 40) i; analyze t`,
    });
    const { database, events, service, topic } = world;
    await using client = await connected(world);
    await installTrigger(client.session, servers.postgres.user);
    await world.stop();
    await world.start(FEW);
    await database.query("alter table t alter column a type varchar(20) using upper(a)");
    expect(await untilWaiting(world)).toContain(`fieldgate release ${topic}/repair --backfill all`);
    expect((await events.all()).filter(({ after }) => after?.["a"] === "X")).toEqual([]);
    const outcome = await world.service.command({ kind: "release", ids: [`${topic}/repair`], backfill: "all" });
    expect(outcome.kind).toBe("done");
    await events.until((seen) => seen.filter(({ after }) => after?.["a"] === "X").length >= 40, "the rows once more");
    expect(service.pid).not.toBe(world.service.pid);
  });
});

async function connected({ database }: World) {
  const session = await database.connect();
  return { session, [Symbol.asyncDispose]: () => session.end() };
}
