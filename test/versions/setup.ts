import type { TestProject } from "vitest/node";
import { type Stack, startStack } from "../../local/stack.ts";
import type { Major } from "./binaries.ts";
import { startVersion } from "./server.ts";

/** One broker and registry for the servers of all versions: each project of a run calls this setup of its own. */
const SHARED = Symbol.for("fieldgate.test.versions.stack");
const shared = globalThis as { [SHARED]?: { stack: Promise<Stack>; users: number } | undefined }; // ours alone

/** A server of the version that the project's name ends with. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const major = Number(/\d+$/.exec(project.name)) as Major; // vitest.config.ts makes the names of VERSIONS
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
