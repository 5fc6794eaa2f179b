import type { TestProject } from "vitest/node";
import { startStack } from "../../local/stack.ts";
import { skippedWithoutContainers } from "./without-containers.ts";

/** One stack for all end-to-end test files. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (await skippedWithoutContainers(project, ["postgres", "kafka", "registry"])) return async () => {};
  const stack = await startStack();
  const { postgres, kafka, registry } = stack;
  project.provide("addresses", { postgres, kafka, registry });
  return () => stack.stop();
}
