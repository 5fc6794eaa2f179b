import type { TestProject } from "vitest/node";

/** Does not match the name of any test. */
const NONE = /(?!)/;

/** Prints the reason, and makes all tests of the project count as skipped, never as passed. */
export function skipEveryTest(project: TestProject, why: string): void {
  process.stderr.write(`${project.name}: every test is skipped: ${why}\n`);
  project.config.testNamePattern = NONE;
}
