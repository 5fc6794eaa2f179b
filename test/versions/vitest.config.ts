import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { VERSIONS } from "./binaries.ts";
import { tableReporter } from "./table-reporter.ts";

/** What the catalog, chunks and the publication show, which differs from version to version. */
const CATALOG = [
  "captured",
  "catalog",
  "chunk",
  "look",
  "look-identity",
  "publication",
  "row-count",
  "row-security",
  "slot",
  "stream",
  "trigger",
  "trigger-cli",
  "trigger-trust",
].map((name) => `test/postgres/${name}.pg.test.ts`);

/** What becomes of values, columns, keys and tables that change, with the real service. */
const TABLES = ["backfill", "exclusions", "identity", "partly-sent", "rewritten", "sent"].map(
  (name) => `test/e2e/${name}.e2e.test.ts`,
);

const root = join(import.meta.dirname, "../..");

// One project for each version of PostgreSQL, run one after the other; `--project postgres-16` runs a single one.
export default defineConfig({
  test: {
    root,
    testTimeout: 120_000,
    hookTimeout: 600_000,
    reporters: ["default", tableReporter],
    projects: Object.keys(VERSIONS).map((major, index) => ({
      extends: true,
      test: {
        name: `postgres-${major}`,
        include: ["test/versions/situations.ts", "test/versions/dropped-publication.ts", ...CATALOG, ...TABLES],
        globalSetup: ["test/versions/setup.ts"],
        maxWorkers: 2,
        sequence: { groupOrder: index + 1 },
      },
    })),
  },
});
