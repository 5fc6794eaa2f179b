import { visibleIn } from "../../visible.ts";
import { type Command, Option } from "commander";

import type { Contract } from "../../contract/contract.ts";
import { GuardError } from "../../errors.ts";
import { type Client, createClient } from "../client.ts";
import { type Format, formatOption, type Terminal, withExamples, EXIT } from "../command.ts";
import type { Counts, Published } from "../../api/api.ts";
import { countsText } from "./counts-text.ts";
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
      const answers: Published[] = [];
      for (const [published, contract] of contracts.entries()) {
        const sent = rollingOut ? client.publishRollingOut(contract) : client.publishContract(contract);
        const answer = await sent.catch((error: unknown) => {
          throw published === 0 ? error : reportUnfinished(contracts, published, error);
        });
        const counts: Counts = answer.counts ?? { kind: "unknown", connectors: [] };
        answers.push({ ...answer, counts });
        if (format === "json") terminal.out(jsonOf(contract, counts, rollingOut));
        else terminal.out([textOf(contract, rollingOut), ...countsText(contract, visibleIn(counts))].join("\n  "));
      }
      if (format === "text") for (const line of notInFile(contracts, answers)) terminal.out(line);
      terminal.end(answers.every(isFine) ? EXIT.fine : EXIT.findings);
    });
  withExamples(
    command,
    "fieldgate publish --env production",
    "fieldgate publish --env production --rolling-out",
    "fieldgate publish --env production --tested inventory.public.customers.nickname",
  ).addHelpText(
    "after",
    "\nExit code: 0 if every contract counts for a connector and fits the current events, 100 if one does not or this is not known yet.",
  );
}

async function addTested(client: Client, contracts: readonly Contract[], ids: readonly string[]) {
  if (ids.length === 0) return contracts;
  // Imported here because it loads the Avro parser.
  const { recordTested } = await import("./tested.ts");
  return recordTested(client, contracts, ids);
}

/** True if the contract counts for a connector and fits the events that flow now. */
function isFine({ counts }: Published): boolean {
  return counts?.kind === "counts" && counts.errors.length === 0;
}

/** Contracts of the same consumer that were published earlier and are no longer in the file: they still count. */
function notInFile(contracts: readonly Contract[], answers: readonly Published[]): readonly string[] {
  const [first] = contracts;
  const topics = new Set(answers.flatMap(({ otherTopics = [] }) => otherTopics));
  for (const { topic } of contracts) topics.delete(topic);
  if (first === undefined) return [];
  // A contract file has one consumer, and all its contracts are published for one environment.
  const { consumer, environment } = first;
  return [...topics].map(
    (topic) =>
      `not in the file: ${consumer}'s contract on ${topic} in ${environment}, which still counts\n  next: if ${consumer} no longer reads it: fieldgate retire --env ${environment} --topic ${topic}`,
  );
}

function jsonOf(contract: Contract, counts: Counts, rollingOut: true | undefined): string {
  const { consumer, environment, topic, tested = [] } = contract;
  const fields = tested.map(({ amendment, field }) => ({ amendment, field }));
  const published = { consumer, environment, topic };
  return JSON.stringify({
    published,
    rollingOut: rollingOut === true,
    ...(fields.length > 0 && { tested: fields }),
    counts,
  });
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
