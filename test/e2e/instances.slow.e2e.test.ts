import { expect, it } from "vitest";
import { pause } from "../stack/processes.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { startService } from "./service.ts";
import { captureTable } from "./world.ts";

const createdIds = (
  events: readonly { readonly op: string; readonly after: Readonly<Record<string, unknown>> | null }[],
) => events.filter(({ op }) => op === "c").map(({ after }) => after?.["id"]);

it("a second instance takes over: the first ends, and every change is published once", async () => {
  const prefix = uniquePrefix();
  await using world = await captureTable({ prefix });
  const { database, events, service: first } = world;
  await database.query("insert into t values (2, 'two')");
  await events.until((seen) => createdIds(seen).length === 1, "the first instance publishes");
  await using second = await startService({ database: database.address, prefix, tables: ["public.t"] });
  await database.query("insert into t values (3, 'three')");
  expect(await first.exited).toBe(1);
  expect(first.output()).toContain("another instance has started this connector");
  await database.query("insert into t values (4, 'four')");
  const all = await events.until((seen) => createdIds(seen).includes(4), "the second instance publishes");
  expect(createdIds(all)).toEqual([2, 3, 4]);
  await second.streams();
});

it("an instance that was frozen for longer than its transaction timeout resumes where it was", async () => {
  await using world = await captureTable();
  const { database, events, service } = world;
  await database.query("insert into t values (2, 'two')");
  await events.until((seen) => createdIds(seen).length === 1, "the instance publishes");
  {
    using _frozen = pause(service.pid);
    const since = Date.now();
    await database.query("insert into t values (3, 'three')");
    await until(() => Date.now() - since > 20_000, "the broker and PostgreSQL have timed out", 30_000);
  }
  await database.query("insert into t values (4, 'four')");
  const all = await events.until((seen) => createdIds(seen).includes(4), "the instance resumes", 60_000);
  expect(createdIds(all)).toEqual([2, 3, 4]);
});
