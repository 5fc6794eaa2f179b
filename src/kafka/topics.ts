import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Admin, type ITopicConfig } from "kafkajs"; // Node finds no named export ConfigResourceTypes
import type { KafkaClient } from "./client.ts";
import { closeNowAndAfter, within } from "./deadline.ts";
import { GuardError } from "../errors.ts";
import { isNotLed, kafkaError } from "./errors.ts";

/** Topics: describes them, creates them with the settings that each of ours needs, and reads their offsets. */

export interface TopicDescription {
  readonly partitions: number;
  /** max.message.bytes: the largest record batch. */
  readonly maxMessageBytes: number;
  /** `compact`, `delete` or `compact,delete`. */
  readonly cleanupPolicy: string;
  /** Every setting in effect, including defaults. Sensitive values are absent. */
  readonly config: ReadonlyMap<string, string>;
}

export interface NewTopic {
  readonly name: string;
  /** The default -1 means the broker's num.partitions. */
  readonly partitions?: number | undefined;
  /** The default -1 means the broker's default.replication.factor. */
  readonly replication?: number | undefined;
  readonly config?: Readonly<Record<string, string>> | undefined;
}

const TIMEOUT_MS = 30_000;
const MIB = 1024 * 1024;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * For `__fieldgate.<deployment>.state.<connector>`: small segments that are compacted soon, so that a restart reads
 * little.
 */
export const stateTopicConfig = {
  "cleanup.policy": "compact",
  "segment.bytes": String(16 * MIB),
  "segment.ms": String(10 * MINUTE),
  "delete.retention.ms": String(10 * MINUTE),
  "min.cleanable.dirty.ratio": "0.1",
} as const;

/**
 * `__fieldgate.<deployment>.parked.<connector>`: a change stays until it is replayed, however long that takes. It may be
 * larger than its event, which is what parks it.
 */
export const parkedTopicConfig = {
  ...stateTopicConfig,
  "segment.bytes": String(64 * MIB),
  "max.message.bytes": String(64 * MIB),
} as const;

/** `__fieldgate.<deployment>.contracts` */
export const contractsTopicConfig = { "cleanup.policy": "compact" } as const;

/** `__fieldgate.<deployment>.commands` */
export const commandsTopicConfig = { "cleanup.policy": "delete", "retention.ms": String(30 * DAY) } as const;

/**
 * Describes topics by name; undefined if the topic does not exist, or if this principal may not see it.
 * @throws GuardError kafka-down, kafka-refused
 */
export async function describeTopics(
  kafka: KafkaClient,
  names: readonly string[],
): Promise<Map<string, TopicDescription | undefined>> {
  return withAdmin(kafka, `describe ${nameTopics(names)}`, (admin) =>
    // A topic may be deleted after it was listed; then all are listed again.
    pollUntilKnown(isUnknownTopic, () => describeListed(admin, names)),
  );
}

async function describeListed(
  admin: Admin,
  names: readonly string[],
): Promise<Map<string, TopicDescription | undefined>> {
  const all = new Set(await admin.listTopics());
  const seen = names.filter((name) => all.has(name));
  const described = new Map<string, TopicDescription | undefined>(names.map((name) => [name, undefined]));
  if (seen.length === 0) return described;
  const { topics } = await admin.fetchTopicMetadata({ topics: [...seen] });
  const configs = await configsOf(admin, seen);
  for (const { name, partitions } of topics) {
    const config = configs.get(name) ?? new Map<string, string>();
    described.set(name, {
      partitions: partitions.length,
      maxMessageBytes: Number(config.get("max.message.bytes") ?? MIB),
      cleanupPolicy: config.get("cleanup.policy") ?? "delete",
      config,
    });
  }
  return described;
}

/** The settings in effect, by topic. For this folder only. */
export async function configsOf(admin: Admin, names: readonly string[]): Promise<Map<string, Map<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      // A sensitive value is null, although kafkajs' types do not say so.
      new Map(
        configEntries
          .filter(({ configValue }) => configValue !== null)
          .map((entry) => [entry.configName, entry.configValue]),
      ),
    ]),
  );
}

/** How many topics are created with one request. */
const CREATED_AT_ONCE = 50;

/**
 * Creates the topics and waits until their leaders are known. Existing topics are left unchanged.
 * @throws GuardError kafka-refused (missing right, policy, invalid setting), kafka-down
 */
export async function createTopics(kafka: KafkaClient, topics: readonly NewTopic[]): Promise<void> {
  for (let from = 0; from < topics.length; from += CREATED_AT_ONCE) {
    const some = topics.slice(from, from + CREATED_AT_ONCE);
    const names = some.map(({ name }) => name);
    await withAdmin(kafka, `create ${nameTopics(names)}`, async (admin) => {
      await admin.createTopics({ waitForLeaders: false, timeout: 15_000, topics: some.map(requestOf) });
      await untilLed(admin, names);
    });
  }
}

