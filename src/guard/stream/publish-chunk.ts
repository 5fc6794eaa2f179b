import { digestOfKey } from "../../chunk/digest.ts";
import { advance, type ChunkJob } from "../../chunk/job.ts";
import { sift, type Window } from "../../chunk/window.ts";
import { GuardError } from "../../errors.ts";
import type { EventMark, SnapshotMark } from "../../event/envelope/source.ts";
import type { EventRecord, RowEncoder } from "../../event/row-encoder.ts";
import type { State, TableState } from "../../gate/state.ts";
import { withJob } from "../../gate/update.ts";
import type { OutRecord } from "../../kafka/record.ts";
import type { ChunkRead } from "../../postgres/chunk.ts";
import type { Attnum } from "../../table/column.ts";
import type { RowChange } from "../../wal/message.ts";
import { rowMessage } from "../../wal/rewrite.ts";
import { renderRows } from "../../words/progress.ts";
import { passStuck } from "../control/poison-news.ts";
import { type ActiveChunk, type OpenTransaction, type Parts, tableOf } from "../session.ts";
import { add, fitting } from "./batch.ts";
import { keyOfRows, keyText } from "./chunk-columns.ts";
import { carryOut, planPoison, type PoisonedRow, type PoisonPlan, settlePoison } from "./poison.ts";
import { rowKeyEncoder, shapeEncoder } from "./row-encoder.ts";

/**
 * Publishes what a chunk has read, at its high mark. A row that no event can carry becomes what one of the log becomes;
 * where it waits for an operator, the rows before it are published, and the job goes on at that row.
 */

type Publishing = Parts<"control" | "batch" | "tape">;

export type RowsRead = Extract<ChunkRead, { kind: "rows" }>;
export type LargeRead = Extract<ChunkRead, { kind: "too-large" }>;

/** One row that is due: its event, or what becomes of it instead. */
interface Due {
  readonly index: number;
  readonly records: readonly OutRecord[];
  readonly poisoned?: { readonly row: PoisonedRow; readonly plan: PoisonPlan; readonly stop: GuardError } | undefined;
}

/** `unprepared`: nothing was done; it is tried again after prepareDeadLetters. @throws GuardError the stop of a row that waits */
export function publishRows(
  session: Publishing,
  active: ActiveChunk,
  read: RowsRead,
  window: Window,
): "done" | "unprepared" {
  const { control, batch, tape, outside } = session;
  const { tx } = tape;
  if (tx === undefined) return "done";
  const { job, columns } = active;
  const table = tableOf(control.state, job.topic);
  const rows = { columns, identity: "default" } as const;
  const encoder = shapeEncoder(outside.settings, batch.slab, table, rows);
  const byKey = rowKeyEncoder(outside.settings, batch.slab, table, rows) ?? encoder;
  const { publish, again } = sift(window, keysOf(byKey, read.rows));
  // Those that did not fit into this chunk, and those that came since it began.
  const left = control.state.jobs.get(job.id)?.again.slice(Math.min(job.again.length, active.limit)) ?? [];
  const stepTo = (end: number, published: number): ChunkJob => {
    const keyAt = (index: number) => keyText(table, columns, read.rows[index]);
    const isWhole = end === read.rows.length;
    const unread = isWhole || job.again.length === 0 ? [] : read.rows.slice(end).map((_, index) => keyAt(end + index));
    return advance(job, {
      published,
      scanned: isWhole ? read.scanned : end,
      last: isWhole ? read.last : end === 0 ? undefined : keyAt(end - 1),
      order: read.order,
      done: isWhole && read.done,
      again: [...again.filter((index) => index < end).map(keyAt), ...unread, ...left],
    });
  };
  const isEnd = stepTo(read.rows.length, 0).state === "done";
  const dues = dueRows(session, active, encoder, read.rows, publish, isEnd);
  const last = dues.at(-1)?.poisoned;
  if (last?.plan.kind === "unprepared") return "unprepared";
  const waits = last?.plan.kind === "waits" || last?.plan.kind === "other" ? last : undefined;
  const end = waits === undefined ? read.rows.length : (dues.at(-1)?.index ?? 0);
  for (const { records, poisoned } of dues) {
    for (const record of records) add(batch, record);
    if (poisoned !== undefined) carryOut(session, poisoned.row, poisoned.plan, poisoned.stop);
  }
  const next = stepTo(
    end,
    dues.reduce((sum, due) => sum + eventsOf(due), 0),
  );
  control.state = withJob(control.state, waits === undefined ? { ...next, stuck: undefined } : next);
  if (waits !== undefined) throw waits.plan.kind === "waits" ? waits.plan.stop : waits.stop;
  passChunk(session, job.topic);
  if (next.state === "done")
    outside.log.info(`${job.id}: done, ${renderRows(next.rows)} published of ${next.scanned} read`);
  return "done";
}

/** A key that no event can have was touched by no change: it gets a text that no key is. */
function keysOf(byKey: RowEncoder, rows: readonly Buffer[]): readonly string[] {
  return rows.map((row, index) => {
    try {
      return byKey.keyOfTuple(row, 0);
    } catch (error) {
      if (error instanceof GuardError && error.code === "value-unfit") return `unfit ${index}`;
      throw error;
    }
  });
}

