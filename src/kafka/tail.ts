import { GuardError } from "../errors.ts";
import type { KafkaClient } from "./client.ts";
import { hasReached, startReading } from "./consume.ts";
import type { InRecord } from "./record.ts";
import { topicOffsets } from "./topics.ts";

/** Follows a topic from given offsets, without end. Used for the contracts and commands topics. */

export interface TailOptions {
  readonly topic: string;
  /**
   * The offset of the first record, by partition. A partition that is not listed starts at its beginning. If the topic
   * no longer has an offset, or does not have it yet, the partition starts at its oldest record; `position()` shows
   * that.
   */
  readonly from: "beginning" | ReadonlyMap<number, bigint>;
  /** Receives each record, in order per partition. It must not throw. */
  readonly onRecord: (record: InRecord) => void;
  /**
   * Called when the tail has failed for good and a new one is needed. Losing the brokers for a while does not end it.
   */
  readonly onFailure?: ((error: GuardError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Tail extends AsyncDisposable {
  /**
   * Resolves once every record before these end offsets has been passed to `onRecord` (see endOffsets).
   * @throws GuardError the failure's, or kafka-down if the tail is closed first
   */
  reached(target: ReadonlyMap<number, bigint>): Promise<void>;
  /** The offset of the next record by partition. */
  position(): ReadonlyMap<number, bigint>;
}

interface Waiting {
  readonly target: ReadonlyMap<number, bigint>;
  readonly resolve: () => void;
  readonly reject: (error: GuardError) => void;
}

/**
 * Follows a topic for as long as the tail is open.
 * @throws GuardError topic-missing, kafka-down, kafka-refused
 */
export async function tailTopic(kafka: KafkaClient, options: TailOptions): Promise<Tail> {
  const { topic, signal } = options;
  signal?.throwIfAborted();
  const positions = await startPositions(kafka, options);
  let waiting: Waiting[] = [];
  let ended: GuardError | undefined;

  const end = (error: GuardError) => {
    ended ??= error;
    for (const { reject } of waiting) reject(error);
    waiting = [];
  };
  const stopReading = await startReading(kafka, {
    topic,
    positions,
    restarts: true,
    onRecord: (record) => {
      if (ended === undefined) options.onRecord(record);
    },
    onProgress() {
      const done = waiting.filter(({ target }) => hasReached(positions, target));
      waiting = waiting.filter((each) => !done.includes(each));
      for (const { resolve } of done) resolve();
    },
    onFailure(error) {
      end(error);
      options.onFailure?.(error);
    },
  });

  let closing: Promise<void> | undefined;
  const close = () => {
    end(new GuardError("kafka-down", `the tail of ${topic} is closed`));
    signal?.removeEventListener("abort", close);
    closing ??= stopReading();
    return closing;
  };
  signal?.addEventListener("abort", close, { once: true });
  if (signal?.aborted === true) await close();

  return {
    reached(target) {
      if (hasReached(positions, target)) return Promise.resolve();
      if (ended !== undefined) return Promise.reject(ended);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ target, resolve, reject });
      return promise;
    },
    position: () => new Map(positions),
    [Symbol.asyncDispose]: close,
  };
}

async function startPositions(kafka: KafkaClient, { topic, from }: TailOptions): Promise<Map<number, bigint>> {
  const ranges = await topicOffsets(kafka, topic);
  const positions = new Map<number, bigint>();
  for (const [partition, { begin, end }] of ranges) {
    const wanted = from === "beginning" ? begin : (from.get(partition) ?? begin);
    positions.set(partition, wanted < begin || wanted > end ? begin : wanted);
  }
  return positions;
}
