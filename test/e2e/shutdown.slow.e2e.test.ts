import { expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { freshDatabase } from "../stack/database.ts";
import { pause } from "../stack/processes.ts";
import { captured, type World } from "./world.ts";

const created = async ({ events }: World, last: number) => {
  const all = await events.until((seen) => seen.some(({ after }) => after?.["id"] === last), `row ${last}`, 60_000);
  return all.filter(({ op }) => op === "c").map(({ after }) => after?.["id"]);
};

/** How long the service took to end, in ms, and its exit code. */
async function ended({ service }: World, ...signals: readonly NodeJS.Signals[]) {
  const asked = performance.now();
  for (const signal of signals) service.kill(signal);
  const code = await service.exited;
  return { code, took: performance.now() - asked };
}

it("Kafka hangs: it ends within 10 s, or at once when asked twice, and goes on later with every change once", async () => {
  await using own = await startStack({ postgres: false, registry: false });
  await using world = await captured({ kafkaBrokers: own.kafka.brokers });
  const { database } = world;
  await database.query("insert into t values (2, 'before')");
  expect(await created(world, 2)).toEqual([2]);
  {
    using _hanging = pause(own.pids.kafka);
    await database.query("insert into t values (3, 'while it hangs')");
    const { code, took } = await ended(world, "SIGTERM");
    expect([code, took < 10_000]).toEqual([0, true]);
  }
  await world.start();
  expect(await created(world, 3)).toEqual([2, 3]);
  {
    using _hanging = pause(own.pids.kafka);
    await database.query("insert into t values (4, 'while it hangs again')");
    const { code, took } = await ended(world, "SIGTERM", "SIGTERM");
    expect([code, took < 1_500]).toEqual([143, true]);
  }
  await world.start();
  expect(await created(world, 4)).toEqual([2, 3, 4]);
});

it("PostgreSQL hangs: it ends within 10 s and goes on later", async () => {
  await using own = await startStack({ kafka: false, registry: false });
  await using world = await captured({ database: await freshDatabase(own.postgres) });
  await world.database.query("insert into t values (2, 'before')");
  expect(await created(world, 2)).toEqual([2]);
  {
    using _hanging = pause(own.pids.postgres);
    const { code, took } = await ended(world, "SIGINT");
    expect([code, took < 10_000]).toEqual([0, true]);
  }
  await world.start();
  await world.database.query("insert into t values (3, 'after')");
  expect(await created(world, 3)).toEqual([2, 3]);
});