function eventsOf({ records, poisoned }: Due): number {
  if (poisoned === undefined) return records.length;
  return poisoned.plan.kind === "settled" ? poisoned.plan.events : 0;
}

/** The rows that are due, up to the first one that has to be waited for. */
function dueRows(
  session: Publishing,
  active: ActiveChunk,
  encoder: RowEncoder,
  rows: readonly Buffer[],
  publish: readonly number[],
  isEnd: boolean,
): readonly Due[] {
  const { tape, control, batch, outside } = session;
  const { tx } = tape;
  const { job } = active;
  const dues: Due[] = [];
  let published = 0;
  for (const [place, index] of publish.entries()) {
    const row = rows[index];
    if (row === undefined || tx === undefined) continue;
    const snapshot = snapshotMark(control.state, job, published, isEnd && place === publish.length - 1);
    const mark: EventMark = { lsn: tx.finalLsn, tx: tx.mark, now: outside.now(), snapshot };
    try {
      const records = fitting(batch, control.state, job.topic, [encoder.chunkRow(row, 0, mark)], tx.finalLsn);
      dues.push({ index, records });
    } catch (error) {
      if (!(error instanceof GuardError) || error.fate !== "stop") throw error;
      const poisoned = poisonedRow(session, active, tx, row, (one) => [encoder.chunkRow(one.bytes, one.newAt, mark)]);
      const plan = planPoison(session, poisoned, error);
      dues.push({ index, records: [], poisoned: { row: poisoned, plan, stop: error } });
      if (plan.kind !== "settled") break;
    }
    const last = dues.at(-1);
    published += last === undefined ? 0 : eventsOf(last);
  }
  return dues;
}

function poisonedRow(
  { control }: Publishing,
  { job, columns, shape }: ActiveChunk,
  tx: OpenTransaction,
  row: Buffer,
  encode: (row: RowChange) => readonly EventRecord[],
): PoisonedRow {
  const key = keyText(tableOf(control.state, job.topic), columns, row);
  const message = rowMessage({ kind: "insert", relation: Number(shape.table.oid), old: undefined, now: row });
  return {
    topic: job.topic,
    at: nameInChunk(key),
    op: "r",
    place: placeOf(tx),
    change: { row: message, columns, identity: "default", encode },
  };
}

const IN_CHUNK = "chunk ";

function nameInChunk(key: readonly string[]): string {
  return `${IN_CHUNK}${digestOfKey(key)}`;
}

function placeOf({ finalLsn, xid, mark }: OpenTransaction): PoisonedRow["place"] {
  return { lsn: finalLsn, xid, commitTime: mark.commitTime };
}

/** A row that waited is the first one of its job's next chunk: now it was published, or is gone. */
function passChunk(session: Publishing, topic: string): void {
  const stuck = session.control.state.tables.get(topic)?.poison?.stuck;
  if (stuck?.at.startsWith(IN_CHUNK) === true) passStuck(session, topic, undefined);
}

/** A row too large to be read: its key alone is known. @throws GuardError its stop, if it waits */
export function passLarge(session: Publishing, active: ActiveChunk, read: LargeRead): "done" | "unprepared" {
  const { control, tape } = session;
  const { job } = active;
  const stop = rowTooLarge(active, read.bytes);
  const { tx } = tape;
  if (tx === undefined || read.key === undefined) throw stop;
  const poisoned: PoisonedRow = {
    topic: job.topic,
    at: nameInChunk(read.key),
    op: "r",
    place: placeOf(tx),
    change: undefined,
    keyTexts: namedKey(tableOf(control.state, job.topic), read.key),
  };
  const settled = settlePoison(session, poisoned, stop);
  if (settled === "unprepared") return "unprepared";
  if (settled !== "settled") throw settled;
  // Keys that came since the chunk began.
  const { again } = control.state.jobs.get(job.id) ?? job;
  const passed = { published: 0, scanned: 1, last: read.key, order: read.order, done: false, again };
  control.state = withJob(control.state, { ...advance(job, passed), stuck: undefined });
  return "done";
}

function namedKey(table: TableState, key: readonly string[]): Readonly<Record<string, string>> {
  const nameOf = (attnum: Attnum) => table.known.find((known) => known.attnum === attnum)?.name ?? "";
  return Object.fromEntries(keyOfRows(table).map((attnum, index) => [nameOf(attnum), key[index] ?? ""]));
}

function rowTooLarge({ job, shape }: ActiveChunk, bytes: number): GuardError {
  const { schema, name } = shape.table;
  const after = job.cursor === undefined ? "the first row" : "the next row";
  return new GuardError(
    "record-too-large",
    `${job.id}: ${after} of ${schema}.${name} has about ${bytes} bytes and is not read`,
    { next: "make the row smaller, or leave its large column out (column.exclude.list); then restart" },
  );
}

/** Marks rows of an initial snapshot as Debezium does. Rows read later are marked `incremental`. */
function snapshotMark({ jobs }: State, job: ChunkJob, place: number, isLast: boolean): SnapshotMark {
  if (job.kind === "backfill") return "incremental";
  const others = [...jobs.values()].filter((other) => other.kind === "snapshot" && other.id !== job.id);
  if (job.rows === 0 && place === 0) {
    return others.every((other) => other.rows === 0) ? "first" : "first_in_data_collection";
  }
  if (!isLast) return "true";
  return others.every((other) => other.state !== "running") ? "last" : "last_in_data_collection";
}
