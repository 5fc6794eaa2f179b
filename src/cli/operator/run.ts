import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";

import { type Terminal, withExamples, EXIT } from "../command.ts";

/** Asked to end, it waits so long for what is under way. Whoever asked (Docker, Kubernetes) kills after 10 s or more. */
const END_MS = 9_000;

/** `run`: the service. What it is made of is loaded here only, so that the other commands stay light. */
export function addRun(program: Command, terminal: Terminal): void {
  const command = program
    .command("run")
    .description("run the service: follow the databases of connectors/ and publish their changes")
    .action(async () => {
      terminal.serve();
      const { run } = await import("../../service/service.ts");
      await Promise.race([run(terminal.signal), tooLate(terminal)]);
      terminal.end(EXIT.fine);
    });
  withExamples(
    command,
    "FIELDGATE_KAFKA_BROKERS=localhost:9092 FIELDGATE_REGISTRY_URL=http://localhost:8081 fieldgate run",
  ).addHelpText(
    "after",
    [
      "\nSettings come from the environment and connectors/*.json: docs/configuration.md lists them.",
      "SIGTERM or Ctrl-C finishes the open batch and ends within 10 s with exit code 0; a second one ends at once.",
    ].join("\n"),
  );
}

/** Resolves when the service was asked to end and has not. What it did not commit is done again by the next start. */
async function tooLate(terminal: Terminal): Promise<void> {
  const { signal } = terminal;
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await sleep(END_MS);
  terminal.warn(
    `fieldgate: something did not answer for ${END_MS / 1000} s and is left; the next start goes on after the last commit`,
  );
}
