import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { VERSIONS } from "./binaries.ts";
import { tableReporter } from "./table-reporter.ts";

const root = join(import.meta.dirname, "../..");

// One project for each version of PostgreSQL, run one after the other; `--project postgres-16` runs a single one.
export default defineConfig({
  test: {
    root,
    testTimeout: 60_000,
    hookTimeout: 600_000,
    reporters: ["default", tableReporter],
    projects: Object.keys(VERSIONS).map((major, index) => ({
      extends: true,
      test: {
        name: `postgres-${major}`,
        include: ["test/versions/situations.ts", "test/postgres/trigger*.pg.test.ts"],
        globalSetup: ["test/versions/setup.ts"],
        maxWorkers: 2,
        sequence: { groupOrder: index + 1 },
      },
    })),
  },
});
