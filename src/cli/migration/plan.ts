import { text } from "node:stream/consumers";

import { type Command, Option } from "commander";

import { GuardError } from "../../errors.ts";
import type { PlanView } from "../../api/plan.ts";
import type { DdlStep } from "../../migration/ddl-step.ts";
import { clientOf } from "../client.ts";
import { type Terminal, withExamples, EXIT, type ExitCode } from "../command.ts";
import { planMarkdown, planText } from "./plan-text.ts";
import { readText } from "../../text-file.ts";

type Format = "text" | "json" | "markdown";

/** `plan FILE.sql|-`: the owner of a database asks who would have to be ready for a migration. */
export function addPlan(program: Command, terminal: Terminal): void {
  const command = program
    .command("plan")
    .description("say what a migration would do to the events, who is ready for it, and what to deploy first")
    .argument("<file>", "a migration in SQL, or - for standard input")
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json", "markdown"]).default("text"))
    .action(async (file: string, { format }: { format: Format }) => {
      const steps = await readSteps(await readSql(terminal, file), file);
      const plan = await clientOf(terminal).plan(steps);
      terminal.out(shown(plan, format));
      terminal.end(exitOf(plan));
    });
  withExamples(
    command,
    "fieldgate plan migrations/0042-add-zip.sql",
    "cat migrations/*.sql | fieldgate plan - --format markdown",
  ).addHelpText(
    "after",
    "\nExits 0 when everyone is ready, 100 when someone is not or it cannot be told, 1 when it cannot be asked.",
  );
}

async function readSql(terminal: Terminal, file: string): Promise<string> {
  if (file === "-") return text(terminal.stdin);
  return readText(terminal.cwd, file, "name a file of SQL, or - for standard input");
}

/** Parsed by PostgreSQL's own grammar. Throws `usage` with line and column of what is no SQL. */
async function readSteps(sql: string, file: string): Promise<readonly DdlStep[]> {
  // The grammar is 1.7 MB: only this command loads it.
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
      next: "psql's own commands (\\set, \\copy) are no SQL: leave them out",
      cause: error,
    });
  }
}

function placeOf(sql: string, at: number): string {
  const lines = sql.slice(0, at).split("\n");
  return `:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

function shown(plan: PlanView, format: Format): string {
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

/** Whatever cannot be told counts as not ready. */
function exitOf({ amendments, notes }: PlanView): ExitCode {
  const isReady = amendments.every(
    ({ flows, verdicts }) => flows && verdicts.every(({ verdict }) => verdict === "ready"),
  );
  return isReady && notes.every(({ kind }) => kind === "fine") ? EXIT.fine : EXIT.findings;
}
