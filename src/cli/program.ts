import { createRequire } from "node:module";

import { Command, CommanderError } from "commander";

import { withoutEmpty } from "../config/environment/variables.ts";
import { describeError, GuardError } from "../errors.ts";
import { asOneEntry, visibleLines } from "../visible.ts";
import { DEFAULT_URL } from "./client.ts";
import { EXIT, type ExitCode, type Terminal } from "./command.ts";
import { openScreen, type Output } from "./screen.ts";
import { addAmendments } from "./operator/amendments.ts";
import { addCanIRelease } from "./migration/can-i-release.ts";
import { addCheck } from "./check/check.ts";
import { addContract } from "./consumer/contract-init.ts";
import { addCoverage } from "./operator/coverage.ts";
import { addExplain } from "./operator/explain.ts";
import { addGate } from "./operator/gate.ts";
import { addPlan } from "./migration/plan.ts";
import { addPublish } from "./consumer/publish.ts";
import { addRetire } from "./consumer/retire.ts";
import { addRules } from "./operator/rules.ts";
import { addRun } from "./operator/run.ts";
import { addSample } from "./consumer/sample.ts";
import { addToken } from "./operator/token.ts";
import { addTrigger } from "./operator/trigger.ts";
import { addCompletion } from "./completion.ts";

/**
 * The `fieldgate` command line as a whole: all commands, and how an error becomes one message and an exit code.
 */

/** Where a command runs: `process` has all of it but the signal. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: () => string;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Output & { write(text: string): unknown };
  readonly stderr: Output & { write(text: string): unknown };
}

export interface Ended {
  readonly code: ExitCode;
  /** Whether the command was a service, which a signal ends normally. */
  readonly isService: boolean;
}

/**
 * Runs one command to its end, and prints its error, if there is one. After the signal has aborted, an error is the
 * signal's doing and is not printed.
 */
export async function runCommand(args: readonly string[], around: Surroundings, signal: AbortSignal): Promise<Ended> {
  let code: ExitCode = EXIT.fine;
  let isService = false;
  const terminal = openTerminal(around, signal, { end: (as) => (code = as), serve: () => (isService = true) });
  try {
    refuseOldNode();
    await createProgram(terminal, around).parseAsync([...args], { from: "user" });
  } catch (error) {
    // Commander has already printed its own errors and help.
    if (error instanceof CommanderError) code = error.exitCode === 0 ? EXIT.fine : EXIT.wrong;
    else if (signal.aborted) code = EXIT.fine;
    else {
      terminal.warn(asOneEntry(`fieldgate: ${describeError(error)}`));
      code = EXIT.wrong;
    }
  }
  return { code, isService };
}

function openTerminal(around: Surroundings, signal: AbortSignal, ended: Pick<Terminal, "end" | "serve">): Terminal {
  // Pipelines pass variables that are not set as empty ones.
  const env = withoutEmpty(around.env);
  const screen = openScreen(around.stdout, env);
  const errorScreen = openScreen(around.stderr, env);
  return {
    ...ended,
    env,
    variable: (name) => around.env[name],
    cwd: around.cwd(),
    stdin: around.stdin,
    out: (text) => around.stdout.write(`${visibleLines(text)}\n`),
    show: (text) => around.stdout.write(`${screen.fold(text)}\n`),
    warn: (text) => around.stderr.write(`${errorScreen.fold(text)}\n`),
    screen,
    signal,
  };
}

/** The oldest Node.js that package.json's `engines` allows: major and minor version. */
const OLDEST_NODE = [22, 12] as const;

function refuseOldNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  const needed = `Node.js ${OLDEST_NODE.join(".")} or later is needed; this is ${process.version}`;
  throw new GuardError("usage", needed, { next: "install Node.js 24" });
}

/** All commands, with what they print folded for the streams. */
export function createProgram(
  terminal: Terminal,
  { stdout, stderr }: Pick<Surroundings, "stdout" | "stderr">,
): Command {
  const errorScreen = openScreen(stderr, terminal.env);
  const program = new Command("fieldgate")
    .description("withholds new columns from Kafka events until their consumers are ready")
    .version(String(createRequire(import.meta.url)("../../package.json").version))
    .configureHelp({ sortSubcommands: true })
    .configureOutput({
      writeOut: (text) => stdout.write(terminal.screen.fold(text)),
      writeErr: (text) => stderr.write(errorScreen.fold(text)),
    })
    .showHelpAfterError("(see --help)")
    .addHelpText(
      "after",
      `
For a consumer's repository: contract init, check, publish, retire. For the owner of a table: plan, can-i-release.
Commands call the service at FIELDGATE_URL (default: ${DEFAULT_URL}) with FIELDGATE_TOKEN.`,
    )
    .exitOverride();
  addRun(program, terminal);
  addCheck(program, terminal);
  addPublish(program, terminal);
  addRetire(program, terminal);
  addCanIRelease(program, terminal);
  addContract(program, terminal);
  addPlan(program, terminal);
  addAmendments(program, terminal);
  addGate(program, terminal);
  addCoverage(program, terminal);
  addSample(program, terminal);
  addExplain(program, terminal);
  addRules(program, terminal);
  addToken(program, terminal);
  addTrigger(program, terminal);
  addCompletion(program, terminal);
  refuseRepeated(program);
  return program;
}

/** A second value would silently replace the first, unless the option collects its values in a list. */
function refuseRepeated(command: Command): void {
  for (const option of command.options) {
    let given = false;
    command.on(`option:${option.name()}`, () => {
      const isList = Array.isArray(command.getOptionValue(option.attributeName()));
      if (given && !isList && !option.isBoolean())
        command.error(`error: option '${option.flags}' may be given only once`);
      given = true;
    });
  }
  command.commands.forEach(refuseRepeated);
}
