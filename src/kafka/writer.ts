/**
 * The one writer of a connector: each commit is one Kafka transaction. What was not committed was not seen
 * by readers with isolation.level=read_committed.
 */
import type { Message, Producer, TopicMessages, Transaction } from "kafkajs";
import { GuardError } from "../errors.ts";
import type { KafkaClient } from "./client.ts";
import { closeNowAndAfter, within } from "./deadline.ts";
import { isNotAttempted, kafkaError } from "./errors.ts";
import type { OutRecord } from "./record.ts";
import { cutIntoSends, fits, mustHoldAll } from "./sends.ts";
import { nameMissing } from "./topics.ts";

export interface WriterOptions {
  /** The state topic's name: whoever can write the state is fenced. */
  readonly transactionalId: string;
  /** After this long without a commit the broker aborts the transaction and fences the writer. Default 15000. */
  readonly timeoutMs?: number | undefined;
  /** How long one commit may take in all before it is `kafka-down`. Default 30000. */
  readonly commitTimeoutMs?: number | undefined;
  /** How long a commit under way may go on after its signal: cut off, it holds readers up until `timeoutMs`. Default 4000. */
  readonly graceMs?: number | undefined;
  /** The topic's max.message.bytes. */
  readonly maxBytes: (topic: string) => number;
}

export interface TransactionalWriter extends AsyncDisposable {
  /**
   * Writes all records in one transaction, in order per partition; none of them is seen unless all are. No
   * records: nothing happens. One commit at a time; a signal lets the one under way finish within `graceMs`. The first commit is what fences older writers of the
   * same transactional id, not the opening.
   *
   * Any error but `record-too-large` leaves the outcome unknown and the writer dead: dispose it, open a new
   * one, commit something unique and read the topic up to that.
   * @throws GuardError kafka-fenced, kafka-down, kafka-refused, topic-missing, record-too-large; the signal's reason
   */
  commit(records: readonly OutRecord[], signal?: AbortSignal): Promise<void>;
  /** The topic's max.message.bytes when no batch can hold this record; undefined when one can. */
  limitBrokenBy(record: OutRecord): number | undefined;
}

/**
 * The next transaction's first request meets CONCURRENT_TRANSACTIONS while the broker writes the last one's
 * markers, and kafkajs sleeps between tries: 300 ms by its defaults, hence these. Bounded by commitTimeoutMs.
 */
const RETRY = { initialRetryTime: 1, multiplier: 1.2, retries: 200, maxRetryTime: 300 } as const;
const OPEN_TIMEOUT_MS = 30_000;
const ABORT_TIMEOUT_MS = 2_000;

/** @throws GuardError kafka-down, kafka-refused */
export async function openWriter(kafka: KafkaClient, options: WriterOptions): Promise<TransactionalWriter> {
  const writer = new Writer(kafka, options);
  await writer.connect();
  return writer;
}

class Writer implements TransactionalWriter {
  readonly #producer: Producer;
  readonly #kafka: KafkaClient;
  readonly #options: WriterOptions;
  #work: Promise<void> = Promise.resolve();
  #state: "open" | "committing" | "dead" = "open";

  constructor(kafka: KafkaClient, options: WriterOptions) {
    this.#kafka = kafka;
    this.#options = options;
    this.#producer = kafka.inner.producer({
      transactionalId: options.transactionalId,
      transactionTimeout: options.timeoutMs ?? 15_000,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
      createPartitioner: () => (choice) => this.#partitionOf(choice.message),
    });
  }

  async connect(): Promise<void> {
    const doing = `connect as ${this.#options.transactionalId}`;
    try {
      this.#work = this.#producer.connect();
      await within(OPEN_TIMEOUT_MS, doing, this.#work);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw kafkaError(error, doing);
    }
  }

  async commit(records: readonly OutRecord[], signal?: AbortSignal): Promise<void> {
    if (this.#state !== "open")
      throw new GuardError("kafka-down", `writer ${this.#options.transactionalId} is ${this.#state}`);
    signal?.throwIfAborted();
    const sends = cutIntoSends(records, this.#options.maxBytes);
    if (sends.length === 0) return;
    this.#state = "committing";
    const doing = `commit to ${topicsOf(records)}`;
    try {
      this.#work = this.#transactNamed(sends);
      const { commitTimeoutMs = 30_000, graceMs = 4_000 } = this.#options;
      await within(commitTimeoutMs, doing, this.#work, signal, graceMs);
      this.#state = "open";
    } catch (error) {
      this.#state = "dead";
      if (signal?.aborted === true && error === signal.reason) throw error;
      throw await nameMissing(this.#kafka, kafkaError(error, doing), new Set(records.map(({ topic }) => topic)));
    }
  }

  limitBrokenBy(record: OutRecord): number | undefined {
    const limit = this.#options.maxBytes(record.topic);
    return fits(record, limit) ? undefined : limit;
  }

  /**
   * Of a request that names several topics, one refused topic makes the broker answer "not attempted" for the others,
   * and kafkajs throws whichever comes first. Nothing was written then; topic by topic the refusal has its own name.
   */
  async #transactNamed(sends: readonly (readonly OutRecord[])[]): Promise<void> {
    try {
      await this.#transact(sends);
    } catch (error) {
      if (!isNotAttempted(error)) throw error;
      await this.#transact(sends.flatMap(splitByTopic));
    }
  }

  async #transact(sends: readonly (readonly OutRecord[])[]): Promise<void> {
    const transaction = await this.#producer.transaction();
    try {
      for (const send of sends) {
        this.#mustLive();
        const answer = await transaction.sendBatch({ acks: -1, timeout: 10_000, topicMessages: byTopic(send) });
        mustHoldAll(answer, send);
      }
      this.#mustLive();
    } catch (error) {
      await abort(transaction);
      throw error;
    }
    await transaction.commit();
  }

  /** kafkajs asks before each try of a send: a dead writer's retries end here. */
  #partitionOf(message: Message): number {
    this.#mustLive();
    return message.partition ?? 0;
  }

  #mustLive(): void {
    if (this.#state === "dead") throw new GuardError("kafka-down", "the writer was given up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "dead";
    await closeNowAndAfter(this.#work, () => this.#producer.disconnect());
  }
}

/** Best effort: the next writer's fence aborts it anyway; an abort lets readers go on at once. */
async function abort(transaction: Transaction): Promise<void> {
  if (!transaction.isActive()) return;
  await within(ABORT_TIMEOUT_MS, "abort", transaction.abort()).catch(() => {});
}

function splitByTopic(send: readonly OutRecord[]): readonly (readonly OutRecord[])[] {
  return [...Map.groupBy(send, ({ topic }) => topic).values()];
}

function byTopic(send: readonly OutRecord[]): TopicMessages[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, partition, key, value, headers } of send) {
    const message =
      headers === undefined ? { partition, key, value } : { partition, key, value, headers: { ...headers } };
    const messages = topics.get(topic);
    if (messages === undefined) topics.set(topic, [message]);
    else messages.push(message);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

function topicsOf(records: readonly OutRecord[]): string {
  const topics = [...new Set(records.map(({ topic }) => topic))];
  return topics.length <= 5
    ? topics.join(", ")
    : `${topics.slice(0, 5).join(", ")} and ${topics.length - 5} more topics`;
}
