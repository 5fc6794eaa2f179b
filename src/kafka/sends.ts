import { GuardError } from "../errors.ts";
import { BATCH_OVERHEAD, recordBytes, type OutRecord } from "./record.ts";

/** Cuts the records of one transaction into requests that the broker accepts. */

/**
 * A request must be far smaller than the broker's socket.request.max.bytes (100 MB), whatever the number of partitions.
 */
const BYTES_PER_SEND = 16 * 1024 * 1024;
/**
 * The share of the topic's limit that is used: one send is one record batch per partition, and sizes are only
 * estimated.
 */
const SHARE_OF_LIMIT = 0.9;

/** What a broker answers for a batch that it has. */
export interface Written {
  readonly topicName: string;
  readonly partition: number;
  /** Negative if the broker does not say. */
  readonly baseOffset?: string;
}

/**
 * Cuts records into sends, in order. `maxBytes` is the topic's max.message.bytes, which limits the whole record batch.
 * @throws GuardError record-too-large for a record that no batch can hold, before anything is sent
 */
export function cutIntoSends(records: readonly OutRecord[], maxBytes: (topic: string) => number): OutRecord[][] {
  const sends: OutRecord[][] = [];
  let send: OutRecord[] = [];
  let total = 0;
  const batches = new BatchSizes();
  for (const record of records) {
    const size = recordBytes(record);
    const limit = maxBytes(record.topic);
    if (!fits(record, limit)) throw tooLarge(record, limit);
    const batch = batches.of(record) + size;
    const full = total + size > BYTES_PER_SEND || batch > limit * SHARE_OF_LIMIT;
    if (full && send.length > 0) {
      sends.push(send);
      send = [];
      total = 0;
      batches.clear();
    }
    send.push(record);
    total += size;
    batches.add(record, size);
  }
  if (send.length > 0) sends.push(send);
  return sends;
}

/**
 * True if a record batch of `limit` bytes can hold this record. The estimate is a few bytes below the broker's limit.
 */
export function fits(record: OutRecord, limit: number): boolean {
  return BATCH_OVERHEAD + recordBytes(record) <= limit;
}

/**
 * Throws unless the brokers confirm every partition. kafkajs drops records for a partition that the topic does not have
 * (or not yet, according to its metadata) and reports success; only the brokers' answers show it.
 * @throws GuardError kafka-down naming the partition
 */
export function mustHoldAll(answer: readonly Written[], send: readonly OutRecord[]): void {
  const written = new Set(answer.map(({ topicName, partition }) => `${topicName}/${partition}`));
  const lost = send.find(({ topic, partition }) => !written.has(`${topic}/${partition}`));
  if (lost !== undefined) throw noBrokerTook(lost);
}

export function noBrokerTook({ topic, partition }: Pick<OutRecord, "topic" | "partition">): GuardError {
  return new GuardError("kafka-down", `no broker took partition ${partition} of topic ${topic}`, {
    next: `check how many partitions ${topic} has`,
  });
}

/**
 * Offsets of a partition only grow. A smaller one means that the topic was deleted and made again, without what was
 * written to it: a broker that makes topics by itself does so when a consumer asks for one. `ends`: by topic and partition.
 */
export function mustFollow(answer: readonly Written[], ends: Map<string, bigint>): void {
  for (const { topicName, partition, baseOffset } of answer) {
    if (baseOffset === undefined || BigInt(baseOffset) < 0n) continue;
    const key = `${topicName}/${partition}`;
    const before = ends.get(key) ?? 0n;
    if (BigInt(baseOffset) < before) {
      forgetTopic(ends, topicName);
      throw madeAgain(topicName);
    }
    ends.set(key, BigInt(baseOffset) + 1n);
  }
}

/** The topic begins again: its offsets are not compared with those of before. */
export function forgetTopic(ends: Map<string, bigint>, topic: string): void {
  for (const key of ends.keys()) if (key.slice(0, key.lastIndexOf("/")) === topic) ends.delete(key);
}

function madeAgain(topic: string): GuardError {
  return new GuardError("topic-changed", `topic ${topic} was deleted and made again by somebody else`, {
    next: "nothing: all rows of its table are published again",
    emptied: topic,
  });
}

function tooLarge(record: OutRecord, limit: number): GuardError {
  const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
  return new GuardError(
    "record-too-large",
    `one record for topic ${record.topic} has ${bytes} bytes; the topic's max.message.bytes is ${limit}`,
    { next: `raise max.message.bytes of ${record.topic}, and the fetch limits of its readers` },
  );
}

/** Bytes so far, by partition. Used for every record, so the maps are nested instead of building joined keys. */
class BatchSizes {
  readonly #byTopic = new Map<string, Map<number, number>>();

  of({ topic, partition }: OutRecord): number {
    return this.#byTopic.get(topic)?.get(partition) ?? BATCH_OVERHEAD;
  }

  add(record: OutRecord, size: number): void {
    const sizes = this.#byTopic.get(record.topic) ?? new Map<number, number>();
    this.#byTopic.set(record.topic, sizes.set(record.partition, this.of(record) + size));
  }

  clear(): void {
    this.#byTopic.clear();
  }
}
