import { expect, it } from "vitest";
import { readEvents } from "../e2e/events.ts";
import { startService } from "../e2e/service.ts";
import { freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";

it("a service killed while creating its slot uses that slot once it is ready", async () => {
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key); insert into t values (1)");
  const long = await database.connect();
  await long.query("begin; insert into t values (2)");
  const prefix = uniquePrefix();
  const options = { database: database.address, prefix, tables: ["public.t"], connector: { "slot.name": prefix } };
  {
    await using first = await startService(options, false);
    const half = "select 1 from pg_replication_slots where slot_name = $1 and confirmed_flush_lsn is null";
    await until(async () => (await database.query(half, [prefix])).length > 0, "the slot is being created");
    first.kill("SIGKILL");
    await first.exited;
  }
  await using second = await startService(options, false);
  await until(() => second.output().includes("is being created by pid"), "the service has found the unfinished slot");
  await long.query("commit");
  await long.end();
  await using events = readEvents([`${prefix}.public.t`]);
  const all = await events.until((seen) => seen.length >= 2, "both rows are there", 40_000);
  expect(all.map(({ key, op }) => ({ key, op }))).toEqual([
    { key: { id: 1 }, op: "r" },
    { key: { id: 2 }, op: "r" },
  ]);
});
