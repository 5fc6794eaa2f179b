import type { TestProject } from "vitest/node";
import { startStack } from "../../local/stack.ts";
import { skippedWithoutContainers } from "./without-containers.ts";

/** One PostgreSQL for all files that need nothing else: it starts in about a second, without java. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (await skippedWithoutContainers(project, ["postgres"])) return async () => {};
  const stack = await startStack({ kafka: false, registry: false });
  project.provide("addresses", { postgres: stack.postgres });
  return () => stack.stop();
}
