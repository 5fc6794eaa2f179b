import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "pack",
    root: import.meta.dirname,
    include: ["pack.ts", "stranger.ts"],
    globalSetup: ["setup.ts", "../stack/setup-stack.ts"],
    // One of the tests measures how long a command takes.
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
