import type { TestProject } from "vitest/node";
import type { Part } from "../../local/stack.ts";
import { skipEveryTest } from "./skip-every-test.ts";

/**
 * With FIELDGATE_STACK=containers on a machine that cannot run containers, prints the reason and makes all tests of the
 * project count as skipped, never as passed. Otherwise returns false.
 */
export async function skippedWithoutContainers(project: TestProject, parts: readonly Part[]): Promise<boolean> {
  if (process.env["FIELDGATE_STACK"] !== "containers") return false;
  const { whyNoContainers } = await import("../../local/containers.ts");
  const missing = await whyNoContainers(parts);
  if (missing === undefined) return false;
  skipEveryTest(project, `FIELDGATE_STACK=containers: ${missing}`);
  return true;
}
