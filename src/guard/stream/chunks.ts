import { advance, type ChunkJob, nextJob } from "../../chunk/job.ts";
import { openWindow, seesAll, sift, type Window } from "../../chunk/window.ts";
import type { EventMark, SnapshotMark } from "../../event/envelope/source.ts";
import type { TableState } from "../../gate/state.ts";
import type { ChunkRead, ChunkRequest } from "../../postgres/chunk.ts";
import type { Attnum } from "../../table/column.ts";
import { isVisible } from "../../wal/snapshot.ts";
import { putChange } from "./batch.ts";
import { isKnown, keyOfRows, keyText, overBecause, readable } from "./chunk-rows.ts";
import { seeTable } from "../control/catalog-read.ts";
import { rowKeys, shapeEncoder } from "./row-encoder.ts";
import { beside, type Session, tableOf, type Rows, type Active, type ChunkMachine } from "../session.ts";

/** A job that has more keys to read again begins anew: they are in one record of the state topic. */
const AGAIN_KEYS = 2000;

/** How wide a table's rows are is known once some were read. */
const FIRST_ROWS = 8;
/** A chunk is one Kafka transaction, which the broker gives up after 15 s, and is in memory as a whole. */
const CHUNK_BYTES = 4 << 20;

export function idleMachine(): ChunkMachine {
  return { tracking: false, delivered: new Set(), active: undefined, busy: false, begun: undefined };
}

/** Starts the next chunk beside the stream, if there is one and none is under way. */
export function pumpChunks(session: Session): void {
  const { chunks } = session;
  if (chunks.busy || chunks.active !== undefined) return;
  const job = nextJob(session.state.jobs.values());
  if (job === undefined) {
    chunks.tracking = false;
    chunks.delivered.clear();
    return;
  }
  chunks.busy = true;
  beside(session, async () => {
    await untilTracked(session);
    await pace(session, job);
    await readBetweenMarks(session, job.id);
  });
}

/**
 * A chunk must see every transaction the stream has delivered before its window. Those delivered since tracking
 * began are noted; those before it have an id below this mark's, so they are over once nothing below it is open.
 */
async function untilTracked(session: Session): Promise<void> {
  const { chunks, source, outside } = session;
  if (chunks.tracking) return;
  chunks.tracking = true;
  const own = await source.markTransaction();
  for (let tries = 0; ; tries++) {
    const snapshot = await source.snapshot();
    if (snapshot.xmin > own) return;
    if (tries === 50) outside.log.warn(`a chunk waits for transactions of ${(await source.openBelow(own)).join(", ")}`);
    await outside.sleep(Math.min(20 + tries * 10, 500), session.signal);
  }
}

async function pace(session: Session, job: ChunkJob): Promise<void> {
  const { outside, chunks } = session;
  const { "fieldgate.backfill.rate": rate, "fieldgate.chunk.rows": chunkRows } = outside.settings;
  if (chunks.begun?.job !== job.id) {
    chunks.begun = { job: job.id, rows: job.scanned, at: outside.now(), limit: Math.min(FIRST_ROWS, chunkRows) };
  }
  if (rate === 0) return;
  const due = ((job.scanned - chunks.begun.rows) / rate) * 1000;
  const passed = Number((outside.now() - chunks.begun.at) / 1000n);
  if (due > passed) await outside.sleep(due - passed, session.signal);
}

async function readBetweenMarks(session: Session, jobId: string): Promise<void> {
  const { source, chunks, outside } = session;
  const job = session.state.jobs.get(jobId);
  if (job?.state !== "running") {
    chunks.busy = false;
    return;
  }
  const table = tableOf(session, job.topic);
  const { shape } = table;
  const columns = readable(table);
  const over = overBecause(job, table);
  if (over !== undefined) {
    endJob(session, job, over);
    chunks.busy = false;
    return;
  }
  const nonce = outside.uuid();
  const active: Active = { job, shape, columns, nonce, window: undefined, read: undefined, restarted: false };
  chunks.active = active;
  chunks.busy = false;
  await source.mark(`low:${active.nonce}`);
  active.read = await source.chunk(requestOf(session, job, table, columns));
  if (active.read.kind === "rows") resize(session, active.read.rows);
  await source.mark(`high:${active.nonce}`);
}

/** The next chunk has as many keys as make a chunk's bytes, by the rows of this one; it grows step by step. */
function resize(session: Session, rows: readonly Buffer[]): void {
  const { begun } = session.chunks;
  if (begun === undefined) return;
  const bytes = rows.reduce((sum, row) => sum + row.length, 0);
  const fitting = bytes === 0 ? Number.POSITIVE_INFINITY : Math.floor((begun.limit * CHUNK_BYTES) / bytes);
  begun.limit = Math.max(1, Math.min(session.outside.settings["fieldgate.chunk.rows"], begun.limit * 4, fitting));
}

function requestOf(session: Session, job: ChunkJob, table: TableState, columns: readonly Attnum[]): ChunkRequest {
  const nameOf = (column: Attnum) => table.known.find((other) => other.attnum === column)?.name ?? "";
  const column = job.column;
  const due = job.due === "not-null" && column !== undefined ? { column: nameOf(column), fill: null } : undefined;
  return {
    table: table.shape.table,
    columns: columns.map((attnum) => ({ attnum, name: nameOf(attnum) })),
    key: keyOfRows(table).map(nameOf),
    after: job.cursor,
    limit: session.chunks.begun?.limit ?? FIRST_ROWS,
    due: job.again.length > 0 ? undefined : due,
    again: job.again.length > 0 ? job.again : undefined,
  };
}

