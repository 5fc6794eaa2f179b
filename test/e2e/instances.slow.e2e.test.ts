import { expect, it } from "vitest";
import { pause } from "../stack/processes.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { startService } from "./service.ts";
import { captured } from "./world.ts";

const created = (
  events: readonly { readonly op: string; readonly after: Readonly<Record<string, unknown>> | null }[],
) => events.filter(({ op }) => op === "c").map(({ after }) => after?.["id"]);

it("a second instance takes over: the first ends, every change comes once", async () => {
  const prefix = uniquePrefix();
  await using world = await captured({ prefix });
  const { database, events, service: first } = world;
  await database.query("insert into t values (2, 'two')");
  await events.until((seen) => created(seen).length === 1, "the first publishes");
  await using second = await startService({ database: database.address, prefix, tables: ["public.t"] });
  await database.query("insert into t values (3, 'three')");
  expect(await first.exited).toBe(1);
  expect(first.output()).toContain("another instance has started this connector");
  await database.query("insert into t values (4, 'four')");
  const all = await events.until((seen) => created(seen).includes(4), "the second publishes");
  expect(created(all)).toEqual([2, 3, 4]);
  expect((await second.connector()).status).toBe("streaming");
});

it("an instance that stood still longer than its transaction may last goes on where it was", async () => {
  await using world = await captured();
  const { database, events, service } = world;
  await database.query("insert into t values (2, 'two')");
  await events.until((seen) => created(seen).length === 1, "it publishes");
  {
    using _still = pause(service.pid);
    const since = Date.now();
    await database.query("insert into t values (3, 'three')");
    await until(() => Date.now() - since > 20_000, "the broker and the server have given it up", 30_000);
  }
  await database.query("insert into t values (4, 'four')");
  const all = await events.until((seen) => created(seen).includes(4), "it goes on", 60_000);
  expect(created(all)).toEqual([2, 3, 4]);
});
