/**
 * Transactions as the brokers see them. All partitions are added before anything is produced; each leader's request is
 * repeated by itself; and a batch is written once, with sequence numbers that it keeps, so a broker that already has it
 * says so instead of writing it again.
 */
import type { Connections } from "./connections.ts";
import { within } from "./deadline.ts";
import { deliveryTo } from "./delivery.ts";
import type { OutRecord } from "./record.ts";
import { type Attempts, isConcurrent, refusal, untilDone } from "./retries.ts";
import type { Written } from "./sends.ts";
import { encodeBatch } from "./wire/batch.ts";
import {
  addPartitions,
  type Batch,
  endTransaction,
  findCoordinator,
  initProducerId,
  type Outcome,
  type Partition,
  type Producer,
  type WriteRequest,
} from "./write-requests.ts";

export interface TransactionsOptions extends Attempts {
  readonly transactionalId: string;
  readonly timeoutMs: number;
  /** Receives what the brokers hold of each send, and throws if that cannot be. */
  readonly onWritten: (written: readonly Written[]) => void;
}

export interface Transactions {
  /**
   * Writes the sends, one after the other, in one transaction, and commits it. The first call fences older producers.
   * After an error nothing else may be written; if it came before the commit, the transaction is aborted if possible.
   */
  run(sends: readonly (readonly OutRecord[])[]): Promise<void>;
}

const ABORT_TIMEOUT_MS = 2_000;
/** The broker did not try this partition, because it refused another one of the request. */
const OPERATION_NOT_ATTEMPTED = 55;
const SEQUENCES = 2 ** 31;

export function openTransactions(connections: Connections, options: TransactionsOptions): Transactions {
  const { transactionalId, timeoutMs, onWritten, mustLive } = options;
  const coordinate = coordinatorOf(connections, options);
  const delivery = deliveryTo(connections, options);
  const encode = encoder();
  let producer: Producer | undefined;
  return {
    async run(sends) {
      const partitions = partitionsOf(sends);
      await delivery.findLeaders(partitions);
      producer ??= await coordinate(initProducerId(transactionalId, timeoutMs), only);
      try {
        await coordinate(addPartitions(transactionalId, producer, partitions), firstRefused);
        for (const send of sends) onWritten(await delivery.write(encode(send, producer)));
        mustLive();
      } catch (error) {
        // Readers continue sooner, and no more: the next producer aborts the transaction when it fences this one.
        const abort = coordinate(endTransaction(transactionalId, producer, false), only);
        await within(ABORT_TIMEOUT_MS, "abort", abort).catch(() => {});
        throw error;
      }
      await coordinate(endTransaction(transactionalId, producer, true), only);
    },
  };
}

type Coordinate = <T>(request: WriteRequest<T>, refused: (answer: T) => Error | undefined) => Promise<T>;

/** Sends requests to the broker that manages the transactional id, and looks for it again when it may have moved. */
function coordinatorOf(connections: Connections, options: TransactionsOptions): Coordinate {
  let known: number | undefined;
  const find = async (): Promise<number> => {
    const found = await connections.send(undefined, findCoordinator(options.transactionalId));
    const refused = only(found);
    if (refused !== undefined) throw refused;
    return found.node;
  };
  return (request, refused) =>
    untilDone(options, async () => {
      try {
        known ??= await find();
        const answer = await connections.send(known, request);
        const error = refused(answer);
        if (error !== undefined) throw error;
        return answer;
      } catch (error) {
        if (!isConcurrent(error)) known = undefined;
        throw error;
      }
    });
}

function only({ error }: { readonly error: number }): Error | undefined {
  return error === 0 ? undefined : refusal(error);
}

function firstRefused(outcomes: readonly Outcome[]): Error | undefined {
  const refused = outcomes.filter(({ error }) => error !== 0);
  const first = refused.find(({ error }) => error !== OPERATION_NOT_ATTEMPTED) ?? refused[0];
  return first === undefined ? undefined : refusal(first.error, first.topic);
}

function partitionsOf(sends: readonly (readonly OutRecord[])[]): readonly Partition[] {
  const topics = new Map<string, Set<number>>();
  for (const send of sends)
    for (const { topic, partition } of send) {
      const known = topics.get(topic);
      if (known === undefined) topics.set(topic, new Set([partition]));
      else known.add(partition);
    }
  return [...topics].flatMap(([topic, own]) => [...own].map((partition) => ({ topic, partition })));
}

/** Writes one batch for each partition, and counts what this producer has written to it. */
function encoder(): (send: readonly OutRecord[], producer: Producer) => readonly Batch[] {
  const next = new Map<string, Map<number, number>>();
  return (send, { producerId, epoch }) => {
    const now = Date.now();
    return [...Map.groupBy(send, ({ topic }) => topic)].flatMap(([topic, own]) => {
      const sequences = next.get(topic) ?? new Map<number, number>();
      next.set(topic, sequences);
      return [...Map.groupBy(own, ({ partition }) => partition)].map(([partition, records]): Batch => {
        const sequence = sequences.get(partition) ?? 0;
        sequences.set(partition, (sequence + records.length) % SEQUENCES);
        return { topic, partition, bytes: encodeBatch(records, { producerId, epoch, sequence }, now) };
      });
    });
  };
}
