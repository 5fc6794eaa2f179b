import { kafkaClient } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { CheckFailed, mustBeNone } from "./check.ts";
import { KEPT, settle } from "./drive.ts";
import { stopService } from "./kill.ts";
import { hushIn } from "./leak.ts";
import { scanTopics } from "./scan.ts";
import { TABLES } from "./tables.ts";
import type { World } from "./world.ts";

/** After everything has been released and the writers have stopped, everything must be complete and equal. */
export async function checkAtTheEnd(world: World): Promise<void> {
  await settle(world);
  await world.workload.stop();
  await everyChangeIsPublished(world);
  await settle(world);
  await world.checks.verify();
  await world.checks.equal(world.ddl);
  await nothingLeaked(world);
}

async function everyChangeIsPublished(world: World): Promise<void> {
  let failed: unknown;
  const published = async () => {
    world.state.watch();
    await world.checks.verify();
    return world.checks.missing().length === 0;
  };
  const tried = () =>
    published().catch((error: unknown) => {
      failed = error;
      return true;
    });
  await until(tried, "every change is published", 60_000).catch(() => {
    const missing = world.checks.missing();
    throw new CheckFailed(`${missing.length} keys have changes without an event`, missing.slice(0, 12));
  });
  if (failed !== undefined) throw failed;
}

/** No record in any topic of the deployment has a value of the column that is never released, and no schema its field. */
async function nothingLeaked(world: World): Promise<void> {
  await stopService(world);
  const leaks: string[] = [];
  await scanTopics(kafkaClient(world.stack.kafka.brokers), world.prefix, (record) => {
    const leak = hushIn(record);
    if (leak !== undefined) leaks.push(leak);
  });
  mustBeNone("a value that was never released is in Kafka", leaks);
  const registered = await Promise.all(
    TABLES.map(({ name }) => schemasOf(world, `${world.prefix}.public.${name}-value`)),
  );
  mustBeNone(
    "a schema has the field that was never released",
    registered.flat().filter((text) => text.includes(`"${KEPT}"`)),
  );
}

async function schemasOf(world: World, subject: string): Promise<readonly string[]> {
  const url = `${world.stack.registry.url}/subjects/${subject}/versions`;
  const versions = (await (await fetch(url)).json()) as readonly number[]; // Confluent's API
  return Promise.all(
    versions.map(async (version) => {
      const { schema } = (await (await fetch(`${url}/${version}`)).json()) as { schema: string }; // Confluent's API
      return schema;
    }),
  );
}