export function lowMark(session: Session, nonce: string): void {
  const { active, delivered } = session.chunks;
  if (active?.nonce === nonce && active.window === undefined) active.window = openWindow(nonce, delivered);
}

/** Is this the end of the open window? */
export function highMark(session: Session, nonce: string): boolean {
  const { active } = session.chunks;
  return active?.nonce === nonce && active.window !== undefined && active.read !== undefined;
}

/** At the high mark: what no change in between has touched is published, with the job's new cursor in one commit. */
export async function closeWindow(session: Session): Promise<void> {
  const { active } = session.chunks;
  session.chunks.active = undefined;
  if (active?.window === undefined || active.read === undefined) return;
  const { read, window } = active;
  await forgetVisible(session, read);
  if (active.restarted) return;
  const usable = await usableRows(session, active, read, window);
  if (usable !== undefined) publish(session, active, usable, window);
}

async function usableRows(
  session: Session,
  active: Active,
  read: ChunkRead,
  window: Window,
): Promise<Rows | undefined> {
  const table = `${active.shape.table.schema}.${active.shape.table.name}`;
  switch (read.kind) {
    case "locked":
      session.outside.log.info(`${active.job.id}: ${table} is locked, it is read again`);
      return undefined;
    case "gone":
      await findTable(session, active);
      return undefined;
    case "differs":
      seeTable(session, read.table, read.end);
      return undefined;
    case "rows": {
      const state = tableOf(session, active.job.topic);
      if (!isKnown(state, read.table)) {
        seeTable(session, read.table, read.end);
        return undefined;
      }
      if (window.spoiled || state.shape !== active.shape) return undefined;
      if (seesAll(window, read.snapshot)) return read;
      await session.outside.sleep(20, session.signal);
      return undefined;
    }
    default:
      return read satisfies never;
  }
}

/** Under another name it is read on; a table that is dropped has nothing to read. */
async function findTable(session: Session, { job, shape }: Active): Promise<void> {
  const { table, end } = await session.source.table(shape.table.oid);
  if (table === undefined) endJob(session, job, "the table is dropped");
  else seeTable(session, table, end);
}

function endJob(session: Session, job: ChunkJob, why: string): void {
  const jobs = new Map(session.state.jobs).set(job.id, { ...job, state: "refused", why });
  session.state = { ...session.state, jobs };
  session.wake.wake();
}

/** However the chunk went: else a table that stays locked would let the list of transactions grow. */
async function forgetVisible({ source, chunks }: Session, read: ChunkRead): Promise<void> {
  const snapshot = read.kind === "rows" || read.kind === "differs" ? read.snapshot : await source.snapshot();
  for (const xid of chunks.delivered) if (isVisible(snapshot, xid)) chunks.delivered.delete(xid);
}

function publish(session: Session, active: Active, read: Rows, window: Window): void {
  const { tx, outside } = session;
  if (tx === undefined) return;
  const { job, columns } = active;
  const table = tableOf(session, job.topic);
  const encoder = shapeEncoder(session, table, columns, "default");
  const byKey = rowKeys(session, table, columns, "default") ?? encoder;
  const { publish: due, again } = sift(
    window,
    read.rows.map((row) => byKey.keyOfTuple(row, 0)),
  );
  const moved = session.state.jobs.get(job.id)?.again.slice(job.again.length) ?? [];
  const step = {
    published: due.length,
    scanned: read.scanned,
    last: read.last,
    done: read.done,
    again: [...again.map((index) => keyText(table, columns, read.rows[index])), ...moved],
  };
  const next = advance(job, step);
  due.forEach((index, place) => {
    const row = read.rows[index];
    if (row === undefined) return;
    const snapshot = snapshotMark(session, job, place, next.state === "done" && place === due.length - 1);
    const mark: EventMark = { lsn: tx.finalLsn, tx: tx.mark, now: outside.now(), snapshot };
    putChange(session, job.topic, [encoder.chunkRow(row, 0, mark)], tx.finalLsn);
  });
  session.state = { ...session.state, jobs: new Map(session.state.jobs).set(job.id, next) };
  if (next.state === "done") outside.log.info(`${job.id}: done, ${next.rows} rows published of ${next.scanned} read`);
}

/**
 * A row that got another key may be behind the cursor now, and a large value that did not change is not in the log:
 * while a job reads the table, such a key is read again.
 */
export function readMoved(session: Session, topic: string, key: readonly string[]): void {
  const { chunks } = session;
  const jobs = [...session.state.jobs.values()].filter((job) => job.topic === topic && job.state === "running");
  for (const job of jobs) {
    const full = job.again.length >= AGAIN_KEYS;
    const next = full ? { ...job, cursor: undefined, again: [] } : { ...job, again: [...job.again, key] };
    if (full && chunks.active?.job.id === job.id) chunks.active.restarted = true;
    session.state = { ...session.state, jobs: new Map(session.state.jobs).set(job.id, next) };
  }
}

/** As Debezium marks an initial snapshot; whatever is read later is `incremental`. */
function snapshotMark(session: Session, job: ChunkJob, place: number, last: boolean): SnapshotMark {
  if (job.kind === "backfill") return "incremental";
  const others = [...session.state.jobs.values()].filter((other) => other.kind === "snapshot" && other.id !== job.id);
  if (job.rows === 0 && place === 0) {
    return others.every((other) => other.rows === 0) ? "first" : "first_in_data_collection";
  }
  if (!last) return "true";
  return others.every((other) => other.state !== "running") ? "last" : "last_in_data_collection";
}
