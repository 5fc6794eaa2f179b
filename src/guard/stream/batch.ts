import { type ErrorCode, GuardError } from "../../errors.ts";
import { findChanged } from "../control/topic-look.ts";
import { partitionOf } from "../../event/envelope/partition.ts";
import type { EventRecord } from "../../event/row-encoder.ts";
import type { State } from "../../gate/state.ts";
import type { OutRecord } from "../../kafka/record.ts";
import { changes, type Stored } from "../../store/records.ts";
import type { StateRecord } from "../../store/record.ts";
import { formatLsn, type Lsn } from "../../wal/lsn.ts";
import type { Position } from "../../wal/position.ts";
import { type Batch, type Parts, type Tape, tableOf } from "../session.ts";
import { fullName } from "../../table/quote.ts";

/**
 * Collects events while the log is read, then writes them in ONE Kafka transaction together with the state records for
 * the new position. Whatever was not committed is read again after a crash, so nothing is lost and nothing is published
 * twice.
 */

/** A batch is written once it has this many records or bytes. */
const BATCH_RECORDS = 8000;
const BATCH_BYTES = 4 << 20;

export function isFull({ records, bytes }: Batch): boolean {
  return records.length >= BATCH_RECORDS || bytes >= BATCH_BYTES;
}

/** Adds a record and chooses its partition, so that a re-send does not choose again. */
export function put(batch: Batch, topic: string, record: EventRecord): void {
  add(batch, outRecord(batch, topic, record));
}

/** Adds all records of the change at this position in the log, or none of them. */
export function putChange(batch: Batch, state: State, topic: string, records: readonly EventRecord[], at: Lsn): void {
  for (const record of fitting(batch, state, topic, records, at)) add(batch, record);
}

/**
 * The records of one change, each with its partition.
 * @throws GuardError record-too-large
 */
export function fitting(
  batch: Batch,
  state: State,
  topic: string,
  records: readonly EventRecord[],
  at: Lsn,
): readonly OutRecord[] {
  const change = records.map((record) => outRecord(batch, topic, record));
  for (const record of change) {
    const limit = batch.writer.limitBrokenBy(record);
    if (limit !== undefined) throw tooLarge(state, topic, record, limit, at);
  }
  return change;
}

/** Adds a record that already has a partition. */
export function add(batch: Batch, record: OutRecord): void {
  batch.records.push(record);
  batch.bytes += sizeOf(record);
}

function sizeOf({ key, value }: OutRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

/** @throws GuardError topic-unfit for a record without a key to a compacted topic */
export function outRecord(
  { partitions, topics }: Batch,
  topic: string,
  { key, value, headers }: EventRecord,
): OutRecord {
  if (key === null && topics.described.get(topic)?.cleanupPolicy.includes("compact") === true) throw keyless(topic);
  return { topic, partition: partitionOf(key, topic, partitions.get(topic) ?? 1), key, value, headers };
}

function keyless(topic: string): GuardError {
  return new GuardError("topic-unfit", `topic ${topic} is compacted and takes no record without a key`, {
    next: `set cleanup.policy of ${topic} to delete; or leave truncations out (skipped.operations), or the table if it has no key`,
  });
}

/** The numbers of partitions that the state says, after it has changed. */
export function usePartitions({ partitions }: Batch, { tables }: State): void {
  for (const [topic, table] of tables) if (table.partitions !== undefined) partitions.set(topic, table.partitions);
}

function tooLarge(state: State, topic: string, record: OutRecord, limit: number, at: Lsn): GuardError {
  const { table, key } = tableOf(state, topic).shape;
  const by = key.length === 0 ? "without a key" : `with key columns ${key.map((field) => field.name).join(", ")}`;
  return new GuardError(
    "record-too-large",
    `a row of ${fullName(table)} (${by}) at ${formatLsn(at)} makes an event of ${sizeOf(record)} bytes; ` +
      `max.message.bytes of topic ${topic} is ${limit}`,
    { next: `raise max.message.bytes of ${topic} and the fetch limits of its consumers; then restart` },
  );
}

/**
 * Whether anything but the position has changed since the state topic was last written. The position alone can wait.
 */
export function stateChanged({ control, batch }: Parts<"control" | "batch">): boolean {
  const { state, commandOffset } = control;
  const { committed } = batch;
  return (
    state.tables !== committed.tables ||
    state.jobs !== committed.jobs ||
    state.outcomes !== committed.outcomes ||
    state.evidence.recorded !== committed.evidence ||
    commandOffset !== committed.commandOffset ||
    control.ddl.complete !== committed.trigger ||
    control.lastRun !== committed.lastRun
  );
}

/**
 * Writes the batch and the state, as they are now, in one transaction. Only then may the server discard the log up to the
 * new position. What is added to the batch in the meantime belongs to the next one.
 */
export async function writeBatch(session: Parts<"tape" | "control" | "batch">): Promise<void> {
  const { tape, batch, outside, signal } = session;
  const { endLsn } = tape.position;
  const stored = storedNow(session);
  const { stateTopic } = outside.settings;
  const records = changes(batch.committed, stored).map((record) => stateRecord(stateTopic, record));
  const events = batch.records.splice(0);
  batch.bytes = 0;
  try {
    await batch.writer.commit([...events, ...records], signal);
  } catch (error) {
    throw (await byTopics(session, error, events)) ?? error;
  }
  if (stored.commandOffset !== batch.committed.commandOffset) outside.controlTopics.recorded(stored.commandOffset);
  batch.committed = stored;
  tape.stream.acknowledge(endLsn);
}

/** Errors that a topic may cause that was deleted or has other settings since the session began. */
const OF_TOPICS: ReadonlySet<ErrorCode> = new Set(["topic-missing", "record-too-large", "kafka-refused"]);

async function byTopics(
  session: Parts<"batch">,
  error: unknown,
  events: readonly OutRecord[],
): Promise<GuardError | undefined> {
  if (!(error instanceof GuardError) || !OF_TOPICS.has(error.code) || session.signal.aborted) return undefined;
  try {
    return await findChanged(session, [...new Set(events.map(({ topic }) => topic))]);
  } catch {
    return undefined; // Kafka does not answer: the first error counts
  }
}

export function stateRecord(topic: string, { key, value }: StateRecord): OutRecord {
  return { topic, partition: 0, key: Buffer.from(key), value: value === null ? null : Buffer.from(value) };
}

function storedNow({ tape, control, batch }: Parts<"tape" | "control" | "batch">): Stored {
  const { tables, jobs, outcomes, evidence } = control.state;
  return {
    intent: batch.committed.intent,
    position: positionNow(tape, batch.committed.position),
    tables,
    jobs,
    outcomes,
    evidence: evidence.recorded,
    commandOffset: control.commandOffset,
    trigger: control.ddl.complete,
    lastRun: control.lastRun,
  };
}

/**
 * The position. Inside a transaction it has the commit LSN and the number of changes processed. The same object if
 * nothing moved.
 */
function positionNow({ tx, position }: Tape, committed: Position | undefined): Position {
  const inside = tx !== undefined && tx.skip !== Number.POSITIVE_INFINITY && tx.index > 0;
  const now = inside ? { ...position, tx: { commitLsn: tx.finalLsn, index: Math.max(tx.index, tx.skip) } } : position;
  const same =
    committed?.endLsn === now.endLsn &&
    committed.tx?.commitLsn === now.tx?.commitLsn &&
    committed.tx?.index === now.tx?.index;
  return same ? committed : now;
}
