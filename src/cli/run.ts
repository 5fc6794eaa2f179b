import type { Command } from "commander";

import { type Terminal, withExamples } from "./command.ts";
import { EXIT } from "./exit.ts";

/** `run`: the service. What it is made of is loaded here only, so that the other commands stay light. */
export function addRun(program: Command, terminal: Terminal): void {
  const command = program
    .command("run")
    .description("run the service: follow the databases of connectors/ and publish their changes")
    .action(async () => {
      const { run } = await import("../main.ts");
      await run(terminal.signal);
      terminal.end(EXIT.fine);
    });
  withExamples(
    command,
    "FIELDGATE_KAFKA_BROKERS=localhost:9092 FIELDGATE_REGISTRY_URL=http://localhost:8081 fieldgate run",
  ).addHelpText(
    "after",
    "\nSettings come from the environment and connectors/*.json: docs/configuration.md lists them.",
  );
}
