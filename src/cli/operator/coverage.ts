import { type Command, Option } from "commander";

import type { ReleasePolicy } from "../../gate/decision/policy.ts";
import { coveragePolicy } from "../../api/coverage.ts";
import { clientOf } from "../client.ts";
import { type Terminal, withExamples, EXIT } from "../command.ts";

interface Options {
  readonly policy?: ReleasePolicy;
  readonly format: "text" | "json" | "markdown";
}

/** `coverage`: which live group reads which topic, and which contract names it. */
export function addCoverage(program: Command, terminal: Terminal): void {
  const command = program
    .command("coverage")
    .description("show who reads each topic, and which contract names them")
    .addOption(
      new Option("--policy <policy>", "and what this policy would have done with each amendment").choices(
        coveragePolicy.options,
      ),
    )
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json", "markdown"]).default("text"))
    .action(async ({ policy, format }: Options) => {
      const view = await clientOf(terminal).coverage({ policy });
      const { coverageJson, coverageMarkdown, coverageText } = await import("./coverage-text.ts");
      const print = { text: coverageText, json: coverageJson, markdown: coverageMarkdown }[format];
      terminal.out(print(view));
      terminal.end(view.complete ? EXIT.fine : EXIT.findings);
    });
  withExamples(command, "fieldgate coverage", "fieldgate coverage --policy strict --format markdown").addHelpText(
    "after",
    "\nExits 0 when every live group is named by a contract and no contract is stale, 100 otherwise.",
  );
}
