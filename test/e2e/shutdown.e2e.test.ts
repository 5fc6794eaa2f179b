import { expect, it } from "vitest";
import { faultyRegistry } from "../stack/faulty-registry.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";
import { endService } from "./end-service.ts";
import { captureTable } from "./world.ts";

it("the service ends even while the registry hangs", async () => {
  await using registry = await faultyRegistry(servers.registry.url);
  await using world = await captureTable({ registryUrl: registry.url, schemasFrom: servers.registry.url });
  const { database, service } = world;
  registry.fail({ kind: "hang" });
  const asked = registry.asked.length;
  await database.query("alter table t add column nick text");
  await database.query("insert into t values (2, 'two', 'deuce')");
  await until(() => registry.asked.length > asked, "the registry is asked");
  expect(await endService(service, database)).toBeLessThan(10_000);
});
