import type { TestProject } from "vitest/node";
import type { Part } from "../../local/stack.ts";

/** Matches the name of no test. */
const NONE = /(?!)/;

/**
 * With FIELDGATE_STACK=containers where none are to be had: says so, and all tests of the project count as skipped,
 * never as passed. Otherwise false.
 */
export async function skippedWithoutContainers(project: TestProject, parts: readonly Part[]): Promise<boolean> {
  if (process.env["FIELDGATE_STACK"] !== "containers") return false;
  const { whyNoContainers } = await import("../../local/containers.ts");
  const missing = await whyNoContainers(parts);
  if (missing === undefined) return false;
  process.stderr.write(`FIELDGATE_STACK=containers: ${missing}; every test of project ${project.name} is skipped\n`);
  project.config.testNamePattern = NONE;
  return true;
}
