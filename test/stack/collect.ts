import { randomBytes } from "node:crypto";
import type { Consumer, EachBatchPayload, IHeaders, Kafka } from "kafkajs";
import { kafkaClient } from "./topic.ts";
import { until } from "./until.ts";

export interface Collected {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

/** All committed records of some topics, in the order of each partition. */
export interface Collector extends AsyncDisposable {
  readonly records: readonly Collected[];
  /** Waits until `predicate` holds for the records so far, and returns them. */
  until(
    predicate: (records: readonly Collected[]) => boolean,
    what: string,
    deadline?: number,
  ): Promise<readonly Collected[]>;
  /** Waits for at least `count` records. */
  count(count: number, deadline?: number): Promise<readonly Collected[]>;
  /** Waits until everything that is in the topics now has been read, and returns all records. */
  toEnd(deadline?: number): Promise<readonly Collected[]>;
}

/** No offsets are committed, so a consumer that lost its broker starts again; records it has already are skipped. */
function gather(into: Collected[], { batch }: EachBatchPayload): void {
  const last = into.findLast(({ topic, partition }) => topic === batch.topic && partition === batch.partition);
  for (const message of batch.messages) {
    if (last !== undefined && BigInt(message.offset) <= last.offset) continue;
    into.push({
      topic: batch.topic,
      partition: batch.partition,
      offset: BigInt(message.offset),
      timestamp: BigInt(message.timestamp),
      key: message.key,
      value: message.value,
      headers: message.headers ?? {},
    });
  }
}

/** Subscribing to a topic that does not exist is an error, so this waits until the service has created them. */
async function topicsExist(kafka: Kafka, topics: readonly string[], stopped: AbortSignal): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await until(
      async () => {
        const existing = new Set(await admin.listTopics());
        return stopped.aborted || topics.every((topic) => existing.has(topic));
      },
      `topics ${topics.join(", ")} exist`,
      120_000,
    );
  } finally {
    await admin.disconnect();
  }
}

/**
 * Whether a reader that has read each partition up to `reached` has passed the topics' present ends. An end is the high
 * watermark: a service learns that its transaction is committed a moment before read-committed readers may see it, so
 * the end that they see could be too early. A topic that does not exist has nothing to read.
 */
async function passedBy(
  kafka: Kafka,
  topics: readonly string[],
): Promise<(reached: ReadonlyMap<string, bigint>) => boolean> {
  const admin = uncommitted(kafka).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const ends = await Promise.all(
      topics
        .filter((topic) => existing.has(topic))
        .map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const),
    );
    return (reached) =>
      ends.every(([topic, partitions]) =>
        partitions.every(
          ({ partition, low, high }) => low === high || (reached.get(`${topic}/${partition}`) ?? 0n) >= BigInt(high),
        ),
      );
  } finally {
    await admin.disconnect();
  }
}

type CreateCluster = (options: object) => unknown;

/** The same client, except that its admins see the ends of topics with transactions that are still open. */
function uncommitted(kafka: Kafka): Kafka {
  const key = Object.getOwnPropertySymbols(kafka).find(
    (symbol) => symbol.description === "private:Kafka:createCluster",
  );
  if (key === undefined) throw new Error("kafkajs creates its clusters in another way");
  const create = Reflect.get(kafka, key) as CreateCluster; // kafkajs' own function; its admins pass no isolationLevel
  return Object.create(kafka, {
    [key]: { value: (options: object) => create({ ...options, isolationLevel: 0 }) },
  }) as Kafka; // inherits everything else
}

async function run(
  consumer: Consumer,
  topics: readonly string[],
  into: Collected[],
  reached: Map<string, bigint>,
): Promise<void> {
  // Also for batches that hold nothing but the ends of transactions.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
    reached.set(`${topic}/${partition}`, BigInt(lastOffset) + 1n);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatch: async (payload) => gather(into, payload) });
}

/**
 * Starts to read `topics` and returns at once, even if they do not exist yet. The consumer's group is named
 * `fieldgate.test.…`, so that Fieldgate does not count it as a reader of the events.
 */
export function collect(topics: readonly string[], kafka: Kafka = kafkaClient()): Collector {
  const records: Collected[] = [];
  const reached = new Map<string, bigint>();
  const stop = new AbortController();
  const consumer = kafka.consumer({ groupId: `fieldgate.test.${randomBytes(6).toString("hex")}`, maxWaitTimeInMs: 50 });
  let failure: unknown;
  const reading = (async () => {
    await topicsExist(kafka, topics, stop.signal);
    if (!stop.signal.aborted) await run(consumer, topics, records, reached);
  })().catch((error: unknown) => (failure = error));
  async function wait(
    predicate: (records: readonly Collected[]) => boolean,
    what: string,
    deadline?: number,
  ): Promise<readonly Collected[]> {
    const met = () => failure !== undefined || predicate(records);
    await until(met, what, deadline).catch((cause: unknown) => {
      throw new Error(`${what}: ${records.length} records came of ${topics.join(", ")}`, { cause });
    });
    if (failure !== undefined) throw new Error(`the collector of ${topics.join(", ")} failed`, { cause: failure });
    return records;
  }
  return {
    records,
    until: wait,
    count: (count, deadline) => wait((all) => all.length >= count, `${count} records are there`, deadline),
    async toEnd(deadline) {
      const isPassed = await passedBy(kafka, topics);
      return wait(() => isPassed(reached), "everything in the topics is read", deadline);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
      await consumer.disconnect();
    },
  };
}
