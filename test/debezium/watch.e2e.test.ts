import { expect, it } from "vitest";
import { ends, firstDay } from "../e2e/beside.ts";
import { freshDatabase } from "../stack/database.ts";
import { openDebezium } from "./debezium.ts";

it("the first day beside a real Debezium: who would break is told before its first row, then what it has published, then that its task ends", async () => {
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key, a text)");
  await using debezium = await openDebezium({
    database,
    tables: ["public.t"],
    connector: { "message.prefix.exclude.list": "fieldgate.*" },
  });
  await firstDay(database, { ...debezium, publish: async () => {} });
  expect(await debezium.log()).toMatch(/409/);
  // Of the first two rows; the third ended it.
  expect(await ends(debezium.prefix)).toEqual({ [`${debezium.prefix}.public.t`]: 2 });
});
