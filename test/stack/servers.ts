import { inject } from "vitest";
import type { Addresses } from "../../local/environment.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Provided by setup-postgres.ts and setup-stack.ts. */
    readonly addresses: Partial<Addresses>;
  }
}

function given<Part extends keyof Addresses>(part: Part): Addresses[Part] {
  const address = inject("addresses")[part];
  if (address === undefined) throw new Error(`only test files named .e2e.test.ts have ${part}`);
  return address;
}

/** The servers that all test files share. A test that stops or pauses servers starts its own with `startStack`. */
export const servers: Addresses = {
  get postgres() {
    return given("postgres");
  },
  get kafka() {
    return given("kafka");
  },
  get registry() {
    return given("registry");
  },
};
