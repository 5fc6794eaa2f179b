/**
 * The only writer of a connector. Each commit is one Kafka transaction: readers with isolation.level=read_committed see
 * only what was committed.
 */
import type { PartitionerArgs, Producer, Transaction } from "kafkajs";
import { GuardError } from "../errors.ts";
import type { KafkaClient } from "./client.ts";
import { closeNowAndAfter, within } from "./deadline.ts";
import { isNotAttempted, kafkaError } from "./errors.ts";
import { callOf, createLeaders, SeveralLeaders } from "./leaders.ts";
import type { OutRecord } from "./record.ts";
import { cutIntoSends, fits, mustFollow, mustHoldAll } from "./sends.ts";
import { rejectIfShort } from "./replicas.ts";
import { nameMissing } from "./topics.ts";

export interface WriterOptions {
  /** The state topic's name, so that every older writer of the same state is fenced. */
  readonly transactionalId: string;
  /**
   * If there is no commit for this long, the broker aborts the transaction and fences the writer. The default is 15000.
   */
  readonly timeoutMs?: number | undefined;
  /** The longest time that one commit may take before it fails with `kafka-down`. The default is 30000. */
  readonly commitTimeoutMs?: number | undefined;
  /**
   * How long a commit may continue after its signal aborts. A commit that is cut off blocks readers until `timeoutMs`.
   * The default is 4000.
   */
  readonly graceMs?: number | undefined;
  /** What earlier writers of this process have written: how far each partition goes at least. */
  readonly ends?: Map<string, bigint> | undefined;
  /** The topic's max.message.bytes. */
  readonly maxBytes: (topic: string) => number;
}

export interface TransactionalWriter extends AsyncDisposable {
  /**
   * Writes all records in one transaction, in order per partition; either all or none are seen. Without records it does
   * nothing. Only one commit may run at a time; after the signal aborts, it may still finish within `graceMs`. Older
   * writers with the same transactional id are fenced by the first commit, not by opening the writer.
   *
   * After any error except `record-too-large` the outcome is unknown and the writer is dead: dispose of it, open a new
   * one, commit something unique, and read the topic up to it.
   * @throws GuardError kafka-fenced, kafka-down, kafka-refused, topic-missing, record-too-large; the signal's reason
   */
  commit(records: readonly OutRecord[], signal?: AbortSignal): Promise<void>;
  /** The topic's max.message.bytes if no batch can hold this record; undefined if one can. */
  limitBrokenBy(record: OutRecord): number | undefined;
}

/**
 * The first request of a transaction gets CONCURRENT_TRANSACTIONS while the broker writes the markers of the previous
 * one, and kafkajs sleeps between attempts, by default for 300 ms. Hence these values. commitTimeoutMs limits the total
 * time.
 */
const RETRY = { initialRetryTime: 1, multiplier: 1.2, retries: 200, maxRetryTime: 300 } as const;
const OPEN_TIMEOUT_MS = 30_000;
/** A commit that takes longer than this may be refused for as long as replicas are missing. */
const LATE_MS = 4_000;
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
  readonly #ends: Map<string, bigint>;
  readonly #leaders = createLeaders();
  #work: Promise<void> = Promise.resolve();
  #state: "open" | "committing" | "dead" = "open";

  constructor(kafka: KafkaClient, options: WriterOptions) {
    this.#kafka = kafka;
    this.#options = options;
    this.#ends = options.ends ?? new Map();
    this.#producer = kafka.inner.producer({
      transactionalId: options.transactionalId,
      transactionTimeout: options.timeoutMs ?? 15_000,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
      createPartitioner: () => (choice) => this.#partitionOf(choice),
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
      const topics = [...new Set(records.map(({ topic }) => topic))];
      using short = rejectIfShort(this.#kafka, doing, topics, LATE_MS);
      await within(commitTimeoutMs, doing, Promise.race([this.#work, short.rejected]), signal, graceMs);
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
   * If a request names several topics and one is refused, the broker answers "not attempted" for the others, and
   * kafkajs throws whichever error comes first. Nothing was written, so each topic is tried alone to find out which one
   * was refused.
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
      for (const send of sends) await this.#send(transaction, send);
      this.#mustLive();
    } catch (error) {
      await abort(transaction);
      throw error;
    }
    await transaction.commit();
  }

  /** One call for each leader, side by side. None is left running, whatever becomes of the others. */
  async #send(transaction: Transaction, records: readonly OutRecord[]): Promise<void> {
    this.#mustLive();
    const groups = this.#leaders.group(records);
    const answers = await Promise.allSettled(
      groups.map(async (group) => {
        const answer = await transaction.sendBatch({ acks: -1, timeout: 10_000, topicMessages: callOf(group) });
        mustHoldAll(answer, group);
        mustFollow(answer, this.#ends);
      }),
    );
    const failed = answers.flatMap(
      (answer, index) =>
        answer.status === "rejected" ? [{ error: answer.reason as unknown, group: groups[index] ?? [] }] : [], // a reason is of type any
    );
    for (const { error } of failed) if (!(error instanceof SeveralLeaders)) throw error;
    // Their leaders were not known or have moved; now they are known.
    for (const { group } of failed) await this.#send(transaction, group);
  }

  /** kafkajs calls this before each attempt of a send, so a dead writer's retries end here. */
  #partitionOf(choice: PartitionerArgs): number {
    this.#mustLive();
    return this.#leaders.partitionOf(choice);
  }

  #mustLive(): void {
    if (this.#state === "dead") throw new GuardError("kafka-down", "the writer was abandoned");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "dead";
    await closeNowAndAfter(this.#work, () => this.#producer.disconnect());
  }
}

/**
 * Aborts on a best-effort basis. This only lets readers continue sooner, because the next writer aborts the transaction
 * anyway when it fences this one.
 */
async function abort(transaction: Transaction): Promise<void> {
  if (!transaction.isActive()) return;
  await within(ABORT_TIMEOUT_MS, "abort", transaction.abort()).catch(() => {});
}

function splitByTopic(send: readonly OutRecord[]): readonly (readonly OutRecord[])[] {
  return [...Map.groupBy(send, ({ topic }) => topic).values()];
}

function topicsOf(records: readonly OutRecord[]): string {
  const topics = [...new Set(records.map(({ topic }) => topic))];
  return topics.length <= 5
    ? topics.join(", ")
    : `${topics.slice(0, 5).join(", ")} and ${topics.length - 5} more topics`;
}
