import type { TestProject } from "vitest/node";
import { createRegistry } from "../../local/registry.ts";
import { startSupervisor } from "../../local/supervisor.ts";
import { shareStack } from "../stack/shared-stack.ts";
import { skipEveryTest } from "../stack/skip-every-test.ts";
import { type Had, PRODUCTS } from "./products.ts";

type Usable = Exclude<Had, { readonly kind: "missing" }>;

async function start(had: Usable): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  if (had.kind === "running") return { url: had.url, stop: async () => {} };
  const supervisor = await startSupervisor();
  const stop = async () => supervisor[Symbol.asyncDispose]();
  try {
    const prepared = await createRegistry(supervisor, had.program, undefined);
    await prepared.start();
    return { url: prepared.address.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Provides the registry after which the project is named, or skips all of the project's tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const had = await PRODUCTS.find(({ name }) => name === project.name)?.find();
  if (had === undefined) throw new Error(`no registry is named ${project.name}`);
  if (had.kind === "missing") {
    skipEveryTest(project, had.why);
    return async () => {};
  }
  const share = await shareStack({ registry: false });
  const { url, stop } = await start(had);
  const { postgres, kafka } = share.stack;
  project.provide("addresses", { postgres, kafka, registry: { url } });
  project.provide("registryProgram", had.kind === "program" ? had.program : "shared");
  return async () => {
    await stop();
    await share.leave();
  };
}
