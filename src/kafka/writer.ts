/**
 * The only writer of a connector. Each commit is one Kafka transaction: readers with isolation.level=read_committed see
 * only what was committed.
 */
import { GuardError } from "../errors.ts";
import { type KafkaClient, writerLog } from "./client.ts";
import { type Connections, openConnections } from "./connections.ts";
import { closeNowAndAfter, within } from "./deadline.ts";
import { kafkaError } from "./errors.ts";
import type { OutRecord } from "./record.ts";
import { rejectIfShort } from "./replicas.ts";
import { type Attempts, isConcurrent, untilDone } from "./retries.ts";
import { cutIntoSends, fits, mustFollow } from "./sends.ts";
import { nameMissing } from "./topics.ts";
import { openTransactions, type Transactions } from "./transaction.ts";

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

const OPEN_TIMEOUT_MS = 30_000;
/** A commit that takes longer than this may be refused for as long as replicas are missing. */
const LATE_MS = 4_000;

/** @throws GuardError kafka-down, kafka-refused */
export async function openWriter(kafka: KafkaClient, options: WriterOptions): Promise<TransactionalWriter> {
  const writer = new Writer(kafka, options);
  await writer.connect();
  return writer;
}

class Writer implements TransactionalWriter {
  readonly #connections: Connections;
  readonly #transactions: Transactions;
  readonly #attempts: Attempts;
  readonly #kafka: KafkaClient;
  readonly #options: WriterOptions;
  #work: Promise<void> = Promise.resolve();
  #state: "open" | "committing" | "dead" = "open";

  constructor(kafka: KafkaClient, options: WriterOptions) {
    this.#kafka = kafka;
    this.#options = options;
    const ends = options.ends ?? new Map<string, bigint>();
    const log = writerLog(kafka);
    this.#connections = openConnections(kafka);
    this.#attempts = {
      mustLive: () => this.#mustLive(),
      // This one is normal: the markers of the previous transaction are being written.
      onRetry: (error) => {
        if (!isConcurrent(error)) log(error);
      },
    };
    this.#transactions = openTransactions(this.#connections, {
      ...this.#attempts,
      transactionalId: options.transactionalId,
      timeoutMs: options.timeoutMs ?? 15_000,
      onWritten: (written) => mustFollow(written, ends),
    });
  }

  async connect(): Promise<void> {
    const doing = `connect as ${this.#options.transactionalId}`;
    try {
      this.#work = untilDone(this.#attempts, () => this.#connections.connect());
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
      this.#work = this.#transactions.run(sends);
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

  #mustLive(): void {
    if (this.#state === "dead") throw new GuardError("kafka-down", "the writer was abandoned");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "dead";
    await closeNowAndAfter(this.#work, () => this.#connections.disconnect());
  }
}

function topicsOf(records: readonly OutRecord[]): string {
  const topics = [...new Set(records.map(({ topic }) => topic))];
  return topics.length <= 5
    ? topics.join(", ")
    : `${topics.slice(0, 5).join(", ")} and ${topics.length - 5} more topics`;
}
