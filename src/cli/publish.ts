import type { Command } from "commander";

import { clientOf } from "./client.ts";
import { type Format, formatOption, type Terminal, withExamples } from "./command.ts";
import { readContracts } from "./contract-file.ts";
import { EXIT } from "./exit.ts";

interface Options {
  readonly env?: string;
  readonly file?: string;
  readonly rollingOut?: true;
  readonly format: Format;
}

/** `publish`: a deploy's last step, when no older version runs. */
export function addPublish(program: Command, terminal: Terminal): void {
  const command = program
    .command("publish")
    .description("publish this repository's contracts as what runs in an environment now; replaces the ones before")
    .option("--env <environment>", "the environment; default: the file's own")
    .option("--rolling-out", "beside what is deployed: both count until the next publish without this")
    .option("--file <path>", "the contract file; default: the nearest fieldgate.yaml upward")
    .addOption(formatOption())
    .action(async ({ env, file, format, rollingOut }: Options) => {
      const contracts = await readContracts(terminal.cwd, file);
      const client = clientOf(terminal);
      for (const contract of contracts) {
        const published = env === undefined ? contract : { ...contract, environment: env };
        await (rollingOut ? client.publishRollingOut(published) : client.publishContract(published));
        const { consumer, environment, topic } = published;
        terminal.out(
          format === "json"
            ? JSON.stringify({ published: { consumer, environment, topic }, rollingOut: rollingOut === true })
            : `published: ${consumer} reads ${topic} in ${environment}${rollingOut ? ", beside what is deployed" : ""}`,
        );
      }
      terminal.end(EXIT.fine);
    });
  withExamples(command, "fieldgate publish --env production", "fieldgate publish --env production --rolling-out");
}
