/**
 * Reads a whole topic as the only member of a group. kafkajs has no assign(), so every read uses its own consumer
 * group, which is deleted afterwards. It commits no offsets; the caller says where to start.
 */
import { randomUUID } from "node:crypto";
import type { Consumer, KafkaMessage } from "kafkajs";
import type { GuardError } from "../errors.ts";
import { CLIENT_RETRY, type KafkaClient } from "./client.ts";
import { within } from "./deadline.ts";
import { kafkaError } from "./errors.ts";
import type { InRecord } from "./record.ts";
import { withAdmin } from "./topics.ts";

export interface Reading {
  readonly topic: string;
  /** The next offset of each partition: at first where to start, and later how far the reading has come. */
  readonly positions: Map<number, bigint>;
  readonly onRecord: (record: InRecord) => void;
  /** Called when the positions have moved, even if only past markers or aborted records. */
  readonly onProgress: () => void;
  /** Called when the reading has ended for good. */
  readonly onFailure: (error: GuardError) => void;
  /** True if reading rejoins and continues after losing every broker. Otherwise, that is a failure. */
  readonly restarts: boolean;
}

const JOIN_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 10_000;

/** Starts reading; returns the function that stops it. @throws GuardError topic-missing, kafka-down, kafka-refused */
export async function startReading(kafka: KafkaClient, reading: Reading): Promise<() => Promise<void>> {
  const groupId = `fieldgate.${kafka.deployment}.${randomUUID()}`;
  const consumer = kafka.inner.consumer({
    groupId,
    allowAutoTopicCreation: false,
    minBytes: 1,
    maxWaitTimeInMs: 250, // This only affects how long a stop takes; records are returned at once.
    maxBytesPerPartition: 4 * 1024 * 1024,
    retry: { ...CLIENT_RETRY, restartOnFailure: () => Promise.resolve(reading.restarts) },
  });
  const stop = () => stopReading(kafka, consumer, groupId);
  const doing = `read ${reading.topic}`;
  try {
    await within(JOIN_TIMEOUT_MS, doing, start(consumer, reading));
    return stop;
  } catch (error) {
    await stop();
    throw kafkaError(error, doing);
  }
}

async function start(consumer: Consumer, reading: Reading): Promise<void> {
  const { topic, positions } = reading;
  const joined = Promise.withResolvers<void>();
  joined.promise.catch(() => {}); // it may fail before it is awaited
  consumer.on(consumer.events.GROUP_JOIN, () => {
    // After every join, even a later one, kafkajs has no offsets and would start at the beginning.
    for (const [partition, offset] of positions) consumer.seek({ topic, partition, offset: String(offset) });
    joined.resolve();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart) return;
    const error = kafkaError(payload.error, `read ${topic}`);
    joined.reject(error);
    reading.onFailure(error);
  });
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    advance(positions, payload.partition, BigInt(payload.lastOffset) + 1n);
    reading.onProgress();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => {
      for (const message of batch.messages) handOn(reading, batch.partition, message);
      return Promise.resolve();
    },
  });
  await joined.promise;
}

function handOn(reading: Reading, partition: number, message: KafkaMessage): void {
  const offset = BigInt(message.offset);
  if (offset < (reading.positions.get(partition) ?? 0n)) return;
  reading.positions.set(partition, offset + 1n);
  const { key, value, timestamp } = message;
  reading.onRecord({ partition, offset, key, value, timestamp: Number(timestamp) });
}

function advance(positions: Map<number, bigint>, partition: number, next: bigint): void {
  if (next > (positions.get(partition) ?? 0n)) positions.set(partition, next);
}

async function stopReading(kafka: KafkaClient, consumer: Consumer, groupId: string): Promise<void> {
  const gone = consumer
    .disconnect()
    .then(() => withAdmin(kafka, `delete group ${groupId}`, (admin) => admin.deleteGroups([groupId])));
  await within(CLOSE_TIMEOUT_MS, `stop reading`, gone).catch(() => {}); // the group expires by itself
}

/** True if all these positions have reached their targets. */
export function hasReached(positions: ReadonlyMap<number, bigint>, targets: ReadonlyMap<number, bigint>): boolean {
  return [...targets].every(([partition, target]) => (positions.get(partition) ?? 0n) >= target);
}
