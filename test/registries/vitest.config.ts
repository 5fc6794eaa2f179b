import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { PRODUCTS } from "./products.ts";
import { outcomeReporter } from "./outcome-reporter.ts";

/** What reads a registry's answers, registers, or depends on what the registry accepts. */
const FILES = [
  "backfill",
  "connector-file",
  "contracts",
  "identity",
  "parking",
  "plan",
  "policies",
  "publish",
  "registry",
  "rewritten",
  "stops-and-renames",
  "topics",
  "watch",
  "ways-on",
].map((name) => `test/e2e/${name}.e2e.test.ts`);

const root = join(import.meta.dirname, "../..");

// One project for each registry, run one after the other; `--project apicurio-3.3` runs a single one.
export default defineConfig({
  test: {
    root,
    testTimeout: 240_000,
    hookTimeout: 600_000,
    reporters: ["default", outcomeReporter],
    projects: PRODUCTS.map(({ name }, index) => ({
      extends: true,
      test: {
        name,
        include: ["test/registry/client.e2e.test.ts", ...FILES],
        globalSetup: ["test/registries/setup.ts"],
        maxWorkers: 4,
        sequence: { groupOrder: index + 1 },
      },
    })),
  },
});
