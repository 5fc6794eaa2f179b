import { defineConfig } from "vitest/config";

// What a test file's name says it needs: .test.ts no server, .pg.test.ts PostgreSQL, .e2e.test.ts the whole stack,
// .slow.e2e.test.ts the same and patience: servers that die and come back (`npm run test:slow`).
const POSTGRES = "test/**/*.pg.test.ts";
const STACK = "test/**/*.e2e.test.ts";
const SLOW = "test/**/*.slow.e2e.test.ts";
// A run of its own, beside a real Debezium: `npm run test:debezium`.
const DEBEZIUM = "test/debezium/**";

// More files at a time than cores: much of their time is waiting.
const WAITING_WORKERS = 6;

// A project's servers are started only when one of its files is run. One group after the other.
export default defineConfig({
  test: {
    testTimeout: 240_000,
    hookTimeout: 240_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [POSTGRES, STACK],
          // Without this, one core would be left idle.
          maxWorkers: "100%",
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "postgres",
          include: [POSTGRES],
          globalSetup: ["test/stack/setup-postgres.ts"],
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "stack",
          include: [STACK],
          exclude: [SLOW, DEBEZIUM],
          globalSetup: ["test/stack/setup-stack.ts"],
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "slow",
          include: [SLOW],
          globalSetup: ["test/stack/setup-stack.ts"],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 300_000,
        },
      },
    ],
  },
});
