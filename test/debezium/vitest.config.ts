import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../..");

// The first run on a machine downloads Debezium, before any server is started.
export default defineConfig({
  test: {
    name: "debezium",
    root,
    include: ["test/debezium/*.e2e.test.ts"],
    globalSetup: ["test/debezium/setup.ts", "test/stack/setup-stack.ts"],
    maxWorkers: 1,
    testTimeout: 240_000,
    hookTimeout: 400_000,
  },
});
