#!/usr/bin/env node
import { createRequire } from "node:module";

import { Command, CommanderError } from "commander";

import { addAmendments } from "./cli/operator/amendments.ts";
import { addCanIRelease } from "./cli/migration/can-i-release.ts";
import { addCheck } from "./cli/check/check.ts";
import { DEFAULT_URL } from "./cli/client.ts";
import { type Terminal, EXIT, type ExitCode } from "./cli/command.ts";
import { addContract } from "./cli/consumer/contract-init.ts";
import { addCoverage } from "./cli/operator/coverage.ts";
import { addExplain } from "./cli/operator/explain.ts";
import { addGate } from "./cli/operator/gate.ts";
import { addPlan } from "./cli/migration/plan.ts";
import { addPublish } from "./cli/consumer/publish.ts";
import { addRetire } from "./cli/consumer/retire.ts";
import { addRules } from "./cli/operator/rules.ts";
import { addRun } from "./cli/operator/run.ts";
import { addSample } from "./cli/consumer/sample.ts";
import { addToken } from "./cli/operator/token.ts";
import { addTrigger } from "./cli/operator/trigger.ts";
import { addCompletion } from "./cli/completion.ts";
import { openScreen } from "./cli/screen.ts";
import { withoutEmpty } from "./config/environment/variables.ts";
import { describeError, GuardError } from "./errors.ts";
import { asOneEntry, visibleLines } from "./visible.ts";

/**
 * The entry point of the `fieldgate` command: builds the program from cli/, handles signals, and turns errors into one
 * message and an exit code.
 */

const interrupt = new AbortController();
/** The exit code for the first signal, for commands other than a service. */
let interruptedAs: ExitCode | undefined;
let isService = false;

/** The first signal asks the command to stop; the second ends the process. */
for (const [signal, code] of [
  ["SIGINT", EXIT.interrupted],
  ["SIGTERM", EXIT.terminated],
] as const) {
  process.on(signal, () => {
    if (interruptedAs !== undefined) process.exit(code);
    interruptedAs = code;
    interrupt.abort();
  });
}
// `fieldgate … | head` closes the pipe early, which is not an error.
process.stdout.on("error", () => process.exit());

// Pipelines pass variables that are not set as empty ones.
const env = withoutEmpty(process.env);
const screen = openScreen(process.stdout, env);
const errorScreen = openScreen(process.stderr, env);
const terminal: Terminal = {
  env,
  variable: (name) => process.env[name],
  cwd: process.cwd(),
  stdin: process.stdin,
  out: (text) => process.stdout.write(`${visibleLines(text)}\n`),
  show: (text) => process.stdout.write(`${screen.fold(text)}\n`),
  warn: (text) => process.stderr.write(`${errorScreen.fold(text)}\n`),
  screen,
  signal: interrupt.signal,
  end: (code) => {
    process.exitCode = code;
  },
  serve: () => {
    isService = true;
  },
};

/** The oldest Node.js that package.json's `engines` allows: major and minor version. */
const OLDEST_NODE = [22, 12] as const;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  const needed = `Node.js ${OLDEST_NODE.join(".")} or later is needed; this is ${process.version}`;
  process.exit(reportError(new GuardError("usage", needed, { next: "install Node.js 24" })));
}

const program = new Command("fieldgate")
  .description("withholds new columns from Kafka events until their consumers are ready")
  .version(String(createRequire(import.meta.url)("../package.json").version))
  .configureHelp({ sortSubcommands: true })
  .configureOutput({
    writeOut: (text) => process.stdout.write(screen.fold(text)),
    writeErr: (text) => process.stderr.write(errorScreen.fold(text)),
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

process.exitCode = EXIT.fine;
await program.parseAsync().catch((error: unknown) => terminal.end(reportError(error)));
if (interruptedAs !== undefined) {
  if (!isService) process.exitCode = interruptedAs;
  // The sender of the signal waits for the process to end, so an open connection must not keep it alive.
  process.exit();
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

/** Prints the error and returns the exit code. Commander has already printed its own errors and help. */
function reportError(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.wrong;
  if (interruptedAs !== undefined) return isService ? EXIT.fine : interruptedAs;
  terminal.warn(asOneEntry(`fieldgate: ${describeError(error)}`));
  return EXIT.wrong;
}
