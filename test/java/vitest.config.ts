import { defineConfig } from "vitest/config";

// Compares our rules with Avro's own Java library. Needs a JDK and, the first time, Maven.
export default defineConfig({
  test: {
    name: "java",
    root: import.meta.dirname,
    include: ["{compatibility,certainty}.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
