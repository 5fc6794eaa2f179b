import { describe, expect, it } from "vitest";
import { gapOf } from "./gaps.ts";
import { captureTable, latest } from "./world.ts";

const SETUP = `create type mood as enum ('low', 'high');
  create table t (id int primary key, a text, m mood); insert into t values (1, 'one', 'low'), (2, 'two', 'high')`;

describe.each([
  ["while the service runs", false],
  ["while it is down", true],
] as const)(
  "values that change without an event and without a later row are published again, without the DDL trigger: %s",
  (_when, down) => {
    it.each([
      [
        "ALTER TYPE … USING with the same type",
        "alter table t alter a type text using upper(a)",
        [
          { id: 1, a: "ONE", m: "low" },
          { id: 2, a: "TWO", m: "high" },
        ],
      ],
      [
        "a renamed enum label",
        "alter type mood rename value 'low' to 'bottom'",
        [
          { id: 1, a: "one", m: "bottom" },
          { id: 2, a: "two", m: "high" },
        ],
      ],
      [
        "a new column that takes the name of a dropped one",
        "alter table t drop a, add a text default 'new'",
        [
          { id: 1, a: "new", m: "low" },
          { id: 2, a: "new", m: "high" },
        ],
      ],
    ])("%s", async (_what, ddl, rows) => {
      await using world = await captureTable({ setup: SETUP });
      const { database, events } = world;
      if (down) await world.stop();
      await database.query(ddl);
      if (down) await world.start();
      const all = await events.until((seen) => seen.length >= 4, "the rows once more");
      expect(latest(all.map(({ after }) => after))).toEqual(rows);
    });
  },
);

it("VACUUM FULL publishes nothing, and a rewrite after it is noticed", async () => {
  await using world = await captureTable({ setup: SETUP });
  const { database, events, service } = world;
  await database.query("vacuum full t");
  await database.query("insert into t values (3, 'three', 'low')");
  await events.until((seen) => seen.length >= 3, "the row");
  await database.query("alter table t alter a type varchar(20) using 'rewritten'");
  const all = await events.until((seen) => seen.length >= 6, "the rows once more");
  await service.idle();
  expect(all.map(({ op }) => op)).toEqual(["r", "r", "c", "r", "r", "r"]);
  expect(latest(all.map(({ after }) => after)).map((row) => row["a"])).toEqual(["rewritten", "rewritten", "rewritten"]);
});

it("a rewritten key is published under its new values, and people are alerted that the old ones remain", async () => {
  await using world = await captureTable({ setup: SETUP });
  const { database, events, service } = world;
  await database.query("alter table t alter id type int using id + 100");
  const all = await events.until((seen) => seen.length >= 4, "the rows once more");
  expect(all.map(({ after }) => after?.["id"])).toEqual([1, 2, 101, 102]);
  expect((await gapOf(service)).what).toContain("consumers keep the rows under their old keys");
});
