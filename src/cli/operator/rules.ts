import type { Command } from "commander";

import { type Format, formatOption, type Terminal, textTable, withExamples } from "../command.ts";
import type { Rules } from "../migration/answers.ts";

/** `rules`: what keeps its bytes and changes its meaning, what a library reads unlike Java, and where each is explained. */
export function addRules(program: Command, terminal: Terminal): void {
  const command = program
    .command("rules")
    .description("list the rules about meaning and runtimes: what each finds, how much it weighs, and its page")
    .addOption(formatOption())
    .action(async ({ format }: { readonly format: Format }) => {
      const { CATALOGUE } = await import("../../rules/meaning/meaning.ts");
      const { RUNTIME_RULES } = await import("../../rules/runtime/runtime.ts");
      const rules: Rules = [...CATALOGUE, ...RUNTIME_RULES].map(({ id, severity, problem }) => ({
        id,
        severity,
        problem,
        page: `docs/rules/${id}.md`,
      }));
      terminal.out(
        format === "json"
          ? JSON.stringify(rules, null, 2)
          : textTable(
              ["RULE", "SEVERITY", "PAGE", "PROBLEM"],
              rules.map(({ id, severity, page, problem }) => [id, severity, page, problem]),
            ),
      );
    });
  withExamples(command, "fieldgate rules", "fieldgate rules --format json").addHelpText(
    "after",
    "\nThe severity is that on a field the contract reads; on any other field a finding is a warning. A contract's or a\nconnector's `severity` changes it until a day.",
  );
}
