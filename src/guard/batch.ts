import { partitionOf } from "../event/partition.ts";
import type { EventRecord } from "../event/writer.ts";
import type { Session } from "./session.ts";

/** A batch is written when it has so many records or bytes. */
const BATCH_RECORDS = 2000;
const BATCH_BYTES = 4 << 20;

export function isFull({ batch, batchBytes }: Session): boolean {
  return batch.length >= BATCH_RECORDS || batchBytes >= BATCH_BYTES;
}

/** Into the batch, with its partition chosen here: a re-send must not choose again. */
export function put(session: Session, topic: string, record: EventRecord): void {
  const partition = partitionOf(record.key, topic, session.partitions.get(topic) ?? 1);
  session.batch.push({ topic, partition, key: record.key, value: record.value, headers: record.headers });
  session.batchBytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
}
