import { describe, expect, it } from "vitest";
import { until } from "../stack/until.ts";
import type { Service } from "./service.ts";
import { captureTable } from "./world.ts";

const MANUAL = { "fieldgate.release.policy": "manual" };

/** Waits until the connector has stopped to wait for a person, and returns the problem. */
async function untilStopped(service: Service, code: string) {
  const problem = async () => {
    const { status, problem: why } = await service.connector();
    return status === "stopped" && why?.code === code ? why : undefined;
  };
  return until(problem, `the connector stops with ${code}`);
}

const STOP = { ...MANUAL, "fieldgate.on.unfit": "stop" };

describe("with on.unfit=stop, a value that does not fit stops the connector before its row", () => {
  it("a dropped column of a required field, until an operator fills the field", async () => {
    const setup = "create table t (id int primary key, a text not null); insert into t values (1, 'one')";
    await using world = await captureTable({ connector: STOP, setup });
    const { database, service, events, topic } = world;
    await database.query("alter table t drop column a");
    await database.query("insert into t values (2)");
    const problem = await untilStopped(service, "value-unfit");
    expect(problem.message).toMatch(/public\.t\.a at .*column a was dropped/);
    expect(problem.next).toContain(`fieldgate fill ${topic}/2 VALUE`);
    const wrong = await service.command({ kind: "fill", ids: [`${topic}/2`], value: 5 });
    expect(wrong).toMatchObject({ kind: "refused" });
    expect(await service.command({ kind: "fill", ids: [`${topic}.a`], value: "gone" })).toMatchObject({ kind: "done" });
    await database.query("insert into t values (3)");
    const all = await events.until((seen) => seen.length >= 3, "the rows");
    expect(all.map(({ after }) => after)).toEqual([
      { id: 1, a: "one" },
      { id: 2, a: "gone" },
      { id: 3, a: "gone" },
    ]);
  });

  it("a value out of the old type's range or a null in a required field, until an operator releases the change", async () => {
    const setup = "create table t (id int primary key, n int not null, m int not null); insert into t values (1, 1, 1)";
    await using world = await captureTable({ connector: STOP, setup });
    const { database, service, events, topic } = world;
    await database.query("alter table t alter n type bigint, alter m drop not null");
    await database.query("insert into t values (2, 2, 2)");
    await database.query("insert into t values (3, 5000000000, 3)");
    const problem = await untilStopped(service, "value-unfit");
    expect(problem.message).toMatch(/public\.t\.n at /);
    expect(problem.message).not.toContain("5000000000");
    expect(problem.next).toContain(`fieldgate release ${topic}/2`);
    expect(await events.until((seen) => seen.length > 1, "the rows before it")).toHaveLength(2);
    expect(await service.command({ kind: "release", ids: [`${topic}/2`] })).toMatchObject({ kind: "done" });
    await database.query("insert into t values (4, 4, null)");
    const again = await until(async () => {
      const { problem: why } = await service.connector();
      return why?.message.includes("public.t.m") === true ? why : undefined;
    }, "the null stops it");
    expect(again.message).toMatch(/null/);
    expect(await service.command({ kind: "release", ids: [`${topic}/3`] })).toMatchObject({ kind: "done" });
    const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 4), "the last row");
    const streamed = all.filter(({ op }) => op === "c").map(({ after }) => after);
    expect(streamed).toEqual([
      { id: 2, n: 2, m: 2 },
      { id: 3, n: 5_000_000_000n, m: 3 },
      { id: 4, n: 4n, m: null },
    ]);
  });
});

