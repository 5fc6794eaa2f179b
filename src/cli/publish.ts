import type { Command } from "commander";

import type { Contract } from "../contract/contract.ts";
import { GuardError } from "../errors.ts";
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
      const contracts = await inEnvironment(await readContracts(terminal.cwd, file), env);
      const client = clientOf(terminal);
      for (const [done, contract] of contracts.entries()) {
        const sent = rollingOut ? client.publishRollingOut(contract) : client.publishContract(contract);
        await sent.catch((error: unknown) => {
          throw done === 0 ? error : unfinished(contracts, done, error);
        });
        const { consumer, environment, topic } = contract;
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

/** Kafka takes a record of 1 MiB, with its key and head; so does the service a request. */
const MAX_BYTES = 1_000_000;

/** All are checked as the service checks them before any is sent: half a file is never published. */
async function inEnvironment(contracts: readonly Contract[], env: string | undefined): Promise<readonly Contract[]> {
  const { parseContract } = await import("../contract/contract.ts");
  return contracts.map((contract) => {
    const checked = parseContract(env === undefined ? contract : { ...contract, environment: env });
    const bytes = Buffer.byteLength(JSON.stringify(checked));
    if (bytes <= MAX_BYTES) return checked;
    throw new GuardError("contract-invalid", `the contract of ${contract.topic} has ${bytes} bytes, of ${MAX_BYTES}`, {
      next: "take out of its schema what the consumer does not read",
    });
  });
}

/** The service went away in between. What is published is right; publishing it again changes nothing. */
function unfinished(contracts: readonly Contract[], done: number, error: unknown): unknown {
  if (!(error instanceof GuardError)) return error;
  const left = contracts.slice(done).map(({ topic }) => topic);
  const message = error.text;
  return new GuardError(error.code, `${message} (published ${done} of ${contracts.length}, not ${left.join(", ")})`, {
    next: "run the command again: what is published already stays the same",
    cause: error,
  });
}
