import { GuardError } from "../../errors.ts";
import { type ChunkJob, type JobReason, nextJob, startOver } from "../../chunk/job.ts";
import { openWindow, seesAll, type Window } from "../../chunk/window.ts";
import { otherKeyOf } from "../../gate/amendment/key.ts";
import type { State, TableState } from "../../gate/state.ts";
import type { ChunkRead } from "../../postgres/chunk.ts";
import type { Attnum } from "../../table/column.ts";
import { applyCatalogRead } from "../control/catalog-read.ts";
import { parks } from "../control/park.ts";
import { prepareDeadLetters } from "../control/poison-news.ts";
import { type ActiveChunk, type Chunks, inBackground, type Parts, tableOf } from "../session.ts";
import { isKnown, keyOfRows, overBecause, readableColumns } from "./chunk-columns.ts";
import { forgetVisible, startTracking } from "./delivered.ts";
import { mostRows, waitForOperator } from "./many-rows.ts";
import { isSetAside, setAside } from "./stuck-job.ts";
import { type LargeRead, passLarge, publishRows, type RowsRead } from "./publish-chunk.ts";
import type { ChunkRequest } from "../../postgres/chunk-rows.ts";
import { fullName } from "../../table/quote.ts";

/**
 * Reads snapshots and backfills in chunks while streaming, without a long transaction. A chunk is read between two
 * marks in the log, low and high, which form its window. When the stream reaches the high mark, the rows that no change
 * in the window has touched are published there, together with the job's new cursor. The other rows are in the stream
 * already. If the table is truncated or flipped inside the window, the chunk is discarded and read again.
 */

/**
 * A job with more keys than this to read again starts over, because all of them are stored in one record of the state
 * topic.
 */
const AGAIN_KEYS = 2000;
/** The size of the first chunk is small, because the width of the rows is known only after some were read. */
const FIRST_ROWS = 8;
/** A chunk is one Kafka transaction, which the broker aborts after 15 s, and all of it is in memory. */
const CHUNK_BYTES = 4 << 20;
/**
 * Pause before rows are requested again from a table that has no order now. A unique index may be about to be rebuilt.
 */
const UNORDERED_MS = 1000;
/** How long other jobs go first when a table cannot be read, because another session locks it or a right is missing. */
const REST_MICROS = 2_000_000n;

export function idleChunks(): Chunks {
  return {
    tracking: false,
    delivered: new Set(),
    active: undefined,
    busy: false,
    resting: new Map(),
    stuck: new Map(),
    started: undefined,
  };
}

/** Starts the next chunk in the background, if there is one and none is being read. */
export function startNextChunk(session: Parts<"chunks" | "control">): void {
  const { chunks, control, outside, signal } = session;
  if (chunks.busy || chunks.active !== undefined) return;
  const jobs = readableJobs(control.state).filter((one) => !isSetAside(session, one));
  if (nextJob(jobs) === undefined) {
    chunks.tracking = false;
    chunks.delivered.clear();
  }
  const running = new Set(jobs.map(({ id }) => id));
  for (const [id, { wait }] of chunks.resting) if (!running.has(id)) endRest(chunks, id, wait);
  const untilOf = ({ id }: ChunkJob): bigint => chunks.resting.get(id)?.until ?? 0n;
  const job = nextJob(jobs.filter((one) => untilOf(one) <= outside.now())) ?? nextJob(jobs);
  if (job === undefined) return;
  chunks.busy = true;
  inBackground(session, async () => {
    const restMs = Number((untilOf(job) - outside.now()) / 1000n);
    if (restMs > 0) await outside.sleep(restMs, signal);
    await startTracking(session);
    await keepRate(session, job);
    await readBetweenMarks(session, job.id);
  });
}

/**
 * The running jobs that can be read now. A table that has lost the events' key has no order to be read in until that is
 * decided. A parked table has rows that are newer than its waiting changes.
 */
function readableJobs({ jobs, tables }: State): readonly ChunkJob[] {
  const readable: ChunkJob[] = [];
  for (const job of jobs.values()) {
    if (job.state !== "running") continue;
    const table = tables.get(job.topic);
    const isReadable = table === undefined || (table.parked === undefined && otherKeyOf(table) === undefined);
    if (isReadable) readable.push(job);
  }
  return readable;
}

