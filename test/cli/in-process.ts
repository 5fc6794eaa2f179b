import { Readable } from "node:stream";

import type { Command } from "commander";

import type { Terminal } from "../../src/cli/command.ts";
import { createProgram, runCommand } from "../../src/cli/program.ts";
import { openScreen } from "../../src/cli/screen.ts";
import { type CliOptions, type CliRun, inherited } from "./run-cli.ts";

/**
 * The commands in this process, for most tests of the command line: a process for each run would take a third of a
 * second. `runCli` runs the real command line, as tests of signals, terminals and real pipes need it.
 */

/** Runs a command as `runCli` does, with the same variables. */
export async function runHere(
  args: readonly string[],
  options: Pick<CliOptions, "env" | "cwd" | "input"> = {},
): Promise<CliRun> {
  let out = "";
  let err = "";
  const around = {
    env: { ...inherited(), ...options.env },
    cwd: () => options.cwd ?? process.cwd(),
    stdin: Readable.from(options.input === undefined ? [] : [options.input]),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  const { code } = await runCommand(args, around, new AbortController().signal);
  return { code, out, err };
}

/** The commands that people may run, by their names: `amendments show`. */
export function commandsByName(): ReadonlyMap<string, Command> {
  const found = new Map<string, Command>();
  const visit = (command: Command, path: readonly string[]): void => {
    const name = path.join(" ");
    if (!/^(?:|contract|token|trigger|__complete)$/.test(name)) found.set(name, command);
    for (const inner of command.commands) visit(inner, [...path, inner.name()]);
  };
  visit(createProgram(SILENT, { stdout: { write: () => {} }, stderr: { write: () => {} } }), []);
  return found;
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
