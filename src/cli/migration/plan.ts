import { text } from "node:stream/consumers";

import { type Command, Option } from "commander";

import { GuardError } from "../../errors.ts";
import type { PlanView } from "../../api/plan.ts";
import type { DdlStep } from "../../migration/ddl-step.ts";
import { createClient } from "../client.ts";
import { type Terminal, withExamples, EXIT, type ExitCode } from "../command.ts";
import { planMarkdown, planText } from "./plan-text.ts";
import { readText } from "../../text-file.ts";

/**
 * `plan FILE.sql` parses a migration with PostgreSQL's own grammar. It asks the service what the migration would do to
 * the events, and which consumers would have to be ready first.
 */

type Format = "text" | "json" | "markdown";

export function addPlan(program: Command, terminal: Terminal): void {
  const command = program
    .command("plan")
    .description(
      "show what a migration would do to the events, which consumers are ready for it, and what to deploy first",
    )
    .argument("<file>", "a migration in SQL, or - for standard input")
    .addOption(new Option("--format <format>", "output format").choices(["text", "json", "markdown"]).default("text"))
    .action(async (file: string, { format }: { format: Format }) => {
      const steps = await readSteps(await readSql(terminal, file), file);
      const plan = await createClient(terminal).plan(steps);
      terminal.out(render(plan, format));
      terminal.end(exitOf(plan));
    });
  withExamples(
    command,
    "fieldgate plan migrations/0042-add-zip.sql",
    "cat migrations/*.sql | fieldgate plan - --format markdown",
  ).addHelpText(
    "after",
    "\nExit code: 0 if every consumer is ready, 100 if one is not or the answer is unknown, 1 if the service could not be asked.",
  );
}

async function readSql(terminal: Terminal, file: string): Promise<string> {
  if (file === "-") return text(terminal.stdin);
  return readText(terminal.cwd, file, "give an SQL file, or - for standard input");
}

/** Throws `usage` with line and column for a syntax error. */
async function readSteps(sql: string, file: string): Promise<readonly DdlStep[]> {
  // Imported here because the grammar is 1.7 MB.
  const { hasSqlDetails, loadModule, parseSync } = await import("libpg-query");
  const { readDdlSteps } = await import("../../migration/read.ts");
  if (sql.trim() === "") return [];
  await loadModule();
  try {
    return readDdlSteps(sql, parseSync(sql));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const place = hasSqlDetails(error) ? placeOf(sql, error.sqlDetails?.cursorPosition ?? 0) : "";
    throw new GuardError("usage", `${file}${place}: ${error.message}`, {
      next: "remove psql commands such as \\set and \\copy, which are not SQL",
      cause: error,
    });
  }
}

function placeOf(sql: string, at: number): string {
  const lines = sql.slice(0, at).split("\n");
  return `:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

function render(plan: PlanView, format: Format): string {
  switch (format) {
    case "json":
      return JSON.stringify(plan, null, 2);
    case "markdown":
      return planMarkdown(plan);
    case "text":
      return planText(plan);
    default:
      return format satisfies never;
  }
}

/** The exit code. Anything unknown counts as not ready. */
function exitOf({ amendments, notes }: PlanView): ExitCode {
  const isReady = amendments.every(
    ({ flows, verdicts }) => flows && verdicts.every(({ verdict }) => verdict === "ready"),
  );
  return isReady && notes.every(({ kind }) => kind === "fine") ? EXIT.fine : EXIT.findings;
}
