import type { TestProject } from "vitest/node";
import { shareStack } from "../stack/shared-stack.ts";
import type { Major } from "./binaries.ts";
import { startVersion } from "./server.ts";

/** Starts a server of the version at the end of the project's name. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const major = Number(/\d+$/.exec(project.name)) as Major; // vitest.config.ts makes the names from VERSIONS
  const [share, server] = [await shareStack({ postgres: false }), await startVersion(major)];
  const { kafka, registry } = share.stack;
  project.provide("addresses", { postgres: server.address, kafka, registry });
  return async () => {
    await server[Symbol.asyncDispose]();
    await share.leave();
  };
}
