import { inject } from "vitest";
import type { RegistryProgram } from "../../local/registry.ts";
import { startStack } from "../../local/stack.ts";
import { servers } from "./servers.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Provided by test/registries/setup.ts; `shared` if the registry was not started by this run. */
    readonly registryProgram: RegistryProgram | "shared" | undefined;
  }
}

/**
 * A registry that no other test uses, for a test that deletes subjects for good: in Apicurio, that also removes content
 * that another test is just registering. Of a registry that this run cannot start there is only the shared one.
 */
export async function ownRegistry(): Promise<{ readonly url: string } & AsyncDisposable> {
  const registryProgram = inject("registryProgram");
  if (registryProgram === "shared") return { url: servers.registry.url, [Symbol.asyncDispose]: async () => {} };
  const own = await startStack({ postgres: false, kafka: false, registryProgram });
  return { url: own.registry.url, [Symbol.asyncDispose]: () => own.stop() };
}
