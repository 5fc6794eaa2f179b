import { visible, visibleIn } from "../../visible.ts";
import type { Command } from "commander";

import { GuardError } from "../../errors.ts";
import { createClient } from "../client.ts";
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
import { contractsOf, type FiledContract, readContractFiles } from "./contract-file.ts";

interface Options {
  readonly env?: string;
  readonly consumer?: string;
  readonly file: readonly string[];
  readonly topic: readonly string[];
  readonly format: Format;
}

/** `retire`: withdraws the contracts of a consumer that has been shut down, so that fields no longer wait for it. */
export function addRetire(program: Command, terminal: Terminal): void {
  const command = program
    .command("retire")
    .description("withdraw this repository's contracts from an environment where the consumer no longer runs")
    .option("--env <environment>", "the environment (default: the one in the file)")
    .option("--consumer <name>", "the name that the contracts were published with (default: the one in the file)")
    .addOption(contractFilesOption())
    .addOption(
      listOption(
        "--topic <topic>",
        "only the contract on this topic, which need not be in the file",
        "every topic in the file",
      ),
    )
    .addOption(formatOption())
    .action((options: Options) => retire(options, terminal));
  withExamples(
    command,
    "fieldgate retire --env production",
    "fieldgate retire --consumer billing-v1 --env production",
    "fieldgate retire --topic inventory.public.orders --env production",
  ).addHelpText(
    "after",
    "\nAlso withdraws what was published with --rolling-out. Exits with 0 even if there was nothing to withdraw.",
  );
}

async function retire({ env, consumer, file, topic, format }: Options, terminal: Terminal): Promise<void> {
  const files = await readContractFiles(terminal.cwd, file);
  if (files.length > 1 && consumer !== undefined) {
    throw new GuardError("usage", "--consumer names one consumer, and there are several contract files", {
      next: "name the consumer's file with --file",
    });
  }
  const client = createClient(terminal);
  const contracts = files.flatMap((one) => ofTopics(contractsOf([one], env), topic));
  let withdrawn = 0;
  for (const { contract, file: name } of contracts) {
    const named = { environment: contract.environment, consumer: consumer ?? contract.consumer, topic: contract.topic };
    const { retired, waited } = await client.retireContract(named);
    if (retired > 0) withdrawn += 1;
    const where = files.length > 1 ? `${visible(name)}: ` : "";
    const text = `${named.consumer} on ${named.topic} in ${named.environment}`;
    if (format === "json") terminal.out(JSON.stringify({ ...named, retired, waited }));
    else if (retired === 0) terminal.show(`${where}no contract to retire: ${text}`);
    else terminal.show(`${where}retired: ${text}${waitedText(visibleIn(waited))}`);
  }
  if (format === "text") {
    for (const line of totalLines(withdrawn, contracts.length, "retired", terminal.screen)) terminal.show(line);
  }
  terminal.end(EXIT.fine);
}

/** A topic that is no longer in the file belongs to the file's consumer and environment. */
function ofTopics(contracts: readonly FiledContract[], topics: readonly string[]): readonly FiledContract[] {
  if (topics.length === 0) return contracts;
  return contracts
    .slice(0, 1)
    .flatMap(({ contract, file }) => topics.map((topic) => ({ contract: { ...contract, topic }, file })));
}

/** Lists the amendments that waited for this consumer. They may still wait for others. */
function waitedText(waited: readonly string[]): string {
  return waited.map((id) => `\n  no longer waits for it: ${id}`).join("");
}
