import type { Command } from "commander";

import { clientOf } from "./client.ts";
import { type Format, formatOption, type Terminal, withExamples } from "./command.ts";
import { readContracts } from "./contract-file.ts";
import { EXIT } from "./exit.ts";

/** `publish`: a deploy's last step, when no older version runs. */
export function addPublish(program: Command, terminal: Terminal): void {
  const command = program
    .command("publish")
    .description("publish this repository's contracts as what runs in an environment now; replaces the ones before")
    .option("--env <environment>", "the environment; default: the file's own")
    .option("--file <path>", "the contract file; default: the nearest fieldgate.yaml upward")
    .addOption(formatOption())
    .action(async ({ env, file, format }: { env?: string; file?: string; format: Format }) => {
      const contracts = await readContracts(terminal.cwd, file);
      const client = clientOf(terminal);
      for (const contract of contracts) {
        const published = env === undefined ? contract : { ...contract, environment: env };
        await client.publishContract(published);
        const { consumer, environment, topic } = published;
        terminal.out(
          format === "json"
            ? JSON.stringify({ published: { consumer, environment, topic } })
            : `published: ${consumer} reads ${topic} in ${environment}`,
        );
      }
      terminal.end(EXIT.fine);
    });
  withExamples(command, "fieldgate publish --env production");
}
