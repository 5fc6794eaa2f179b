import { z } from "zod";
import { type Contract, contractKey, isKeyOf, parseContract } from "../contract/contract.ts";
import { describeError, type GuardError } from "../errors.ts";
import type { OperatorCommand } from "../gate/state.ts";
import type { Desk, Log } from "../guard/outside.ts";
import type { KafkaClient } from "../kafka/client.ts";
import type { InRecord } from "../kafka/record.ts";
import { tailTopic } from "../kafka/tail.ts";
import { commandsTopicConfig, contractsTopicConfig, createTopic, endOffsets } from "../kafka/topics.ts";

/** A command as it stands in the commands topic. */
interface WrittenCommand {
  readonly v: 1;
  readonly connector: string;
  readonly command: OperatorCommand;
}

export interface DeskTopics {
  readonly contracts: string;
  readonly commands: string;
}

export interface OpenDesk extends AsyncDisposable {
  readonly topics: DeskTopics;
  /** The desk as one connector sees it. */
  of(connector: string): Desk;
  contracts(): ReadonlyMap<string, Contract>;
  /** Reads up to the end of the contracts topic as of now. */
  readContractsToEnd(): Promise<void>;
}

interface Listener {
  readonly connector: string;
  readonly on: Parameters<Desk["listen"]>[1];
}

export function commandText(connector: string, command: OperatorCommand): string {
  return JSON.stringify({ v: 1, connector, command } satisfies WrittenCommand);
}

/**
 * Contracts and commands, read from their topics for as long as it is open; both topics are made if missing.
 * `onFailure`: a reading has ended for good, nothing more will come.
 */
export async function openDesk(
  kafka: KafkaClient,
  deployment: string,
  log: Log,
  onFailure: (error: GuardError) => void,
): Promise<OpenDesk> {
  const topics = { contracts: `__fieldgate.${deployment}.contracts`, commands: `__fieldgate.${deployment}.commands` };
  await createTopic(kafka, { name: topics.contracts, partitions: 1, config: contractsTopicConfig });
  await createTopic(kafka, { name: topics.commands, partitions: 1, config: commandsTopicConfig });
  let contracts: ReadonlyMap<string, Contract> = new Map();
  const commands: { readonly written: WrittenCommand; readonly offset: bigint }[] = [];
  const listeners = new Set<Listener>();

  const onContract = (record: InRecord): void => {
    const entry = readContract(record, log);
    if (entry === undefined) return;
    const next = new Map(contracts);
    if (entry.contract === undefined) next.delete(entry.key);
    else next.set(entry.key, entry.contract);
    contracts = next;
    for (const { on } of listeners) on.contract(entry.key, entry.contract);
  };
  const onCommand = (record: InRecord): void => {
    const written = readCommand(record, log);
    if (written === undefined) return;
    commands.push({ written, offset: record.offset });
    for (const { connector, on } of listeners) {
      if (connector === written.connector) on.command(written.command, record.offset);
    }
  };
  await using opened = new AsyncDisposableStack();
  const contractTail = opened.use(
    await tailTopic(kafka, { topic: topics.contracts, from: "beginning", onRecord: onContract, onFailure }),
  );
  const commandTail = opened.use(
    await tailTopic(kafka, { topic: topics.commands, from: "beginning", onRecord: onCommand, onFailure }),
  );
  const readContractsToEnd = async (): Promise<void> => {
    await contractTail.reached(await endOffsets(kafka, topics.contracts));
  };
  await readContractsToEnd();
  await commandTail.reached(await endOffsets(kafka, topics.commands));
  const open = opened.move();
  return {
    topics,
    contracts: () => contracts,
    readContractsToEnd,
    of: (connector) => ({
      contracts: () => contracts,
      readContractsToEnd,
      listen(commandsFrom, on) {
        const listener = { connector, on };
        listeners.add(listener);
        const from = knownOffset(commandsFrom, commandTail.position().get(0) ?? 0n, topics.commands, log);
        const due = commands.filter((entry) => entry.written.connector === connector && entry.offset >= from);
        for (const { written, offset } of due) on.command(written.command, offset);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Of a topic that was made again the state's offset says nothing: its commands are looked at from the oldest. */
function knownOffset(wanted: bigint, end: bigint, topic: string, log: Log): bigint {
  if (wanted <= end) return wanted;
  log.warn(`${topic} ends at offset ${end}, before the state's ${wanted}: its commands are read from the oldest`);
  return 0n;
}

function readContract(
  record: InRecord,
  log: Log,
): { readonly key: string; readonly contract: Contract | undefined } | undefined {
  const key = record.key?.toString("utf8") ?? "";
  if (record.value === null) return { key, contract: undefined };
  try {
    const contract = parseContract(JSON.parse(record.value.toString("utf8")));
    // A version that is being rolled out has a key of its own.
    return { key: isKeyOf(key, contract) ? key : contractKey(contract), contract };
  } catch (error) {
    log.warn(`contract ${key} at offset ${record.offset} is skipped: ${describeError(error)}`);
    return undefined;
  }
}

function readCommand(record: InRecord, log: Log): WrittenCommand | undefined {
  try {
    const value: unknown = JSON.parse(record.value?.toString("utf8") ?? "");
    if (isCommand(value)) return value;
  } catch {
    // Not JSON: said below.
  }
  log.warn(`the command at offset ${record.offset} is skipped: this version does not understand it`);
  return undefined;
}

const writtenCommand = z.object({
  v: z.literal(1),
  connector: z.string(),
  command: z.object({
    id: z.string(),
    kind: z.enum(["release", "withhold", "fill"]),
    ids: z.array(z.string()),
    reason: z.string().optional(),
    force: z.boolean(),
    backfill: z.enum(["all", "none"]).optional(),
    beside: z.object({ name: z.string().optional() }).optional(),
    value: z.json().optional(),
    actor: z.string(),
  }),
});

/** A later version's command, or what somebody else wrote, is not taken for one of ours. */
function isCommand(value: unknown): value is WrittenCommand {
  return writtenCommand.safeParse(value).success;
}
