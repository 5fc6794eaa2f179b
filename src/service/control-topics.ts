import { z } from "zod";
import { type Contract, contractKey, isKeyOf, parseContract, unreadableContract } from "../contract/contract.ts";
import { type Contracts, eachContract, hasContract, setContract } from "../contract/contracts.ts";
import { describeError, type GuardError } from "../errors.ts";
import { commandSchema } from "../api/command.ts";
import { commandLog } from "./command-log.ts";
import type { OperatorCommand } from "../gate/state.ts";
import type { ControlSource, Log } from "../guard/outside.ts";
import type { Appender } from "../kafka/append.ts";
import type { KafkaClient } from "../kafka/client.ts";
import type { InRecord } from "../kafka/record.ts";
import { tailTopic } from "../kafka/tail.ts";
import {
  commandsTopicConfig,
  contractsTopicConfig,
  createTopics,
  describeTopics,
  endOffsets,
} from "../kafka/topics.ts";

/**
 * The two Kafka topics through which contracts and operators' commands reach the connectors. One reader per process
 * follows both from their beginning and passes new records on to the connectors.
 */

/** The value of a record in the commands topic. */
interface CommandRecord {
  readonly v: 1;
  readonly connector: string;
  readonly command: OperatorCommand;
}

export interface ControlTopics extends AsyncDisposable {
  /** The names of the two topics. */
  readonly topics: { readonly contracts: string; readonly commands: string };
  /** The part that one connector uses. */
  of(connector: string): ControlSource;
  contracts(): Contracts;
  /** How many commands of this connector have no recorded outcome yet. */
  waitingCommands(connector: string): number;
  /** Reads up to the current end of the contracts topic. */
  readContractsToEnd(): Promise<void>;
  /** Makes sure that the commands topic is followed, also if it was deleted or made again. */
  followCommands(): Promise<void>;
}

interface Listener {
  readonly connector: string;
  readonly on: Parameters<ControlSource["listen"]>[1];
}

export function renderCommand(connector: string, command: OperatorCommand): string {
  return JSON.stringify({ v: 1, connector, command } satisfies CommandRecord);
}

/**
 * Creates the topics if they are missing, and resolves once both have been read to the end. `onFailure` is called if
 * reading has failed permanently.
 */