/** Waits as long as fieldgate.backfill.rate requires. */
async function keepRate({ outside, chunks, signal }: Parts<"chunks">, job: ChunkJob): Promise<void> {
  const { "fieldgate.backfill.rate": rate, "fieldgate.chunk.rows": chunkRows } = outside.settings;
  if (chunks.started?.job !== job.id) {
    chunks.started = { job: job.id, rows: job.scanned, at: outside.now(), limit: Math.min(FIRST_ROWS, chunkRows) };
  }
  if (rate === 0) return;
  const dueMs = ((job.scanned - chunks.started.rows) / rate) * 1000;
  const passedMs = Number((outside.now() - chunks.started.at) / 1000n);
  if (dueMs > passedMs) await outside.sleep(dueMs - passedMs, signal);
}

async function readBetweenMarks(session: Parts<"chunks" | "control">, jobId: string): Promise<void> {
  const { source, chunks, control, outside } = session;
  chunks.busy = false;
  const job = control.state.jobs.get(jobId);
  if (job?.state !== "running") return;
  // Too many transactions were delivered while this job waited for its turn, so tracking starts again.
  if (!chunks.tracking) {
    session.waker.wake();
    return;
  }
  const table = tableOf(control.state, job.topic);
  // The table was parked while the job waited for its turn.
  if (table.parked !== undefined) return;
  const columns = readableColumns(table);
  const over = overBecause(job, table);
  if (over !== undefined) {
    refuseJob(session, job, over);
    return;
  }
  const { shape } = table;
  const nonce = outside.uuid();
  const limit = chunks.started?.limit ?? FIRST_ROWS;
  const active: ActiveChunk = {
    job,
    shape,
    columns,
    nonce,
    limit,
    window: undefined,
    read: undefined,
    restarted: false,
  };
  chunks.active = active;
  await source.mark(`low:${nonce}`);
  const most = mostRows(outside.settings, job);
  active.read = await source.chunk({ ...requestOf(job, table, columns, limit), most });
  if (active.read.kind === "unordered") await outside.sleep(UNORDERED_MS, session.signal);
  if (active.read.kind === "rows") resize(chunks, active.read.rows, outside.settings["fieldgate.chunk.rows"]);
  await source.mark(`high:${nonce}`);
}

/**
 * Sets the number of keys of the next chunk so that it has about CHUNK_BYTES, judging by these rows. It grows at most
 * fourfold.
 */
function resize({ started }: Chunks, rows: readonly Buffer[], most: number): void {
  if (started === undefined) return;
  const bytes = rows.reduce((sum, row) => sum + row.length, 0);
  const fitting = bytes === 0 ? Number.POSITIVE_INFINITY : Math.floor((started.limit * CHUNK_BYTES) / bytes);
  started.limit = Math.max(1, Math.min(most, started.limit * 4, fitting));
}

function requestOf(job: ChunkJob, table: TableState, columns: readonly Attnum[], limit: number): ChunkRequest {
  const nameOf = (column: Attnum) => table.known.find((other) => other.attnum === column)?.name ?? "";
  const { column } = job;
  const due = job.due === "not-null" && column !== undefined ? { column: nameOf(column), fill: null } : undefined;
  return {
    table: table.shape.table,
    columns: columns.map((attnum) => ({ attnum, name: nameOf(attnum) })),
    key: keyOfRows(table).map(nameOf),
    after: job.cursor,
    // An earlier version did not record the order, and for some types its order was wrong, so such a job starts over.
    order: job.order ?? (job.cursor === undefined ? undefined : ""),
    limit,
    due: job.again.length > 0 ? undefined : due,
    again: job.again.length > 0 ? job.again.slice(0, limit) : undefined,
  };
}

/** The stream has reached a low mark. Opens the window if the mark belongs to the active chunk. */
export function onLowMark({ active, delivered }: Chunks, nonce: string): void {
  if (active?.nonce === nonce && active.window === undefined) active.window = openWindow(nonce, delivered);
}

/** The chunk whose window the high mark closes. undefined if the mark is not ours, or was written before a restart. */
export function endingChunk({ active }: Chunks, nonce: string): ActiveChunk | undefined {
  return active?.nonce === nonce && active.window !== undefined && active.read !== undefined ? active : undefined;
}

/** Called at the high mark. Publishes the rows that no change in the window has touched, and moves the job's cursor. */
export async function closeWindow(session: Parts<"chunks" | "control" | "batch" | "tape">): Promise<void> {
  const { chunks } = session;
  const { active } = chunks;
  chunks.active = undefined;
  if (active?.window === undefined || active.read === undefined) return;
  const { read, window } = active;
  await forgetVisible(session, read);
  const { id } = active.job;
  if (read.kind !== "locked" && read.kind !== "unreadable") endRest(chunks, id, chunks.resting.get(id)?.wait);
  if (active.restarted || tableOf(session.control.state, active.job.topic).parked !== undefined) return;
  const usable = await usableRows(session, active, read, window);
  if (usable === undefined) return;
  const publish = () =>
    usable.kind === "rows" ? publishRows(session, active, usable, window) : passLarge(session, active, usable);
  try {
    if (publish() !== "unprepared") return;
    await prepareDeadLetters(session);
    publish();
  } catch (error) {
    if (!(error instanceof GuardError) || !parks(session, active.job.topic, error)) throw error;
    setAside(session, id, error);
  }
}