describe("a renamed column", () => {
  it("is published under both names while a consumer reads the old one, and then only under the new one", async () => {
    await using world = await captureTable();
    const { database, service, events, topic } = world;
    const contract = { consumer: "billing", topic, decodesWith: "writer", unknownFields: "accept" };
    await service.publishContract({ ...contract, fields: ["id", "a"] });
    await database.query("alter table t rename column a to alias");
    await database.query("insert into t values (2, 'two')");
    const amendment = await service.amendment("a", "withheld");
    expect(amendment).toMatchObject({
      changes: ["renamed"],
      verdicts: [{ consumer: "billing", verdict: "not-ready" }],
    });
    const refused = await service.command({ kind: "release", ids: [amendment.id] });
    expect(refused).toMatchObject({ kind: "refused", message: expect.stringContaining("billing") as unknown });
    const both = await service.command({ kind: "release", ids: [amendment.id], beside: {} });
    expect(both).toMatchObject({ kind: "done" });
    await database.query("insert into t values (3, 'three')");
    const three = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "both names");
    expect(three.at(-1)?.after ?? three.at(-2)?.after).toMatchObject({ a: expect.anything() as unknown });
    expect(three.find(({ after }) => after?.["id"] === 3)?.after).toEqual({ id: 3, a: "three", alias: "three" });
    await service.publishContract({ ...contract, fields: ["id", "alias"] });
    await service.amendment("a", "released");
    await database.query("insert into t values (4, 'four')");
    const four = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 4), "the new name");
    expect(four.find(({ after }) => after?.["id"] === 4)?.after).toEqual({ id: 4, alias: "four" });
  });

  it("that takes the name of a dropped column is not confused with it", async () => {
    const setup =
      "create table t (id int primary key, nick text, nick_new text); insert into t values (1, 'old', 'new')";
    await using world = await captureTable({ connector: MANUAL, setup });
    const { database, service, events, topic } = world;
    await database.query("begin; alter table t drop column nick; alter table t rename column nick_new to nick; commit");
    await database.query("insert into t values (2, 'renamed')");
    const all = await events.until((seen) => seen.length >= 2, "the row");
    expect(all[1]?.after).toEqual({ id: 2, nick: null, nick_new: "renamed" });
    const ambiguous = await service.command({ kind: "release", ids: [`${topic}.nick`] }).catch(String);
    expect(JSON.stringify(ambiguous)).toContain(`${topic}/3`);
    const outcome = await service.command({ kind: "release", ids: [`${topic}/2`, `${topic}/3`] });
    expect(outcome).toMatchObject({ kind: "done" });
    await service.idle();
    await database.query("insert into t values (3, 'third')");
    const last = await events.until((seen) => seen.some(({ after }) => after?.["id"] === 3), "released");
    expect(last.filter(({ after }) => after?.["id"] === 3).at(-1)?.after).toEqual({ id: 3, nick: "third" });
  });
});

it("a renamed key column keeps its old name in the key until the key itself is released", async () => {
  await using world = await captureTable({ connector: MANUAL });
  const { database, service, events, topic } = world;
  await database.query("alter table t rename column id to ident");
  await database.query("insert into t values (2, 'two')");
  const all = await events.until((seen) => seen.length >= 2, "the row");
  expect(all[1]).toMatchObject({ key: { id: 2 }, after: { id: 2, a: "two" } });
  expect(await service.command({ kind: "release", ids: [`${topic}/1`] })).toMatchObject({ kind: "done" });
  await service.idle();
  await database.query("insert into t values (3, 'three')");
  const now = await events.until((seen) => seen.some(({ after }) => after?.["ident"] === 3), "the new name");
  expect(now.at(-1)).toMatchObject({ key: { id: 3 }, after: { ident: 3, a: "three" } });
  expect((await service.connector()).status).toBe("streaming");
});

it("a new enum label is published at once, and the schema lists it soon after", async () => {
  const setup =
    "create type mood as enum ('ok', 'sad'); create table t (id int primary key, m mood); insert into t values (1, 'ok')";
  await using world = await captureTable({ setup });
  const { database, service, events } = world;
  await database.query("alter type mood add value 'glad'");
  await database.query("insert into t values (2, 'glad')");
  const all = await events.until((seen) => seen.length >= 2, "the new label");
  expect(all[1]?.after).toEqual({ id: 2, m: "glad" });
  const amendment = await service.amendment("m", "released");
  expect(amendment).toMatchObject({
    changes: ["labels"],
    candidate: { schema: expect.stringContaining("ok,sad,glad") as unknown },
  });
});
