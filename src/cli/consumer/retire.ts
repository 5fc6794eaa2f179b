import { visibleIn } from "../../visible.ts";
import { type Command, Option } from "commander";

import type { Contract } from "../../contract/contract.ts";
import { createClient } from "../client.ts";
import { type Format, formatOption, type Terminal, withExamples, EXIT } from "../command.ts";
import { readContracts } from "./contract-file.ts";

interface Options {
  readonly env?: string;
  readonly consumer?: string;
  readonly file?: string;
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
    .option("--file <path>", "the contract file (default: the nearest fieldgate.yaml, from this folder upward)")
    .addOption(
      new Option("--topic <topic>", "only the contract on this topic, which need not be in the file; repeatable")
        .argParser((topic: string, topics: readonly string[]) => [...topics, topic])
        .default([], "every topic in the file"),
    )
    .addOption(formatOption())
    .action(async ({ env, consumer, file, topic, format }: Options) => {
      const contracts = ofTopics(await readContracts(terminal.cwd, file), topic);
      const client = createClient(terminal);
      for (const contract of contracts) {
        const named = {
          environment: env ?? contract.environment,
          consumer: consumer ?? contract.consumer,
          topic: contract.topic,
        };
        const { retired, waited } = await client.retireContract(named);
        const text = `${named.consumer} on ${named.topic} in ${named.environment}`;
        if (format === "json") terminal.out(JSON.stringify({ ...named, retired, waited }));
        else
          terminal.out(
            retired === 0 ? `no contract to retire: ${text}` : `retired: ${text}${waitedText(visibleIn(waited))}`,
          );
      }
      terminal.end(EXIT.fine);
    });
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

/** A topic that is no longer in the file belongs to the file's consumer and environment. */
function ofTopics(contracts: readonly Contract[], topics: readonly string[]): readonly Contract[] {
  if (topics.length === 0) return contracts;
  return contracts.slice(0, 1).flatMap((contract) => topics.map((topic) => ({ ...contract, topic })));
}

/** Lists the amendments that waited for this consumer. They may still wait for others. */
function waitedText(waited: readonly string[]): string {
  return waited.map((id) => `\n  no longer waits for it: ${id}`).join("");
}