/** What can be published as it is. undefined if the chunk has to be read again or its job was refused. */
async function usableRows(
  session: Parts<"control" | "tape" | "chunks">,
  active: ActiveChunk,
  read: ChunkRead,
  window: Window,
): Promise<RowsRead | LargeRead | undefined> {
  const { outside, control, signal } = session;
  switch (read.kind) {
    case "locked":
      rest(session, active, "is locked");
      return undefined;
    case "unreadable":
      rest(session, active, `cannot be read: ${read.why}`);
      return undefined;
    case "gone":
      await findTable(session, active);
      return undefined;
    case "differs":
      applyCatalogRead(session, read.table, read.end);
      return undefined;
    case "reordered":
      outside.log.info(`${active.job.id}: the key's order or type has changed; starting over`);
      restartJob(session, active.job.id);
      return undefined;
    case "unordered":
      // If the key has changed, that is an amendment, and the job waits until it is decided.
      applyCatalogRead(session, read.table, read.end);
      return undefined;
    case "too-many":
      waitForOperator(session, active.job.id, read.rows);
      return undefined;
    case "too-large": {
      const isAsRead = !window.spoiled && tableOf(control.state, active.job.topic).shape === active.shape;
      return isAsRead ? read : undefined;
    }
    case "rows": {
      const state = tableOf(control.state, active.job.topic);
      if (!isKnown(state, read.table)) {
        applyCatalogRead(session, read.table, read.end);
        return undefined;
      }
      if (window.spoiled || state.shape !== active.shape) return undefined;
      if (seesAll(window, read.snapshot)) return read;
      await outside.sleep(20, signal);
      return undefined;
    }
    default:
      return read satisfies never;
  }
}

/**
 * Lets other jobs go first. The first time, this is logged and becomes a wait that lasts until the table can be read.
 */
function rest({ chunks, outside, source }: Parts<"chunks">, { job, shape }: ActiveChunk, why: string): void {
  const table = fullName(shape.table);
  const before = chunks.resting.get(job.id);
  if (before === undefined) outside.log.info(`${job.id}: ${table} ${why}; trying again`);
  const causes = () => source.lockHolders(shape.table.oid);
  const what = `to read rows of ${table}, which ${why}`;
  const wait = before?.wait ?? outside.waits.begin("PostgreSQL", what, { causes });
  chunks.resting.set(job.id, { until: outside.now() + REST_MICROS, wait });
}

function endRest({ resting }: Chunks, id: string, wait: Disposable | undefined): void {
  resting.delete(id);
  wait?.[Symbol.dispose]();
}

/** A renamed table is read under its new name. For a dropped table the job is refused. */
async function findTable(session: Parts<"control" | "tape">, { job, shape }: ActiveChunk): Promise<void> {
  const { table, end } = await session.source.table(shape.table.oid);
  if (table === undefined) refuseJob(session, job, { kind: "table-dropped" });
  else applyCatalogRead(session, table, end);
}

function restartJob({ control }: Parts<"control">, id: string): void {
  const job = control.state.jobs.get(id);
  if (job !== undefined) control.state = withJob(control.state, startOver(job));
}

function refuseJob({ control, waker }: Parts<"control">, job: ChunkJob, reason: JobReason): void {
  control.state = withJob(control.state, { ...job, state: "refused", reason });
  waker.wake();
}

function withJob(state: State, job: ChunkJob): State {
  return { ...state, jobs: new Map(state.jobs).set(job.id, job) };
}

/**
 * Adds a row's new key to the keys that running jobs read again. The new key may be behind the cursor, and a large
 * value that did not change is not in the log.
 */
export function readMovedKey(
  { chunks, control }: Parts<"chunks" | "control">,
  topic: string,
  key: readonly string[],
): void {
  const jobs = [...control.state.jobs.values()].filter((job) => job.topic === topic && job.state === "running");
  for (const job of jobs) {
    const full = job.again.length >= AGAIN_KEYS;
    const next = full ? startOver(job) : { ...job, again: [...job.again, key] };
    if (full && chunks.active?.job.id === job.id) chunks.active.restarted = true;
    control.state = withJob(control.state, next);
  }
}
