import { describe, expect, it } from "vitest";
import { captureTable, latest } from "./world.ts";

const REPLICA = { consumer: "replica", decodesWith: "writer", unknownFields: "reject" };

describe("an added column", () => {
  it("under observe is in its first row", async () => {
    await using world = await captureTable({ connector: { "fieldgate.release.policy": "observe" } });
    await world.database.query("alter table t add column nick text");
    await world.database.query("insert into t values (2, 'two', 'deuce')");
    const all = await world.events.until((seen) => seen.length >= 2, "the row is published");
    expect(all[1]?.after).toEqual({ id: 2, a: "two", nick: "deuce" });
    const amendment = await world.service.amendment("nick", "released");
    expect(amendment.backfill).toBeNull();
  });

  it("under contracts, without a contract, is in its first row", async () => {
    await using world = await captureTable({});
    await world.database.query(
      "begin; alter table t add column nick text; insert into t values (2, 'two', 'deuce'); commit",
    );
    const all = await world.events.until((seen) => seen.length >= 2, "the row is published");
    expect(all[1]?.after).toEqual({ id: 2, a: "two", nick: "deuce" });
  });

  it("under contracts is withheld while a consumer rejects it, and then released with every value", async () => {
    await using world = await captureTable({});
    await world.service.publishContract({ ...REPLICA, topic: world.topic, fields: ["id", "a"] });
    await world.database.query("alter table t add column nick text");
    await world.database.query("insert into t values (2, 'two', 'deuce'), (3, 'three', null)");
    await world.database.query("update t set nick = 'ace' where id = 1");
    const withheld = await world.service.amendment("nick", "withheld");
    expect(withheld.verdicts).toMatchObject([{ consumer: "replica", verdict: "not-ready" }]);
    expect(withheld.gate.why).toContain("replica");
    const before = await world.events.until((seen) => seen.length >= 4, "rows continue to flow");
    expect(before.map((event) => event.after)).toEqual([
      { id: 1, a: "one" },
      { id: 2, a: "two" },
      { id: 3, a: "three" },
      { id: 1, a: "one" },
    ]);
    await world.service.publishContract({ ...REPLICA, topic: world.topic, fields: ["id", "a", "nick"] });
    await world.service.amendment("nick", "released");
    await world.service.idle();
    await world.database.query("insert into t values (4, 'four', 'quad')");
    const all = await world.events.until((seen) => seen.some(({ after: row }) => row?.["id"] === 4), "the last row");
    expect(latest(all.map((event) => event.after))).toEqual([
      { id: 1, a: "one", nick: "ace" },
      { id: 2, a: "two", nick: "deuce" },
      { id: 3, a: "three" },
      { id: 4, a: "four", nick: "quad" },
    ]);
    expect(all.filter(({ op }) => op === "r").map(({ source }) => source["snapshot"])).toContain("incremental");
  });

  it("under manual waits for an operator", async () => {
    await using world = await captureTable({ connector: { "fieldgate.release.policy": "manual" } });
    await world.database.query("alter table t add column nick text");
    await world.database.query("insert into t values (2, 'two', 'deuce')");
    const { id } = await world.service.amendment("nick", "withheld");
    expect(await world.service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "done" });
    await world.service.amendment("nick", "released");
    await world.service.idle();
    const all = await world.events.until(
      (seen) => seen.some(({ op }) => op === "r") && seen.length >= 3,
      "the backfill",
    );
    expect(latest(all.map((event) => event.after))).toContainEqual({ id: 2, a: "two", nick: "deuce" });
  });

  it("that is NOT NULL without a default is widened to optional, and the amendment says so", async () => {
    await using world = await captureTable({ connector: { "fieldgate.release.policy": "manual" } });
    await world.database.query("truncate t; alter table t add column level int not null");
    await world.database.query("insert into t values (2, 'two', 7)");
    const withheld = await world.service.amendment("level", "withheld");
    expect(withheld.candidate?.widened).toContain("level");
    expect(await world.service.command({ kind: "release", ids: [withheld.id] })).toMatchObject({ kind: "done" });
    await world.service.idle();
    const all = await world.events.until((seen) => seen.some(({ after: row }) => row?.["level"] === 7), "the value");
    expect(all.at(-1)?.after).toEqual({ id: 2, a: "two", level: 7 });
  });

  it("keeps the table's order even if a later column is released first", async () => {
    await using world = await captureTable({ connector: { "fieldgate.release.policy": "manual" } });
    await world.database.query("alter table t add column first text, add column second text");
    await world.database.query("insert into t values (2, 'two', 'f', 's')");
    const second = await world.service.amendment("second", "withheld");
    expect(await world.service.command({ kind: "release", ids: [second.id] })).toMatchObject({ kind: "done" });
    await world.service.amendment("second", "released");
    const first = await world.service.amendment("first", "withheld");
    expect(await world.service.command({ kind: "release", ids: [first.id] })).toMatchObject({ kind: "done" });
    await world.service.amendment("first", "released");
    await world.service.idle();
    await world.database.query("insert into t values (3, 'three', 'f3', 's3')");
    const all = await world.events.until((seen) => seen.some(({ after: row }) => row?.["id"] === 3), "the last row");
    expect(Object.keys(all.at(-1)?.after ?? {})).toEqual(["id", "a", "first", "second"]);
    expect(latest(all.map((event) => event.after))).toContainEqual({ id: 2, a: "two", first: "f", second: "s" });
    const [view] = (await world.service.connector()).tables;
    expect(view?.fields).toEqual(["id", "a", "first", "second"]);
  });
});
