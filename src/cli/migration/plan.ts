import { text } from "node:stream/consumers";

import { type Command, Option } from "commander";

import type { PlanView } from "../../api/plan.ts";
import type { DdlStep } from "../../migration/ddl-step.ts";
import type { MigrationFile } from "../../migration/read.ts";
import { createClient } from "../client.ts";
import { type Terminal, withExamples, EXIT, type ExitCode } from "../command.ts";
import { expandPatterns } from "../patterns.ts";
import { isReady, planMarkdown, planText } from "./plan-text.ts";
import { readText } from "../../text-file.ts";

/**
 * `plan FILE.sql…` parses a migration with PostgreSQL's own grammar. It asks the service what the migration would do to
 * the events, and which consumers would have to be ready first.
 */

type Format = "text" | "json" | "markdown";

export function addPlan(program: Command, terminal: Terminal): void {
  const command = program
    .command("plan")
    .description(
      "show what a migration would do to the events, which consumers are ready for it, and what to deploy first",
    )
    .argument("<files...>", "the migration's SQL files in their order, or a quoted pattern, or - for standard input")
    .addOption(new Option("--format <format>", "output format").choices(["text", "json", "markdown"]).default("text"))
    .action(async (names: readonly string[], { format }: { format: Format }) => {
      const files: MigrationFile[] = [];
      for (const name of withoutUndoing(expandPatterns(terminal.cwd, names)))
        files.push({ name, text: await readSql(terminal, name) });
      const plan = await createClient(terminal).plan(await readSteps(files));
      if (format === "text") terminal.show(planText(plan, terminal.screen));
      else terminal.out(format === "json" ? JSON.stringify(plan, null, 2) : planMarkdown(plan));
      terminal.end(exitOf(plan));
    });
  withExamples(
    command,
    "fieldgate plan migrations/0042-add-zip.sql",
    "fieldgate plan migrations/0042-*.sql migrations/0043-*.sql --format markdown",
    "fieldgate plan - < migration.sql",
  ).addHelpText(
    "after",
    "\nExit code: 0 if every consumer is ready, 100 if one is not or the answer is unknown, 1 if the service could not be asked.",
  );
}

/** Leaves out a file that undoes another one of the list, such as `7.down.sql` beside `7.up.sql`. */
function withoutUndoing(names: readonly string[]): readonly string[] {
  const isUndone = (name: string) => {
    const up = name.replace(/(^|[./_-])down\.sql$/i, "$1up.sql");
    return up !== name && names.includes(up);
  };
  return names.filter((name) => !isUndone(name));
}

async function readSql(terminal: Terminal, file: string): Promise<string> {
  if (file === "-") return text(terminal.stdin);
  return readText(terminal.cwd, file, "give SQL files, or - for standard input");
}

/** Throws `usage` with file, line and column for a syntax error. */
async function readSteps(files: readonly MigrationFile[]): Promise<readonly DdlStep[]> {
  // Imported here because the grammar is 1.7 MB.
  const { loadModule } = await import("libpg-query");
  const { readDdlSteps } = await import("../../migration/read.ts");
  await loadModule();
  return readDdlSteps(files);
}

/** The exit code. Anything unknown counts as not ready. */
function exitOf({ amendments, notes }: PlanView): ExitCode {
  return amendments.every(isReady) && notes.every(({ kind }) => kind === "fine") ? EXIT.fine : EXIT.findings;
}
