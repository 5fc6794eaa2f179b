#!/usr/bin/env node
import { EXIT, type ExitCode } from "./cli/command.ts";
import { runCommand } from "./cli/program.ts";

/** The entry point of the `fieldgate` command: runs it in this process, and handles signals. */

const interrupt = new AbortController();
/** The exit code for the first signal, for commands other than a service. */
let interruptedAs: ExitCode | undefined;

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

const { code, isService } = await runCommand(process.argv.slice(2), process, interrupt.signal);
process.exitCode = code;
if (interruptedAs !== undefined) {
  if (!isService) process.exitCode = interruptedAs;
  // The sender of the signal waits for the process to end, so an open connection must not keep it alive.
  process.exit();
}
