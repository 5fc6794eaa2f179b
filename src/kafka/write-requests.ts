/**
 * The requests of a transactional writer, in the versions that kafkajs sends too, so that every broker which kafkajs can
 * talk to takes them. The form of each message is defined in Apache Kafka (clients/src/main/resources/common/message).
 */
import type { BatchOrigin } from "./wire/batch.ts";
import { classicList, type ClassicReader, classicText, int16, int32, int64, int8 } from "./wire/classic.ts";

/** One version of one request, ready to be sent. */
export interface WriteRequest<T> {
  readonly key: number;
  readonly name: string;
  readonly version: number;
  /** The parts of the message, in order. They are not copied: record batches go to the socket as they were written. */
  readonly body: readonly Buffer[];
  readonly read: (answer: ClassicReader) => Answered<T>;
}

export interface Answered<T> {
  readonly answer: T;
  /** How long the broker asks to send it nothing. */
  readonly throttleMs: number;
}

/** Kafka's number for an error; 0 means none. */
type ErrorNumber = number;

export type Producer = Pick<BatchOrigin, "producerId" | "epoch">;

export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** What a broker says of one partition. */
export interface Outcome extends Partition {
  readonly error: ErrorNumber;
}

export interface WrittenAt extends Outcome {
  /** Of the batch's first record; -1 if the broker does not say. */
  readonly offset: bigint;
}

/** A record batch, written. */
export interface Batch extends Partition {
  readonly bytes: Buffer;
}

const TRANSACTION_COORDINATOR = 1;
const ALL_IN_SYNC = -1;

/** FindCoordinator, version 1: the broker that manages this transactional id. */
export function findCoordinator(
  transactionalId: string,
): WriteRequest<{ readonly error: ErrorNumber; readonly node: number }> {
  return {
    key: 10,
    name: "FindCoordinator",
    version: 1,
    body: [classicText(transactionalId), int8(TRANSACTION_COORDINATOR)],
    read: (answer) => {
      const throttleMs = answer.int32();
      const error = answer.int16();
      answer.text();
      return { throttleMs, answer: { error, node: answer.int32() } };
    },
  };
}

/** InitProducerId, version 1: fences every older producer with this id, and aborts its transaction. */
export function initProducerId(
  transactionalId: string,
  timeoutMs: number,
): WriteRequest<Producer & { readonly error: ErrorNumber }> {
  return {
    key: 22,
    name: "InitProducerId",
    version: 1,
    body: [classicText(transactionalId), int32(timeoutMs)],
    read: (answer) => {
      const throttleMs = answer.int32();
      return {
        throttleMs,
        answer: { error: answer.int16(), producerId: answer.int64(), epoch: answer.int16() },
      };
    },
  };
}

/** AddPartitionsToTxn, version 1. */
export function addPartitions(
  transactionalId: string,
  { producerId, epoch }: Producer,
  partitions: readonly Partition[],
): WriteRequest<readonly Outcome[]> {
  const topics = byTopic(partitions, ({ partition }) => [int32(partition)]);
  return {
    key: 24,
    name: "AddPartitionsToTxn",
    version: 1,
    body: [classicText(transactionalId), int64(producerId), int16(epoch), ...topics],
    read: (answer) => ({
      throttleMs: answer.int32(),
      answer: perPartition(answer, (topic) => ({ topic, partition: answer.int32(), error: answer.int16() })),
    }),
  };
}

/** Produce, version 7: the batches that one broker leads. It answers when all replicas in sync have them. */
export function produce(
  transactionalId: string,
  batches: readonly Batch[],
  timeoutMs: number,
): WriteRequest<readonly WrittenAt[]> {
  const topics = byTopic(batches, ({ partition, bytes }) => [int32(partition), int32(bytes.length), bytes]);
  return {
    key: 0,
    name: "Produce",
    version: 7,
    body: [classicText(transactionalId), int16(ALL_IN_SYNC), int32(timeoutMs), ...topics],
    read: (answer) => {
      const written = perPartition(answer, (topic): WrittenAt => {
        const outcome = { topic, partition: answer.int32(), error: answer.int16(), offset: answer.int64() };
        answer.int64(); // the time of appending
        answer.int64(); // the log's first offset
        return outcome;
      });
      return { answer: written, throttleMs: answer.int32() };
    },
  };
}

/** EndTxn, version 1. */
export function endTransaction(
  transactionalId: string,
  { producerId, epoch }: Producer,
  commit: boolean,
): WriteRequest<{ readonly error: ErrorNumber }> {
  return {
    key: 26,
    name: "EndTxn",
    version: 1,
    body: [classicText(transactionalId), int64(producerId), int16(epoch), int8(commit ? 1 : 0)],
    read: (answer) => ({ throttleMs: answer.int32(), answer: { error: answer.int16() } }),
  };
}

function byTopic<T extends Partition>(items: readonly T[], write: (item: T) => readonly Buffer[]): readonly Buffer[] {
  const topics = [...Map.groupBy(items, ({ topic }) => topic)];
  return classicList(topics.map(([topic, own]) => [classicText(topic), ...classicList(own.map(write))]));
}

function perPartition<T>(answer: ClassicReader, read: (topic: string) => T): readonly T[] {
  return answer
    .list(() => {
      const topic = answer.text() ?? "";
      return answer.list(() => read(topic));
    })
    .flat();
}
