import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import type { Event } from "../e2e/events.ts";
import { expectRows, gapOf, LOOK, publication } from "../e2e/gaps.ts";
import { captureTable, latest, type World } from "../e2e/world.ts";
import { until } from "../stack/until.ts";

/**
 * Publications that are dropped while tables are written to. Before version 18, PostgreSQL cannot read what was written
 * in that time. Fieldgate passes it over, and what consumers have is the same on every version.
 */

async function version({ database }: World): Promise<number> {
  const [row] = await database.query<{ number: number }>("select current_setting('server_version_num')::int as number");
  return row?.number ?? 0;
}

const rowsOf = ({ database }: World) => database.query("select * from t order by id");

describe("a publication that is dropped while tables are written to", () => {
  it("is created again, and rows of before, during and after are with consumers, with a column from that time", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, events, service } = world;
    const name = await publication(database);
    await database.query("insert into t values (2, 'before')");
    await database.query(`drop publication ${name}`);
    await database.query("alter table t add b text; insert into t values (3, 'during', 'of the new column')");
    // Rows without a value in b may have been published before the column was released.
    const kept = (seen: readonly Event[]) =>
      latest(seen.map(({ after }) => after))
        .toSorted((one, other) => Number(one["id"]) - Number(other["id"]))
        .map((row) => ({ ...row, b: row["b"] ?? null }));
    const rows = await rowsOf(world);
    const all = await events.until((seen) => isDeepStrictEqual(kept(seen), rows), "the rows, with the new column");
    expect(kept(all)).toEqual(rows);
    expect((await gapOf(service)).what).toMatch(/was not sent in full for a while/);
    await database.query("insert into t values (4, 'after', 'd')");
    const isLater = ({ op, after }: Event) => op === "c" && after?.["id"] === 4;
    const more = await events.until((seen) => seen.some(isLater), "a later row");
    expect(more.map(({ op, after }) => [op, after?.["id"]]).slice(0, 2)).toEqual([
      ["r", 1],
      ["c", 2],
    ]);
  });

  it("in the middle of a transaction that ends later: its rows are not missing either", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, events } = world;
    const name = await publication(database);
    const open = await database.connect();
    await open.query("begin; insert into t values (2, 'before')");
    await database.query(`drop publication ${name}`);
    await open.query("insert into t values (3, 'during')");
    await database.query("insert into t values (4, 'during')");
    await until(async () => (await publication(database)) === name, "it is created again");
    await open.query("insert into t values (5, 'after'); commit");
    await expectRows(events, await rowsOf(world), "all rows");
    await database.query("insert into t values (6, 'later')");
    await expectRows(events, await rowsOf(world), "later rows");
    expect(await publication(database)).toBe(name);
  });

  it("and that Fieldgate may not create is named with its statement, after which the table flows again", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "publication.autocreate.mode": "disabled", "publication.name": "p" },
      setup:
        "create table t (id int primary key, a text); insert into t values (1, 'one'); create publication p for table t",
    });
    const { database, events } = world;
    await database.query("drop publication p; insert into t values (2, 'during')");
    if ((await version(world)) < 180_000) {
      expect(await world.service.exited).toBe(1);
      const said = world.service.output().replaceAll(String.raw`\"`, '"');
      expect(said).toContain("[publication-unfit] publication p does not exist");
      await database.query(/CREATE PUBLICATION .* WITH \([^)]*\)/.exec(said)?.[0] ?? "no statement");
      await world.start();
    } else {
      const { next } = await gapOf(world.service);
      await database.query(/^CREATE PUBLICATION "p" FOR TABLE "public"."t"/.exec(next ?? "")?.[0] ?? "no statement");
    }
    await expectRows(events, await rowsOf(world), "the row of the gap");
    await database.query("insert into t values (3, 'after')");
    await expectRows(events, await rowsOf(world), "later rows");
  });
});
