import { type Command, Option } from "commander";

import type { Contract } from "../../contract/contract.ts";
import { GuardError } from "../../errors.ts";
import { type Client, createClient } from "../client.ts";
import { type Format, formatOption, type Terminal, withExamples, EXIT } from "../command.ts";
import { readContracts } from "./contract-file.ts";

/**
 * `publish` sends the repository's contracts to the service. It is the last step of a deployment, when older versions
 * no longer run. `--rolling-out` is for the time while several versions are running. All contracts are checked before
 * the first one is sent, so that a mistake does not leave a file half published.
 */

interface Options {
  readonly env?: string;
  readonly file?: string;
  readonly rollingOut?: true;
  readonly tested: readonly string[];
  readonly format: Format;
}

export function addPublish(program: Command, terminal: Terminal): void {
  const command = program
    .command("publish")
    .description("publish this repository's contracts for an environment, replacing the ones published before")
    .option("--env <environment>", "the environment (default: the one in the file)")
    .option(
      "--rolling-out",
      "also keep the deployed version's contracts; both count until the next publish without this option",
    )
    .addOption(
      new Option(
        "--tested <id>",
        "state that this version's handler was tested with events that have the amendment's field (see `fieldgate sample`); repeatable",
      )
        .argParser((id: string, ids: readonly string[]) => [...ids, id])
        .default([], "none"),
    )
    .option("--file <path>", "the contract file (default: the nearest fieldgate.yaml, from this folder upward)")
    .addOption(formatOption())
    .action(async ({ env, file, format, rollingOut, tested }: Options) => {
      const read = await readContracts(terminal.cwd, file);
      const client = createClient(terminal);
      const contracts = await setEnvironment(await addTested(client, read, tested), env);
      for (const [published, contract] of contracts.entries()) {
        const sent = rollingOut ? client.publishRollingOut(contract) : client.publishContract(contract);
        await sent.catch((error: unknown) => {
          throw published === 0 ? error : reportUnfinished(contracts, published, error);
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

async function addTested(client: Client, contracts: readonly Contract[], ids: readonly string[]) {
  if (ids.length === 0) return contracts;
  // Imported here because it loads the Avro parser.
  const { recordTested } = await import("./tested.ts");
  return recordTested(client, contracts, ids);
}

function jsonOf({ consumer, environment, topic, tested = [] }: Contract, rollingOut: true | undefined): string {
  const fields = tested.map(({ amendment, field }) => ({ amendment, field }));
  const published = { consumer, environment, topic };
  return JSON.stringify({ published, rollingOut: rollingOut === true, ...(fields.length > 0 && { tested: fields }) });
}

function textOf({ consumer, environment, topic, tested = [] }: Contract, rollingOut: true | undefined): string {
  const rolling = rollingOut ? ", in addition to the deployed version" : "";
  const fields = tested.length === 0 ? "" : `; tested with ${tested.map(({ field }) => field).join(", ")}`;
  return `published: ${consumer} reads ${topic} in ${environment}${rolling}${fields}`;
}

/**
 * The maximum size of a contract. It is below 1 MiB, which is the limit for a Kafka record with its key and headers,
 * and for a request to the service.
 */
const MAX_BYTES = 1_000_000;

/** Validates the contracts as the service does. */
async function setEnvironment(contracts: readonly Contract[], env: string | undefined): Promise<readonly Contract[]> {
  const { parseContract } = await import("../../contract/contract.ts");
  return contracts.map((contract) => {
    const checked = parseContract(env === undefined ? contract : { ...contract, environment: env });
    const bytes = Buffer.byteLength(JSON.stringify(checked));
    if (bytes <= MAX_BYTES) return checked;
    throw new GuardError(
      "contract-invalid",
      `the contract for ${contract.topic} has ${bytes} bytes; the limit is ${MAX_BYTES}`,
      {
        next: "remove the fields that the consumer does not read from its schema",
      },
    );
  });
}

/**
 * Explains a failure after some contracts were sent. Publishing a contract again changes nothing, so the command can
 * simply be repeated.
 */
function reportUnfinished(contracts: readonly Contract[], published: number, error: unknown): unknown {
  if (!(error instanceof GuardError)) return error;
  const rest = contracts.slice(published).map(({ topic }) => topic);
  const message = error.text;
  return new GuardError(
    error.code,
    `${message} (published ${published} of ${contracts.length}; missing: ${rest.join(", ")})`,
    {
      next: "run the command again; contracts that are already published stay the same",
      cause: error,
    },
  );
}
