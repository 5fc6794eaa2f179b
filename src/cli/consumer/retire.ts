import type { Command } from "commander";

import { clientOf } from "../client.ts";
import { type Format, formatOption, type Terminal, withExamples, EXIT } from "../command.ts";
import { readContracts } from "./contract-file.ts";

interface Options {
  readonly env?: string;
  readonly consumer?: string;
  readonly file?: string;
  readonly format: Format;
}

/** `retire`: a consumer that runs no more asks nobody to wait for it. */
export function addRetire(program: Command, terminal: Terminal): void {
  const command = program
    .command("retire")
    .description("withdraw this repository's contracts from an environment where the consumer runs no more")
    .option("--env <environment>", "the environment; default: the file's own")
    .option("--consumer <name>", "another name than the file's, for a consumer that was renamed")
    .option("--file <path>", "the contract file; default: the nearest fieldgate.yaml upward")
    .addOption(formatOption())
    .action(async ({ env, consumer, file, format }: Options) => {
      const contracts = await readContracts(terminal.cwd, file);
      const client = clientOf(terminal);
      for (const contract of contracts) {
        const named = {
          environment: env ?? contract.environment,
          consumer: consumer ?? contract.consumer,
          topic: contract.topic,
        };
        const { retired, waited } = await client.retireContract(named);
        const text = `${named.consumer} on ${named.topic} in ${named.environment}`;
        if (format === "json") terminal.out(JSON.stringify({ ...named, retired, waited }));
        else terminal.out(retired === 0 ? `no contract: ${text}` : `retired: ${text}${waitedText(waited)}`);
      }
      terminal.end(EXIT.fine);
    });
  withExamples(
    command,
    "fieldgate retire --env production",
    "fieldgate retire --consumer billing-v1 --env production",
  ).addHelpText(
    "after",
    "\nWithdrawn is what was published, also with --rolling-out. A contract that is not there is no fault: exit code 0.",
  );
}

/** What may flow now, if nobody else keeps it back. */
function waitedText(waited: readonly string[]): string {
  return waited.map((id) => `\n  waited for it: ${id}`).join("");
}
