import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";

import { GuardError } from "../../errors.ts";
import { type Terminal, withExamples, EXIT } from "../command.ts";
import { page } from "../../page.ts";

/** How long a stopping service waits for work in progress. Docker and Kubernetes kill it after 10 s or more. */
const END_MS = 9_000;

/** `run`: the service. Its modules are imported only here, so that other commands start fast. */
export function addRun(program: Command, terminal: Terminal): void {
  const command = program
    .command("run")
    .description("run the service: publish the changes of the databases that connectors/ describes")
    .action(async () => {
      if (typeof AsyncDisposableStack === "undefined") {
        throw new GuardError("usage", `the service needs Node.js 24 or later; this is ${process.version}`, {
          next: "install Node.js 24, or use the container image; all other commands run on Node.js 22.12 and later",
        });
      }
      terminal.serve();
      const { run } = await import("../../service/service.ts");
      await Promise.race([run(terminal.signal), warnWhenLate(terminal)]);
      terminal.end(EXIT.fine);
    });
  withExamples(
    command,
    "FIELDGATE_KAFKA_BROKERS=localhost:9092 FIELDGATE_REGISTRY_URL=http://localhost:8081 fieldgate run",
  ).addHelpText(
    "after",
    [
      `\nConfigured by environment variables and connectors/*.json (${page("configuration.md")}).`,
      "On SIGTERM or Ctrl-C it finishes the open batch and exits with 0 within 10 s; a second signal exits at once.",
    ].join("\n"),
  );
}

/**
 * Prints a warning if the process is still running END_MS after the signal. Uncommitted work is repeated at the next
 * start.
 */
async function warnWhenLate(terminal: Terminal): Promise<void> {
  const { signal } = terminal;
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await sleep(END_MS);
  terminal.warn(
    `fieldgate: exiting although something has not answered for ${END_MS / 1000} s; the next start resumes after the last commit`,
  );
}
