import { type Command, Option } from "commander";

import { RELEASE_POLICIES, type ReleasePolicy } from "../../gate/decision/policy.ts";
import { createClient } from "../client.ts";
import { type Terminal, withExamples, EXIT } from "../command.ts";

interface Options {
  readonly policy?: ReleasePolicy;
  readonly format: "text" | "json" | "markdown";
}

/** `coverage`: which group reads which topic, and which contract names it. */
export function addCoverage(program: Command, terminal: Terminal): void {
  const command = program
    .command("coverage")
    .description("show which groups read each topic, and which contracts name them")
    .addOption(
      new Option("--policy <policy>", "also show what this release policy would have done with each amendment").choices(
        RELEASE_POLICIES,
      ),
    )
    .addOption(new Option("--format <format>", "output format").choices(["text", "json", "markdown"]).default("text"))
    .action(async ({ policy, format }: Options) => {
      const view = await createClient(terminal).coverage({ policy });
      const { coverageJson, coverageMarkdown, coverageText } = await import("./coverage-text.ts");
      const print = { text: coverageText, json: coverageJson, markdown: coverageMarkdown }[format];
      terminal.out(print(view));
      terminal.end(view.complete ? EXIT.fine : EXIT.findings);
    });
  withExamples(command, "fieldgate coverage", "fieldgate coverage --policy strict --format markdown").addHelpText(
    "after",
    "\nExit code: 0 if a contract names every live group and no contract is stale, otherwise 100.",
  );
}
