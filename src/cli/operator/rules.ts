import type { Command } from "commander";

import { type Format, formatOption, type Terminal, withExamples } from "../command.ts";
import { textTable } from "../fold.ts";
import type { Rules } from "../json-output.ts";

/**
 * `rules`: the semantic rules (same bytes, different meaning) and the runtime rules (a library that differs from Java).
 */
export function addRules(program: Command, terminal: Terminal): void {
  const command = program
    .command("rules")
    .description("list the semantic and runtime rules: what each one finds, its severity and its page")
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
      const rows = rules.map(({ id, severity, page, problem }) => [id, severity, page, problem]);
      if (format === "json") terminal.out(JSON.stringify(rules, null, 2));
      else terminal.show(textTable(["RULE", "SEVERITY", "PAGE", "PROBLEM"], rows, terminal.screen.columns));
    });
  withExamples(command, "fieldgate rules", "fieldgate rules --format json").addHelpText(
    "after",
    "\nThe severity applies to fields that the contract reads; for any other field a finding is a warning. A contract or a\nconnector can override it until a given date with `severity`. The pages are in the fieldgate package.",
  );
}
