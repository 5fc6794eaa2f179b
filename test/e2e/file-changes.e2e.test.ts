import { describe, expect, it } from "vitest";
import { publication } from "./gaps.ts";
import { captureTable, latest } from "./world.ts";

const MANUAL = { "fieldgate.release.policy": "manual" };

describe("a value mode that is changed between two runs", () => {
  it("is an amendment of each field, which keeps its old form until it is released or the mode goes back", async () => {
    await using world = await captureTable({
      connector: MANUAL,
      setup:
        "create table t (id int primary key, n numeric(10,2), at timestamp); insert into t values (1, 1.5, '2026-01-01')",
    });
    const { database, events } = world;
    await world.stop();
    const asText = { ...MANUAL, "decimal.handling.mode": "string" };
    const service = await world.start({ ...asText, "time.precision.mode": "isostring" });
    const { id, what } = await service.amendment("n", "withheld");
    await service.amendment("at", "withheld");
    expect(what).toContain("mapped to a different type by the connector's file");
    await database.query("insert into t values (2, 2.5, '2026-01-02')");
    const [first, second] = await events.until((seen) => seen.length >= 2, "the row in the old form");
    expect([first?.after?.["n"], second?.after?.["n"]]).toEqual([Buffer.from([0, 150]), Buffer.from([0, 250])]);
    expect(typeof second?.after?.["at"]).toBe(typeof first?.after?.["at"]);
    expect(service.output()).toContain("decimal.handling.mode was precise and is now string");
    expect(service.output()).toContain("time.precision.mode was");
    const outcome = await service.command({ kind: "release", ids: [id], force: true, reason: "readers take both" });
    expect(outcome).toMatchObject({ kind: "done" });
    const released = await events.until((seen) => seen.length >= 4, "both rows once more");
    expect(latest(released.map(({ after }) => after)).map(({ n }) => n)).toEqual(["1.50", "2.50"]);
    await world.stop();
    const again = await world.start(asText);
    await database.query("insert into t values (3, 3.5, '2026-01-03')");
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "the row in the new form");
    const third = all.find(({ after }) => after?.["id"] === 3)?.after;
    expect([third?.["n"], typeof third?.["at"]]).toEqual(["3.50", typeof first?.after?.["at"]]);
    expect((await again.amendments()).filter(({ gate }) => gate.kind === "withheld")).toEqual([]);
    expect(again.output()).toContain("time.precision.mode was isostring");
    expect(again.output()).not.toContain("decimal.handling.mode was");
  });
});

describe("a key of the file that is changed between two runs", () => {
  it("skipped.operations: what was skipped is reported, and the rows are published again", async () => {
    await using world = await captureTable({ connector: { "skipped.operations": "u,t" } });
    const { database, events } = world;
    await database.query(`alter publication ${await publication(database)} set (publish = 'insert, update, delete')`);
    await database.query("update t set a = 'changed'; insert into t values (2, 'two')");
    await events.until((seen) => seen.some(({ key }) => key?.["id"] === 2), "the insert");
    await world.stop();
    const service = await world.start({ "skipped.operations": "t" });
    await events.until((seen) => seen.some(({ after }) => after?.["a"] === "changed"), "the update's row once more");
    expect(service.output()).toContain("updates are published again; those that were skipped before are in no event");
  });
});
