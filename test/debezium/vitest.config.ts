import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../..");

// The first run of a machine fetches Debezium.
export default defineConfig({
  test: {
    name: "debezium",
    root,
    include: ["test/debezium/*.e2e.test.ts"],
    globalSetup: ["test/stack/setup-stack.ts"],
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 600_000,
  },
});
