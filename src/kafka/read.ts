import { GuardError } from "../errors.ts";
import type { KafkaClient } from "./client.ts";
import { hasReached, startReading } from "./consume.ts";
import type { InRecord } from "./record.ts";
import { type OffsetRange, topicOffsets } from "./topics.ts";

export interface ReadOptions {
  /** Receives each record, in order, before `until` does. */
  readonly onRecord: (record: InRecord) => void;
  /**
   * Stops after the first record for which this returns true, and only then. Needed to read one's own commit: Kafka
   * answers a commit before it writes the marker, so for some milliseconds the topic's end is still before it.
   */
  readonly until?: ((record: InRecord) => boolean) | undefined;
  /** The offset of the first record by partition; a partition that is missing starts at its beginning. */
  readonly from?: ReadonlyMap<number, bigint> | undefined;
  /** Stops early once this is true, which is asked after each record. */
  readonly isEnough?: (() => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Gives up with kafka-down if there is no progress for this long. The default is 30000, longer than all of our
   * transaction timeouts.
   */
  readonly stalledMs?: number | undefined;
}

/**
 * Reads a topic, read-committed, from its beginning or the given offsets to its end at the time of the call (before the
 * oldest open transaction), or to the first record for which `until` returns true. Compacted and aborted records are not
 * seen.
 * @throws GuardError topic-missing, kafka-down, kafka-refused; the signal's reason
 */
export async function readToEnd(kafka: KafkaClient, topic: string, options: ReadOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const ranges = await topicOffsets(kafka, topic);
  options.signal?.throwIfAborted();
  const positions = new Map(
    [...ranges].map(([partition, range]) => [partition, startOf(range, options.from?.get(partition))]),
  );
  const targets = new Map([...ranges].map(([partition, { end }]) => [partition, end]));
  const { until, isEnough } = options;
  if (until === undefined && hasReached(positions, targets)) return;

  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {}); // it may fail before it is awaited
  const stalled = watchdog(options.stalledMs ?? 30_000, () =>
    done.reject(new GuardError("kafka-down", `read ${topic}: no more records arrived before its end`)),
  );
  const onAbort = () => done.reject(options.signal?.reason);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  let over = false;
  try {
    const stop = await startReading(kafka, {
      topic,
      positions,
      restarts: false,
      onFailure: done.reject,
      onRecord(record) {
        if (over) return;
        // Skips records that were added after the call.
        if (until === undefined && record.offset >= (targets.get(record.partition) ?? 0n)) return;
        options.onRecord(record);
        if (until?.(record) !== true && isEnough?.() !== true) return;
        over = true;
        done.resolve();
      },
      onProgress() {
        stalled.touch();
        if (until === undefined && hasReached(positions, targets)) done.resolve();
      },
    });
    try {
      await done.promise;
    } finally {
      over = true;
      await stop();
    }
  } finally {
    stalled.stop();
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/** An offset that the topic no longer has, or does not have yet, starts at the oldest record. */
function startOf({ begin, end }: OffsetRange, wanted: bigint | undefined): bigint {
  return wanted === undefined || wanted < begin || wanted > end ? begin : wanted;
}

function watchdog(ms: number, onStalled: () => void): { touch(): void; stop(): void } {
  const timer = setTimeout(onStalled, ms);
  return { touch: () => timer.refresh(), stop: () => clearTimeout(timer) };
}
