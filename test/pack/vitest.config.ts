import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "pack",
    root: import.meta.dirname,
    include: ["pack.ts", "stranger.ts"],
    globalSetup: ["setup.ts", "../stack/setup-stack.ts"],
    testTimeout: 60_000,
    hookTimeout: 600_000,
  },
});
