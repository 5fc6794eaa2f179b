import { expect, test } from "vitest";
import { alive } from "../../local/processes.ts";
import { until } from "../stack/until.ts";
import { localStack } from "./local-stack.ts";
import { startedParent } from "./started-parent.ts";

test.runIf(localStack)("all three servers are gone after kill -9 of the parent", async () => {
  await using parent = await startedParent("kafka", "registry");
  const { child, pids, servers } = parent;
  expect(Object.keys(servers).toSorted()).toStrictEqual(["kafka", "postgres", "registry"]);
  expect(Object.values(servers).map(alive)).toStrictEqual([true, true, true]);
  child.kill("SIGKILL");
  await until(() => !pids.some(alive), "every process has ended");
});
