import type { Command } from "commander";

import type { Contract } from "../../contract/contract.ts";
import { GuardError } from "../../errors.ts";
import { type Client, clientOf } from "../client.ts";
import { type Format, formatOption, type Terminal, withExamples, EXIT } from "../command.ts";
import { readContracts } from "./contract-file.ts";

interface Options {
  readonly env?: string;
  readonly file?: string;
  readonly rollingOut?: true;
  readonly tested: readonly string[];
  readonly format: Format;
}

/** `publish`: a deploy's last step, when no older version runs. */
export function addPublish(program: Command, terminal: Terminal): void {
  const command = program
    .command("publish")
    .description("publish this repository's contracts as what runs in an environment now; replaces the ones before")
    .option("--env <environment>", "the environment; default: the file's own")
    .option("--rolling-out", "beside what is deployed: both count until the next publish without this")
    .option(
      "--tested <id>",
      "this version's own handler was tried with events that carry the amendment's field (fieldgate sample); repeatable",
      (id: string, before: readonly string[]) => [...before, id],
      [],
    )
    .option("--file <path>", "the contract file; default: the nearest fieldgate.yaml upward")
    .addOption(formatOption())
    .action(async ({ env, file, format, rollingOut, tested }: Options) => {
      const read = await readContracts(terminal.cwd, file);
      const client = clientOf(terminal);
      const contracts = await inEnvironment(await tried(client, read, tested), env);
      for (const [done, contract] of contracts.entries()) {
        const sent = rollingOut ? client.publishRollingOut(contract) : client.publishContract(contract);
        await sent.catch((error: unknown) => {
          throw done === 0 ? error : unfinished(contracts, done, error);
        });
        terminal.out(format === "json" ? jsonOf(contract, rollingOut) : textOf(contract, rollingOut));
      }
      terminal.end(EXIT.fine);
    });
  withExamples(
    command,
    "fieldgate publish --env production",
    "fieldgate publish --env production --rolling-out",
    "fieldgate publish --env production --tested inventory.public.customers.nickname",
  );
}

async function tried(client: Client, contracts: readonly Contract[], ids: readonly string[]) {
  if (ids.length === 0) return contracts;
  // Avro's parser is loaded by the commands that need it.
  const { withTested } = await import("./tested.ts");
  return withTested(client, contracts, ids);
}

function jsonOf({ consumer, environment, topic, tested = [] }: Contract, rollingOut: true | undefined): string {
  const fields = tested.map(({ amendment, field }) => ({ amendment, field }));
  const published = { consumer, environment, topic };
  return JSON.stringify({ published, rollingOut: rollingOut === true, ...(fields.length > 0 && { tested: fields }) });
}

function textOf({ consumer, environment, topic, tested = [] }: Contract, rollingOut: true | undefined): string {
  const beside = rollingOut ? ", beside what is deployed" : "";
  const fields = tested.length === 0 ? "" : `; tried with ${tested.map(({ field }) => field).join(", ")}`;
  return `published: ${consumer} reads ${topic} in ${environment}${beside}${fields}`;
}

/** Kafka takes a record of 1 MiB, with its key and head; so does the service a request. */
const MAX_BYTES = 1_000_000;

/** All are checked as the service checks them before any is sent: half a file is never published. */
async function inEnvironment(contracts: readonly Contract[], env: string | undefined): Promise<readonly Contract[]> {
  const { parseContract } = await import("../../contract/contract.ts");
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