function requestOf({ name, partitions, replication, config }: NewTopic): ITopicConfig {
  return {
    topic: name,
    numPartitions: partitions ?? -1,
    replicationFactor: replication ?? -1,
    configEntries: Object.entries(config ?? {}).map(([key, value]) => ({ name: key, value })),
  };
}

/** Names a few of the topics, for a message. */
function nameTopics(names: readonly string[]): string {
  const [first = "", ...others] = names;
  if (others.length === 0) return `topic ${first}`;
  return others.length < 5 ? `topics ${names.join(", ")}` : `topic ${first} and ${others.length} others`;
}

const LED_WITHIN_MS = 15_000;

/**
 * Waits until the topics' partitions have leaders. kafkajs' own wait gives up if the broker that it asks has not heard
 * of the topic from the controller yet.
 */
async function untilLed(admin: Admin, names: readonly string[]): Promise<void> {
  await pollUntilKnown(isUnknownTopic, async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0)) ? topics : undefined;
  });
}

function isUnknownTopic(error: unknown): boolean {
  return kafkaError(error, "").code === "topic-missing";
}

/**
 * Polls until there is an answer. `isEarly`: true if the error only means that a topic is new or was just
 * deleted, which is not known everywhere yet.
 */
async function pollUntilKnown<T>(isEarly: (error: unknown) => boolean, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + LED_WITHIN_MS;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      if (performance.now() > deadline || !isEarly(error)) throw error;
    }
    await sleep(50);
  }
}

export interface OffsetRange {
  /** The offset of the oldest record. */
  readonly begin: bigint;
  /** The last stable offset, where a read-committed reader stops: before the oldest open transaction. */
  readonly end: bigint;
}

/**
 * Offsets by partition.
 * @throws GuardError topic-missing, kafka-down, kafka-refused
 */
export async function topicOffsets(kafka: KafkaClient, topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
  // kafkajs gives up immediately; a new connection asks for the leaders again.
  return pollUntilKnown(isNotLed, () =>
    withAdmin(kafka, `fetch offsets of ${topic}`, (admin) => offsetsOf(admin, topic)),
  );
}

async function offsetsOf(admin: Admin, topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(offsets.map(({ partition, low, high }) => [partition, { begin: BigInt(low), end: BigInt(high) }]));
}

/** Those of the topics to which nothing was ever written; topics that are gone are left out. @throws as topicOffsets */
export async function emptyTopics(kafka: KafkaClient, names: readonly string[]): Promise<readonly string[]> {
  return withAdmin(kafka, "look for empty topics", async (admin) => {
    const empty: string[] = [];
    for (const name of names) {
      const offsets = await admin.fetchTopicOffsets(name).catch((error: unknown) => {
        if (isUnknownTopic(error)) return undefined;
        throw error;
      });
      if (offsets?.every(({ high }) => high === "0")) empty.push(name);
    }
    return empty;
  });
}

/**
 * End offsets by partition, for Tail.reached.
 * @throws GuardError as topicOffsets does
 */
export async function endOffsets(kafka: KafkaClient, topic: string): Promise<ReadonlyMap<number, bigint>> {
  return new Map([...(await topicOffsets(kafka, topic))].map(([partition, { end }]) => [partition, end]));
}

/**
 * kafkajs retries a topic that does not exist until our deadline, so `kafka-down` may mean a missing topic. In that
 * case the returned error names the topic. For this folder only.
 */
export async function nameMissing(
  kafka: KafkaClient,
  error: GuardError,
  topics: ReadonlySet<string>,
): Promise<GuardError> {
  if (error.code !== "kafka-down") return error;
  try {
    const existing = new Set(await withAdmin(kafka, "list topics", (admin) => admin.listTopics()));
    const missing = [...topics].filter((topic) => !existing.has(topic));
    if (missing.length === 0) return error;
    return new GuardError("topic-missing", `no topic ${missing.join(", ")}, or this principal may not see it`, {
      next: "create it, or allow this principal to describe and create it",
      cause: error,
    });
  } catch {
    return error;
  }
}

/** Runs the work on its own admin connection, with a deadline and translated errors. For this folder only. */
export function withAdmin<T>(kafka: KafkaClient, doing: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  return withConnected(kafka.inner.admin(), doing, work);
}

/** Connects this client, runs the work as `withAdmin` does, and closes the client. */
export async function withConnected<T>(admin: Admin, doing: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const connected = async () => {
    await admin.connect();
    return work(admin);
  };
  const working = connected();
  try {
    return await within(TIMEOUT_MS, doing, working);
  } catch (error) {
    throw kafkaError(error, doing);
  } finally {
    await closeNowAndAfter(working, () => admin.disconnect());
  }
}
