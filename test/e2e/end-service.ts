import { expect } from "vitest";
import type { Database } from "../stack/database.ts";
import { until } from "../stack/until.ts";
import type { Service } from "./service.ts";

/** Sends the signal and returns how long the service took to end, in ms. It must exit with 0 and release its slot. */
export async function endService(
  service: Service,
  database: Database,
  signal: NodeJS.Signals = "SIGTERM",
): Promise<number> {
  const asked = performance.now();
  service.kill(signal);
  expect(await service.exited).toBe(0);
  const took = performance.now() - asked;
  const slots = () =>
    database.query("select 1 from pg_replication_slots where database = current_database() and not active");
  await until(async () => (await slots()).length === 1, "the slot is free");
  return took;
}
