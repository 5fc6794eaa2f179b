import type { TestProject } from "vitest/node";
import { type Stack, startStack } from "../../local/stack.ts";
import type { Major } from "./binaries.ts";
import { startVersion } from "./server.ts";

/** The broker and registry are shared by all versions, although each project of a run calls this setup. */
const SHARED = Symbol.for("fieldgate.test.versions.stack");
const shared = globalThis as { [SHARED]?: { stack: Promise<Stack>; users: number } | undefined }; // only this file uses the symbol

/** Starts a server of the version at the end of the project's name. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const major = Number(/\d+$/.exec(project.name)) as Major; // vitest.config.ts makes the names from VERSIONS
  const use = (shared[SHARED] ??= { stack: startStack({ postgres: false }), users: 0 });
  use.users += 1;
  const server = await startVersion(major);
  const { kafka, registry } = await use.stack;
  project.provide("addresses", { postgres: server.address, kafka, registry });
  return async () => {
    await server[Symbol.asyncDispose]();
    use.users -= 1;
    if (use.users === 0) await (await use.stack).stop();
  };
}
