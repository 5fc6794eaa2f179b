import { Readable } from "node:stream";

import { Command, CommanderError } from "commander";

import { addCheck } from "../../src/cli/check/check.ts";
import { addCompletion } from "../../src/cli/completion.ts";
import { EXIT, type Terminal } from "../../src/cli/command.ts";
import { addContract } from "../../src/cli/consumer/contract-init.ts";
import { addPublish } from "../../src/cli/consumer/publish.ts";
import { addRetire } from "../../src/cli/consumer/retire.ts";
import { addSample } from "../../src/cli/consumer/sample.ts";
import { addCanIRelease } from "../../src/cli/migration/can-i-release.ts";
import { addPlan } from "../../src/cli/migration/plan.ts";
import { addAmendments } from "../../src/cli/operator/amendments.ts";
import { addCoverage } from "../../src/cli/operator/coverage.ts";
import { addExplain } from "../../src/cli/operator/explain.ts";
import { addGate } from "../../src/cli/operator/gate.ts";
import { addRules } from "../../src/cli/operator/rules.ts";
import { addRun } from "../../src/cli/operator/run.ts";
import { addToken } from "../../src/cli/operator/token.ts";
import { addTrigger } from "../../src/cli/operator/trigger.ts";
import { openScreen } from "../../src/cli/screen.ts";
import { describeError } from "../../src/errors.ts";

/**
 * The commands in this process, for tests that need their options or many of their exit codes: a process for each run
 * would take a third of a second. `runCli` runs the real command line.
 */

/** Every part of the command line that src/cli.ts adds. */
export const ADDED = {
  addAmendments,
  addCanIRelease,
  addCheck,
  addCompletion,
  addContract,
  addCoverage,
  addExplain,
  addGate,
  addPlan,
  addPublish,
  addRetire,
  addRules,
  addRun,
  addSample,
  addToken,
  addTrigger,
} as const;

function programOf(terminal: Terminal): Command {
  const program = new Command("fieldgate").exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const add of Object.values(ADDED)) add(program, terminal);
  return program;
}

const SILENT: Terminal = {
  env: {},
  variable: () => undefined,
  cwd: ".",
  stdin: Readable.from([]),
  out: () => {},
  show: () => {},
  screen: openScreen({}, {}),
  warn: () => {},
  signal: new AbortController().signal,
  end: () => {},
  serve: () => {},
};

/** The commands that people may run, by their names: `amendments show`. */
export function commandsByName(): ReadonlyMap<string, Command> {
  const found = new Map<string, Command>();
  const visit = (command: Command, path: readonly string[]): void => {
    const name = path.join(" ");
    if (!/^(?:|contract|token|trigger|__complete)$/.test(name)) found.set(name, command);
    for (const inner of command.commands) visit(inner, [...path, inner.name()]);
  };
  visit(programOf(SILENT), []);
  return found;
}

/** The command's exit code, as src/cli.ts would set it. */
export async function exitCodeOf(
  args: readonly string[],
  given: Pick<Terminal, "env" | "cwd"> & { readonly input?: string | undefined },
): Promise<{ readonly code: number; readonly text: string }> {
  let code: number = EXIT.fine;
  let text = "";
  const { env, cwd, input } = given;
  const stdin = Readable.from(input === undefined ? [] : [input]);
  const out = (line: string) => void (text += `${line}\n`);
  const terminal: Terminal = {
    ...SILENT,
    env,
    cwd,
    stdin,
    out,
    show: out,
    warn: out,
    end: (ended) => void (code = ended),
  };
  try {
    await programOf(terminal).parseAsync([...args], { from: "user" });
  } catch (error) {
    const isFine = error instanceof CommanderError && error.exitCode === 0;
    return { code: isFine ? EXIT.fine : EXIT.wrong, text: `${text}${describeError(error)}` };
  }
  return { code, text };
}
