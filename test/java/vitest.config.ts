import { defineConfig } from "vitest/config";

// Ours against Avro's own Java library: needs a JDK and, the first time, Maven.
export default defineConfig({
  test: {
    name: "java",
    root: import.meta.dirname,
    include: ["{compatibility,certainty}.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
