import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { freshDatabase } from "../stack/database.ts";
import type { Event } from "./events.ts";
import { captureTable, latest } from "./world.ts";

const ADD = "alter table t add column status text";

// What rows that are older than the column hold is decided by ADD COLUMN, whatever becomes of the default.
it.each([
  ["dropped", `begin; ${ADD} not null default 'legacy'; alter table t alter status drop default; commit`],
  ["replaced", `begin; ${ADD} default 'legacy'; alter table t alter status set default 'fresh'; commit`],
  ["set later", `${ADD}; alter table t alter status set default 'fresh'`],
  [
    "volatile and dropped",
    `begin; ${ADD} default md5(random()::text); alter table t alter status drop default; commit`,
  ],
])("every consumer's value equals the table's after ADD COLUMN with a default that is %s", async (_, ddl) => {
  await using database = await freshDatabase();
  const setup = "create table t (id int primary key, a text); insert into t values (1, 'one'), (2, 'two')";
  await using world = await captureTable({ database, setup });
  const { service, events } = world;
  await database.query(ddl);
  await database.query("insert into t values (3, 'three', 'own')");
  await service.amendment("status", "released");
  const rows = await database.query("select id, a, status from t order by id");
  const kept = (seen: readonly Event[]) =>
    latest(seen.map(({ after }) => after)).toSorted((one, other) => Number(one["id"]) - Number(other["id"]));
  const all = await events.until((seen) => isDeepStrictEqual(kept(seen), rows), "consumers have what the table has");
  expect(kept(all)).toEqual(rows);
});
