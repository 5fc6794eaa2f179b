import { GuardError } from "../errors.ts";
import type { KafkaClient } from "./client.ts";
import { hasReached, startReading } from "./consume.ts";
import type { InRecord } from "./record.ts";
import { topicOffsets } from "./topics.ts";

export interface ReadOptions {
  /** Each record, in order. A record seen by `until` is handed on first. */
  readonly onRecord: (record: InRecord) => void;
  /** Stop after the record for which this is true, without waiting for the end. */
  readonly until?: ((record: InRecord) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Give up, as kafka-down, when nothing moves for this long. Default 30000: above any transaction timeout of ours. */
  readonly stalledMs?: number | undefined;
}

/**
 * Reads a topic, read-committed, from its beginning to its end as of the call: what is committed by then and
 * was not compacted away. A transaction open at the call is waited for. Returns where it stopped: with
 * `until`, "found" or "end".
 * @throws GuardError topic-missing, kafka-down, kafka-refused; the signal's reason
 */
export async function readToEnd(kafka: KafkaClient, topic: string, options: ReadOptions): Promise<"found" | "end"> {
  options.signal?.throwIfAborted();
  const ranges = await topicOffsets(kafka, topic);
  const positions = new Map([...ranges].map(([partition, { begin }]) => [partition, begin]));
  const targets = new Map([...ranges].map(([partition, { end }]) => [partition, end]));
  if (hasReached(positions, targets)) return "end";

  const done = Promise.withResolvers<"found" | "end">();
  const stalled = watchdog(options.stalledMs ?? 30_000, () =>
    done.reject(new GuardError("kafka-down", `read ${topic}: nothing came before its end`)),
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
        // after the end as of the call there may be more
        if (over || record.offset >= (targets.get(record.partition) ?? 0n)) return;
        options.onRecord(record);
        if (options.until?.(record) !== true) return;
        over = true;
        done.resolve("found");
      },
      onProgress() {
        stalled.touch();
        if (hasReached(positions, targets)) done.resolve("end");
      },
    });
    try {
      return await done.promise;
    } finally {
      over = true;
      await stop();
    }
  } finally {
    stalled.stop();
    options.signal?.removeEventListener("abort", onAbort);
  }
}

function watchdog(ms: number, onStalled: () => void): { touch(): void; stop(): void } {
  const timer = setTimeout(onStalled, ms);
  return { touch: () => timer.refresh(), stop: () => clearTimeout(timer) };
}
