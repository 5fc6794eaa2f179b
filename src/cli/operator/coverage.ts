import { type Command, Option } from "commander";

import { RELEASE_POLICIES, type ReleasePolicy } from "../../gate/decision/policy.ts";
import { createClient } from "../client.ts";
import { listOption, type Terminal, withExamples, EXIT } from "../command.ts";

interface Options {
  readonly topic: readonly string[];
  readonly policy?: ReleasePolicy;
  readonly format: "text" | "json" | "markdown";
}

/** `coverage`: which group reads which topic, and which contract names it. */
export function addCoverage(program: Command, terminal: Terminal): void {
  const command = program
    .command("coverage")
    .description("show which groups read each topic, and which contracts name them")
    .addOption(listOption("--topic <topic>", "only this topic", "every topic"))
    .addOption(
      new Option("--policy <policy>", "also show what this release policy would have done with each amendment").choices(
        RELEASE_POLICIES,
      ),
    )
    .addOption(new Option("--format <format>", "output format").choices(["text", "json", "markdown"]).default("text"))
    .action(async ({ topic, policy, format }: Options) => {
      const answer = await createClient(terminal).coverage({ policy });
      const { ofTopics } = await import("./coverage-topics.ts");
      const view = ofTopics(answer, topic);
      const { coverageJson, coverageMarkdown, coverageText } = await import("./coverage-text.ts");
      if (format === "text") terminal.show(coverageText(view, terminal.screen));
      else terminal.out(format === "json" ? coverageJson(view) : coverageMarkdown(view));
      terminal.end(view.complete ? EXIT.fine : EXIT.findings);
    });
  withExamples(
    command,
    "fieldgate coverage",
    "fieldgate coverage --topic inventory.public.customers --topic inventory.public.orders",
    "fieldgate coverage --policy strict --format markdown",
  ).addHelpText(
    "after",
    "\nExit code: 0 if a contract names every live group and no contract is stale, otherwise 100.",
  );
}
