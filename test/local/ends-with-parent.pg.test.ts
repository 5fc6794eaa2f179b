import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { alive } from "../../local/processes.ts";
import { until } from "../stack/until.ts";
import { localStack } from "./local-stack.ts";
import { startedParent } from "./started-parent.ts";

test.runIf(localStack).each(["SIGKILL", "SIGINT", "SIGTERM"] as const)(
  "PostgreSQL and its data are gone after %s of the parent",
  async (signal) => {
    await using parent = await startedParent();
    const { child, pids, servers, data } = parent;
    expect(pids).toContain(servers["postgres"]);
    // Not every process of PostgreSQL: one that ends a session may have been listed too.
    expect([alive(servers["postgres"] ?? 0), existsSync(data)]).toEqual([true, true]);
    child.kill(signal);
    await until(() => !pids.some(alive), "every process has ended");
    await until(() => !existsSync(data), "the data is removed");
  },
);

test.runIf(localStack)("a paused PostgreSQL ends with its parent too", async () => {
  await using parent = await startedParent();
  const { child, pids, servers } = parent;
  process.kill(servers["postgres"] ?? 0, "SIGSTOP");
  child.kill("SIGKILL");
  await expect(until(() => !pids.some(alive), "every process has ended")).resolves.toBe(true);
});

test.runIf(localStack)("servers end with their supervisor when that is killed", async () => {
  await using parent = await startedParent();
  const { pids, data } = parent;
  const [supervisor = 0] = pids;
  process.kill(supervisor, "SIGKILL");
  await expect(until(() => !pids.some(alive), "every process has ended")).resolves.toBe(true);
  await expect(until(() => !existsSync(data), "the data is removed")).resolves.toBe(true);
});
