import { describe, expect, it } from "vitest";
import { startService } from "./service.ts";
import { captureTable, latest, type World } from "./world.ts";

/** The connector does not start with these keys; what it says. */
async function refusal(world: World, connector: Readonly<Record<string, string>>): Promise<string> {
  await world.stop();
  const [prefix = ""] = world.topic.split(".");
  const options = { database: world.database.address, prefix, tables: ["public.t"], connector };
  await using service = await startService(options, false);
  expect(await service.exited).toBe(1);
  return service.output();
}

describe("a value mode that is changed between two runs", () => {
  it("is an amendment of each field; events keep its old form until it is released, and then all have the new one", async () => {
    await using world = await captureTable({
      connector: { "fieldgate.release.policy": "manual" },
      setup:
        "create table t (id int primary key, n numeric(10,2), at timestamp); insert into t values (1, 1.5, '2026-01-01')",
    });
    const { database, events } = world;
    await world.stop();
    const changed = { "decimal.handling.mode": "string", "time.precision.mode": "isostring" };
    const service = await world.start({ "fieldgate.release.policy": "manual", ...changed });
    const { id, what } = await service.amendment("n", "withheld");
    await service.amendment("at", "withheld");
    expect(what).toContain("mapped to a different type by the connector's file");
    await database.query("insert into t values (2, 2.5, '2026-01-02')");
    const [first, second] = await events.until((seen) => seen.length >= 2, "the row in the old form");
    expect([first?.after?.["n"], second?.after?.["n"]]).toEqual([Buffer.from([0, 150]), Buffer.from([0, 250])]);
    expect(typeof second?.after?.["at"]).toBe(typeof first?.after?.["at"]);
    expect(service.output()).toContain("decimal.handling.mode was precise and is now string");
    const outcome = await service.command({ kind: "release", ids: [id], force: true, reason: "readers take both" });
    if (outcome.kind !== "done") expect(JSON.stringify(outcome)).toContain("compat");
    else {
      const all = await events.until((seen) => seen.length >= 4, "both rows once more");
      expect(latest(all.map(({ after }) => after)).map(({ n }) => n)).toEqual(["1.50", "2.50"]);
    }
    await world.stop();
    const again = await world.start({ "fieldgate.release.policy": "manual", ...changed });
    expect(again.output()).not.toContain("decimal.handling.mode was");
  });

  it("goes back to what it was without a trace", async () => {
    await using world = await captureTable({
      connector: { "fieldgate.release.policy": "manual" },
      setup: "create table t (id int primary key, n numeric(10,2)); insert into t values (1, 1.5)",
    });
    await world.stop();
    const service = await world.start({ "fieldgate.release.policy": "manual", "decimal.handling.mode": "string" });
    await service.amendment("n", "withheld");
    await world.stop();
    const back = await world.start({ "fieldgate.release.policy": "manual" });
    await world.database.query("insert into t values (2, 2.5)");
    await world.events.until((seen) => seen.length >= 2, "the row");
    expect(await back.amendments()).toEqual([]);
  });

  it("that no schema would show keeps the connector from starting, with the fields", async () => {
    await using world = await captureTable({
      connector: { "binary.handling.mode": "base64" },
      setup: String.raw`create table t (id int primary key, b bytea); insert into t values (1, '\x00ff')`,
    });
    const said = await refusal(world, { "binary.handling.mode": "hex" });
    expect(said).toContain("[config-invalid]");
    expect(said).toContain(`binary.handling.mode (was base64) for ${world.topic}.b`);
    await world.start({ "binary.handling.mode": "base64" });
  });
});

describe("a key of the file that is changed between two runs", () => {
  it("skipped.operations: what was skipped is reported, and the rows are published again", async () => {
    await using world = await captureTable({ connector: { "skipped.operations": "u,t" } });
    const { database, events } = world;
    await database.query(
      "alter publication " + (await publicationOf(world)) + " set (publish = 'insert, update, delete')",
    );
    await database.query("update t set a = 'changed'; insert into t values (2, 'two')");
    await events.until((seen) => seen.some(({ key }) => key?.["id"] === 2), "the insert");
    await world.stop();
    const service = await world.start({ "skipped.operations": "t" });
    await events.until((seen) => seen.some(({ after }) => after?.["a"] === "changed"), "the update's row once more");
    expect(service.output()).toContain("updates are published again; those that were skipped before are in no event");
  });

  it("tombstones.on.delete and snapshot.mode are reported, once", async () => {
    await using world = await captureTable();
    await world.stop();
    const changed = { "tombstones.on.delete": "false", "snapshot.mode": "no_data" };
    const service = await world.start(changed);
    expect(service.output()).toContain("deletes are no longer followed by a tombstone");
    expect(service.output()).toContain("snapshot.mode was initial and is now no_data");
    await world.stop();
    expect((await world.start(changed)).output()).not.toContain("no tombstone follows");
  });

  it("message.key.columns and topic.prefix are refused, with what they concern", async () => {
    await using world = await captureTable();
    const byA = await refusal(world, { "message.key.columns": "public.t:a" });
    expect(byA).toContain("public.t has events with key (id), and the file says (a)");
    const moved = await refusal(world, { "topic.prefix": "elsewhere" });
    expect(moved).toContain(`publishes to ${world.topic}`);
    await world.start();
  });
});

async function publicationOf({ database }: World): Promise<string> {
  const [found] = await database.query<{ pubname: string }>("select pubname from pg_publication");
  return found?.pubname ?? "";
}
