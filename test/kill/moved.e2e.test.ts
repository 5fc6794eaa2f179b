import { expect, it } from "vitest";
import { type Event, readEvents, type Row } from "../e2e/events.ts";
import { startService } from "../e2e/service.ts";
import { freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";

const LARGE = "large ".repeat(600);

function lastOf(events: readonly Event[], id: number): Row | null | undefined {
  return events.findLast(({ key }) => key?.["id"] === id)?.after;
}

it("a row that moves behind the cursor of a snapshot is read again, as the log does not have its large value", async () => {
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key, a text); alter table t alter a set storage external");
  await database.query("insert into t select i, $1 || i from generate_series(10, 60) i", [LARGE]);
  const prefix = uniquePrefix();
  const connector = { "fieldgate.chunk.rows": "1", "fieldgate.backfill.rate": "10" };
  await using service = await startService({ database: database.address, prefix, tables: ["public.t"], connector });
  await using events = readEvents([`${prefix}.public.t`]);
  // Asked of the service: a reader of the topic could take as long to begin as the snapshot takes.
  const read = async () => (await service.connector()).chunks[0]?.rows ?? 0;
  await until(async () => (await read()) >= 3, "the snapshot has begun");
  await database.query("update t set id = 1 where id = 59");
  await until(async () => (await service.connector()).chunks[0]?.state === "done", "the snapshot is done", 30_000);
  await database.query("insert into t values (70, 'last')");
  const all = await events.until((seen) => lastOf(seen, 70) !== undefined, "the last row is there");
  expect(lastOf(all, 1)).toEqual({ id: 1, a: `${LARGE}59` });
  expect(lastOf(all, 59)).toBeNull();
});
