import { expect, it } from "vitest";
import { faultyRegistry } from "../stack/faulty-registry.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";
import { endedAfter } from "./end.ts";
import { captured } from "./world.ts";

it("while the registry hangs it ends all the same", async () => {
  await using registry = await faultyRegistry(servers.registry.url);
  await using world = await captured({ registryUrl: registry.url, schemasFrom: servers.registry.url });
  const { database, service } = world;
  registry.fail({ kind: "hang" });
  const asked = registry.asked.length;
  await database.query("alter table t add column nick text");
  await database.query("insert into t values (2, 'two', 'deuce')");
  await until(() => registry.asked.length > asked, "the registry is asked");
  expect(await endedAfter(service, database)).toBeLessThan(10_000);
});