export async function openControlTopics(
  kafka: KafkaClient,
  deployment: string,
  log: Log,
  onFailure: (error: GuardError) => void,
  appender: Pick<Appender, "append">,
): Promise<ControlTopics> {
  const topics = { contracts: `__fieldgate.${deployment}.contracts`, commands: `__fieldgate.${deployment}.commands` };
  const commandsTopic = { name: topics.commands, partitions: 1, config: commandsTopicConfig };
  await createTopics(kafka, [{ name: topics.contracts, partitions: 1, config: contractsTopicConfig }, commandsTopic]);
  const live = new Map<string, ReadonlyMap<string, Contract>>();
  /** A copy for callers that keep it. It is made on request, not for each of thousands of records. */
  let copy: Contracts | undefined;
  const contracts = () => (copy ??= new Map(live));
  const commands = commandLog();
  const listeners = new Set<Listener>();

  /** The keys of all records that the present topic has had. */
  let inTopic = new Set<string>();

  const keep = (key: string, contract: Contract | undefined): void => {
    copy = undefined;
    setContract(live, key, contract);
    for (const { on } of listeners) on.contract(key, contract);
  };
  const keepMissing = (contract: Contract): void => {
    const key = contractKey(contract);
    // A withdrawn contract, or a withdrawn version of it, has left a record.
    if (hasContract(live, key) || [...inTopic].some((one) => isKeyOf(one, contract))) return;
    log.warn(`contract ${key} is missing from ${topics.contracts}, so its consumer's verdict is unknown`);
    keep(key, contract);
  };
  const onContract = (record: InRecord): void => {
    const entry = readContract(record, log);
    if (entry === undefined) return;
    inTopic.add(entry.key);
    keep(entry.key, entry.contract);
  };
  const onCommand = (record: InRecord): void => {
    const entry = readCommand(record, log);
    if (entry === undefined) return;
    commands.add(entry.connector, { command: entry.command, offset: record.offset });
    for (const { connector, on } of listeners) {
      if (connector === entry.connector) on.command(entry.command, record.offset);
    }
  };
  await using opened = new AsyncDisposableStack();
  const openContracts = () =>
    tailTopic(kafka, { topic: topics.contracts, from: "beginning", onRecord: onContract, onFailure });
  let contractTail = await openContracts();
  opened.defer(() => contractTail[Symbol.asyncDispose]());
  const openCommands = () =>
    tailTopic(kafka, { topic: topics.commands, from: "beginning", onRecord: onCommand, onFailure });
  let commandTail = await openCommands();
  opened.defer(() => commandTail[Symbol.asyncDispose]());
  /** True from the beginning of `restore` until it has succeeded, so that it is repeated after an error. */
  let isRestoring = false;
  /** Reads the topic from its beginning, and writes the contracts again that it has lost. */
  const restore = async (): Promise<void> => {
    log.warn(
      `${topics.contracts} was made again or has lost records: the contracts that were published before still count, and are written again`,
    );
    isRestoring = true;
    await contractTail[Symbol.asyncDispose]();
    inTopic = new Set();
    contractTail = await openContracts();
    await contractTail.reached(await endOffsets(kafka, topics.contracts));
    for (const [key, contract] of eachContract(live)) {
      if (inTopic.has(key) || contract.unreadable === true) continue;
      await appender.append(topics.contracts, 0, Buffer.from(key), Buffer.from(JSON.stringify(contract)));
    }
    isRestoring = false;
  };
  const isFollowed = async (): Promise<boolean> => {
    const described = await describeTopics(kafka, [topics.commands]);
    if (described.get(topics.commands) === undefined) return false;
    return !isBefore(await endOffsets(kafka, topics.commands), commandTail.position());
  };
  /** Set while the commands topic is opened again, so that it is repeated after an error. */
  let isReopening = false;
  const reopenCommands = async (): Promise<void> => {
    if (!isReopening && (await isFollowed())) return;
    log.warn(`${topics.commands} was deleted or made again: commands without an outcome have to be given again`);
    isReopening = true;
    await commandTail[Symbol.asyncDispose]();
    await createTopics(kafka, [commandsTopic]);
    commandTail = await openCommands();
    isReopening = false;
  };
  const followCommands = oneAtATime(reopenCommands);
  const readToEnd = async (): Promise<void> => {
    if (isRestoring || isBefore(await endOffsets(kafka, topics.contracts), contractTail.position())) await restore();
    await contractTail.reached(await endOffsets(kafka, topics.contracts));
  };
  const readContractsToEnd = oneAtATime(readToEnd);
  await readContractsToEnd();
  await commandTail.reached(await endOffsets(kafka, topics.commands));
  const open = opened.move();
  return {
    topics,
    contracts,
    waitingCommands: (connector) => commands.from(connector, 0n).length,
    readContractsToEnd,
    followCommands,
    of: (connector) => ({
      contracts,
      missing: (lost) => lost.forEach(keepMissing),
      readContractsToEnd,
      listen(commandsFrom, on) {
        const listener = { connector, on };
        listeners.add(listener);
        const from = firstOffset(commandsFrom, commandTail.position().get(0) ?? 0n, topics.commands, log);
        commands.forget(connector, from);
        for (const { command, offset } of commands.from(connector, from)) on.command(command, offset);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
      recorded: (before) => commands.forget(connector, before),
    }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** So that a topic is restored only once. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  return () => {
    const next = running.then(work, work);
    running = next.catch(() => {});
    return next;
  };
}

/** True if the topic ends before what was read of it, so it is not the topic that was read. */
function isBefore(ends: ReadonlyMap<number, bigint>, positions: ReadonlyMap<number, bigint>): boolean {
  return [...positions].some(([partition, position]) => (ends.get(partition) ?? 0n) < position);
}

/** If the topic was recreated, the offset in the state is meaningless, so all commands of the topic are read. */
function firstOffset(wanted: bigint, end: bigint, topic: string, log: Log): bigint {
  if (wanted <= end) return wanted;
  log.warn(
    `${topic} ends at offset ${end}, before the state's ${wanted}: the topic was recreated, so all commands in it are read`,
  );
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
    // A version that is being rolled out has its own key.
    return { key: isKeyOf(key, contract) ? key : contractKey(contract), contract };
  } catch (error) {
    const contract = unreadableContract(key);
    const what = contract === undefined ? "was skipped" : "cannot be read, so its consumer's verdict is unknown";
    log.warn(`contract ${key} at offset ${record.offset} ${what}: ${describeError(error)}`);
    return contract === undefined ? undefined : { key, contract };
  }
}

function readCommand(record: InRecord, log: Log): CommandRecord | undefined {
  try {
    const value: unknown = JSON.parse(record.value?.toString("utf8") ?? "");
    if (isCommand(value)) return value;
  } catch {
    // The record is not JSON; that is logged below.
  }
  log.warn(`the command at offset ${record.offset} was skipped: this version does not understand it`);
  return undefined;
}

const commandRecord = z.object({
  v: z.literal(1),
  connector: z.string(),
  command: z.object({ ...commandSchema.shape, id: z.string() }),
});

/** False for commands of a later version and for records of other programs. */
function isCommand(value: unknown): value is CommandRecord {
  return commandRecord.safeParse(value).success;
}
