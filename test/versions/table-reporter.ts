import type { Reporter, TestCase, TestModule } from "vitest/node";
import { outcomes } from "../stack/outcomes.ts";
import { VERSIONS } from "./binaries.ts";
import { SITUATIONS } from "./situation.ts";

/** Prints a table of versions and situations, with the seconds that the tests of each version took, after a run. */
export const tableReporter: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const head = ["PostgreSQL", ...SITUATIONS.map(({ name }) => name), "other tests", "seconds"];
    const rows = Object.values(VERSIONS).map((version) => {
      const own = modules.filter((module) => module.project.name === `postgres-${version.split(".")[0]}`);
      const tests = own.flatMap((module) => [...module.children.allTests()]);
      const cells = SITUATIONS.map(({ name }) => outcomes(tests.filter((test) => situationOf(test) === name)));
      const others = own.filter((module) => !module.moduleId.endsWith("situations.ts"));
      const seconds = own.reduce((sum, module) => sum + module.diagnostic().duration, 0) / 1000;
      const rest = outcomes(others.flatMap((module) => [...module.children.allTests()]));
      return [version.split("-")[0] ?? "", ...cells, rest, seconds.toFixed(0)];
    });
    const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)));
    const line = (row: readonly string[]) => row.map((text, at) => text.padEnd(widths[at] ?? 0)).join("  ");
    process.stdout.write(`\n${[head, ...rows].map(line).join("\n")}\n`);
  },
};

function situationOf(test: TestCase): string | undefined {
  return test.parent.type === "suite" ? test.parent.name : undefined;
}
