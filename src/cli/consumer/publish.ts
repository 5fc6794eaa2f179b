import { visible, visibleIn } from "../../visible.ts";
import type { Command } from "commander";

import type { Contract } from "../../contract/contract.ts";
import { GuardError } from "../../errors.ts";
import { type Client, createClient } from "../client.ts";
import {
  contractFilesOption,
  type Format,
  formatOption,
  listOption,
  type Terminal,
  totalLines,
  withExamples,
  EXIT,
} from "../command.ts";
import type { Counts } from "../../api/api.ts";
import { countsText } from "./counts-text.ts";
import { contractsOf, type FiledContract, readContractFiles } from "./contract-file.ts";

/**
 * `publish` sends the repository's contracts to the service. It is the last step of a deployment, when older versions
 * no longer run. `--rolling-out` is for the time while several versions are running. All contracts are checked before
 * the first one is sent, so that a mistake does not leave the files half published.
 */

interface Options {
  readonly env?: string;
  readonly file: readonly string[];
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
      listOption(
        "--tested <id>",
        "state that this version's handler was tested with events that have the amendment's field (see `fieldgate sample`)",
        "none",
      ),
    )
    .addOption(contractFilesOption())
    .addOption(formatOption())
    .action((options: Options) => publish(options, terminal));
  withExamples(
    command,
    "fieldgate publish --env production",
    "fieldgate publish --env production --file 'services/*/fieldgate.yaml'",
    "fieldgate publish --env production --rolling-out",
    "fieldgate publish --env production --tested inventory.public.customers.nickname",
  ).addHelpText(
    "after",
    "\nExit code: 0 if every contract counts for a connector and fits the current events, 100 if one does not or this is not known yet.",
  );
}

async function publish({ env, file, format, rollingOut, tested }: Options, terminal: Terminal): Promise<void> {
  const files = await readContractFiles(terminal.cwd, file);
  const read = contractsOf(files, env);
  const client = createClient(terminal);
  const contracts = await checkAll(await addTested(client, read, tested));
  const answers: Answered[] = [];
  for (const [published, { contract, file: name }] of contracts.entries()) {
    const sent = rollingOut ? client.publishRollingOut(contract) : client.publishContract(contract);
    const { counts = { kind: "unknown", connectors: [] }, otherTopics = [] } = await sent.catch((error: unknown) => {
      throw published === 0 ? error : reportUnfinished(contracts, published, error);
    });
    if (format === "json") terminal.out(jsonOf(contract, counts, rollingOut));
    else {
      if (files.length > 1 && name !== contracts[published - 1]?.file) terminal.show(visible(name));
      const counted = countsText(contract, visibleIn(counts), terminal.screen);
      const text = [textOf(contract, rollingOut), ...counted].join("\n  ");
      terminal.show(files.length > 1 ? text.replaceAll(/^/gm, "  ") : text);
    }
    answers.push({ contract, counts, otherTopics: visibleIn(otherTopics) });
  }
  const fine = answers.filter(isFine).length;
  if (format === "text") {
    const total = totalLines(fine, answers.length, "count and fit the current events", terminal.screen);
    for (const line of [...notInFile(answers), ...total]) terminal.show(line);
  }
  terminal.end(fine === answers.length ? EXIT.fine : EXIT.findings);
}

/** A contract that was sent, and what the service answered. */
interface Answered {
  readonly contract: Contract;
  readonly counts: Counts;
  readonly otherTopics: readonly string[];
}

async function addTested(
  client: Client,
  filed: readonly FiledContract[],
  ids: readonly string[],
): Promise<readonly FiledContract[]> {
  if (ids.length === 0) return filed;
  if (new Set(filed.map(({ file }) => file)).size > 1) {
    throw new GuardError("usage", "--tested is about one consumer, and there are several contract files", {
      next: "publish the tested consumer by itself: name its file with --file",
    });
  }
  // Imported here because it loads the Avro parser.
  const { recordTested } = await import("./tested.ts");
  const tested = await recordTested(
    client,
    filed.map(({ contract }) => contract),
    ids,
  );
  return filed.map((one, at) => ({ ...one, contract: tested[at] ?? one.contract }));
}

/** True if the contract counts for a connector and fits the events that flow now. */
function isFine({ counts }: Answered): boolean {
  return counts.kind === "counts" && counts.errors.length === 0;
}

/** Contracts of the same consumers that were published earlier and are no longer in a file: they still count. */
function notInFile(answers: readonly Answered[]): readonly string[] {
  const byConsumer = Map.groupBy(answers, ({ contract: one }) => JSON.stringify([one.consumer, one.environment]));
  return [...byConsumer.values()].flatMap((ofConsumer) => {
    const own = new Set(ofConsumer.map(({ contract }) => contract.topic));
    const others = new Set(ofConsumer.flatMap(({ otherTopics }) => otherTopics.filter((topic) => !own.has(topic))));
    return ofConsumer
      .slice(0, 1)
      .flatMap(({ contract: { consumer, environment } }) =>
        [...others].map(
          (topic) =>
            `not in the file: ${consumer}'s contract on ${topic} in ${environment}, which still counts\n  next: if ${consumer} no longer reads it: fieldgate retire --env ${environment} --topic ${topic}`,
        ),
      );
  });
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
async function checkAll(filed: readonly FiledContract[]): Promise<readonly FiledContract[]> {
  const { parseContract } = await import("../../contract/contract.ts");
  return filed.map(({ contract, file }) => {
    const checked = parseContract(contract);
    const bytes = Buffer.byteLength(JSON.stringify(checked));
    if (bytes <= MAX_BYTES) return { contract: checked, file };
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
function reportUnfinished(contracts: readonly FiledContract[], published: number, error: unknown): unknown {
  if (!(error instanceof GuardError)) return error;
  const rest = contracts.slice(published).map(({ contract }) => contract.topic);
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
