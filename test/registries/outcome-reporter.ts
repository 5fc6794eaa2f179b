import type { Reporter, TestModule } from "vitest/node";
import { outcomes } from "../stack/outcomes.ts";
import { PRODUCTS } from "./products.ts";

/** Prints one line for each registry after a run. */
export const outcomeReporter: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const lines = PRODUCTS.map(({ name }) => {
      const own = modules.filter(({ project }) => project.name === name);
      const seconds = own.reduce((sum, module) => sum + module.diagnostic().duration, 0) / 1000;
      const tests = own.flatMap((module) => [...module.children.allTests()]);
      return `${name.padEnd(14)}${outcomes(tests)}${seconds < 1 ? "" : ` (${seconds.toFixed(0)} s)`}`;
    });
    process.stdout.write(`\n${lines.join("\n")}\n`);
  },
};
