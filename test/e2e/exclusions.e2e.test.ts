import { describe, expect, it } from "vitest";
import { installTrigger } from "../../src/postgres/trigger.ts";
import { kafkaClient } from "../stack/topic.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";
import type { Event } from "./events.ts";
import { captureTable } from "./world.ts";

const SETUP = "create table t (id int primary key, a text, ssn text); insert into t values (1, 'one', 'secret one')";
const WITHOUT_SSN = { "column.exclude.list": "public.t.ssn" };
const ONLY_A = { "column.include.list": "public.t.id,public.t.a" };

function textOf(events: readonly Event[]): string {
  return JSON.stringify(events, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

describe("a column that the lists keep out stays out by its identity", () => {
  it.each([
    ["column.exclude.list", WITHOUT_SSN],
    ["column.include.list", ONLY_A],
  ])("%s: when it is renamed while the connector runs and while it does not, under any name", async (_, connector) => {
    await using world = await captureTable({
      setup: SETUP,
      connector: { ...connector, "fieldgate.release.policy": "manual" },
    });
    const { database, events } = world;
    await database.query("alter table t rename column ssn to ssn_number");
    await database.query("insert into t values (2, 'two', 'secret two')");
    await events.until((seen) => seen.length >= 2, "the row after the rename");
    await world.stop();
    await database.query("insert into t values (3, 'three', 'secret three')");
    await database.query("alter table t rename column ssn_number to tax");
    await database.query("insert into t values (4, 'four', 'secret four')");
    const service = await world.start();
    await events.until((seen) => seen.length >= 4, "the rows of meanwhile");
    await database.query("alter table t rename column a to b; alter table t rename column tax to a");
    await database.query("insert into t values (5, 'five', 'secret five')");
    const all = await events.until((seen) => seen.length >= 5, "the row after the names moved");
    await service.idle();
    expect(textOf(await events.all())).not.toContain("secret");
    expect(
      all.map(({ after }) =>
        Object.keys(after ?? {})
          .toSorted()
          .join(),
      ),
    ).toEqual(Array(5).fill("a,id"));
    expect((await service.amendments()).filter(({ id }) => id.endsWith("/3"))).toEqual([]);
  });

  it("from the moment it is added, under a backfill of another column, and until the file takes its name", async () => {
    await using world = await captureTable({ connector: WITHOUT_SSN });
    const { database, events, topic } = world;
    await database.query("alter table t add column ssn text; insert into t values (2, 'two', 'secret two')");
    await events.until((seen) => seen.length >= 2, "the row");
    await database.query("alter table t rename column ssn to tax; alter table t add column zip text");
    await database.query("insert into t values (3, 'three', 'secret three', 'z3')");
    await world.service.amendment("zip", "released");
    await world.service.idle();
    await database.query("update t set zip = 'z2' where id = 2");
    const all = await events.until((seen) => seen.some(({ after }) => after?.["zip"] === "z2"), "the other column");
    expect(textOf(all)).not.toContain("secret");
    await world.stop();
    const service = await world.start({ "fieldgate.release.policy": "manual" });
    const { id, gate } = await service.amendment("tax", "withheld");
    expect(id).toBe(`${topic}/3`);
    expect(gate.kind).toBe("withheld");
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "done" });
    await events.until((seen) => seen.some(({ after }) => after?.["tax"] === "secret two"), "its backfill");
  });
});

describe("Fieldgate's own schema", () => {
  it("is never captured, also when every table is, and a secret that changes is read again", async () => {
    await using world = await captureTable({
      tables: [".*\\..*"],
      connector: { "publication.autocreate.mode": "all_tables" },
    });
    const { database, events, service, topic } = world;
    const admin = await database.connect();
    await installTrigger(admin, servers.postgres.user);
    await admin.query("delete from fieldgate.secret");
    await installTrigger(admin, servers.postgres.user);
    await database.query("alter table t add column n int; insert into t values (2, 'two', 22)");
    await events.until((seen) => seen.length >= 2, "the row");
    await database.query("alter table t add column m int");
    await until(async () => {
      const all = await service.amendments();
      return all.some(({ field, explained }) => field === "m" && explained?.command === "ALTER TABLE") || undefined;
    }, "the DDL message signed with the new secret explains the amendment");
    expect((await service.connector()).status).toBe("streaming");
    const kafka = kafkaClient().admin();
    await kafka.connect();
    const own = topic.replace("public.t", "fieldgate.");
    expect((await kafka.listTopics()).filter((name) => name.startsWith(own))).toEqual([]);
    await kafka.disconnect();
  });
});
