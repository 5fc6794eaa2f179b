import { GuardError } from "../../errors.ts";
import { partitionOf } from "../../event/envelope/partition.ts";
import type { EventRecord } from "../../event/row-encoder.ts";
import type { OutRecord } from "../../kafka/record.ts";
import { formatLsn, type Lsn } from "../../wal/lsn.ts";
import { type Session, tableOf } from "../session.ts";

/** A batch is written when it has so many records or bytes. */
const BATCH_RECORDS = 2000;
const BATCH_BYTES = 4 << 20;

export function isFull({ batch, batchBytes }: Session): boolean {
  return batch.length >= BATCH_RECORDS || batchBytes >= BATCH_BYTES;
}

/** Into the batch, with its partition chosen here: a re-send must not choose again. */
export function put(session: Session, topic: string, record: EventRecord): void {
  add(session, outRecord(session, topic, record));
}

/** The same, of a change at this place in the log. Throws GuardError("record-too-large") before anything of it is sent. */
export function putChange(session: Session, topic: string, records: readonly EventRecord[], at: Lsn): void {
  const change = records.map((record) => outRecord(session, topic, record));
  for (const record of change) {
    const limit = session.writer.limitBrokenBy(record);
    if (limit !== undefined) throw tooLarge(session, topic, record, limit, at);
  }
  for (const record of change) add(session, record);
}

function add(session: Session, record: OutRecord): void {
  session.batch.push(record);
  session.batchBytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
}

function outRecord(session: Session, topic: string, { key, value, headers }: EventRecord): OutRecord {
  return { topic, partition: partitionOf(key, topic, session.partitions.get(topic) ?? 1), key, value, headers };
}

function tooLarge(session: Session, topic: string, record: OutRecord, limit: number, at: Lsn): GuardError {
  const { table, key } = tableOf(session, topic).shape;
  const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
  const by = key.length === 0 ? "without a key" : `with key columns ${key.map((field) => field.name).join(", ")}`;
  return new GuardError(
    "record-too-large",
    `a row of ${table.schema}.${table.name} (${by}) at ${formatLsn(at)} makes an event of ${bytes} bytes; ` +
      `max.message.bytes of topic ${topic} is ${limit}`,
    { next: `raise max.message.bytes of ${topic}, and what its readers fetch; then restart` },
  );
}
