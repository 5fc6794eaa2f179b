import { GuardError } from "../errors.ts";
import { dayOf } from "../contract/severity.ts";
import { alertKey } from "../gate/decision/reason.ts";
import { isListsNews } from "../gate/amendment/excluded.ts";
import { isModesNews } from "../gate/amendment/modes.ts";
import type { TableState } from "../gate/state.ts";
import { findAmendment, withheldOf } from "../gate/update.ts";
import { isoTime, LSN_ZERO } from "../wal/lsn.ts";
import { apply, takeInputs } from "./control/apply.ts";
import { completeUnmarkedReads, startCatalogRead } from "./control/catalog-read.ts";
import { followRegistry } from "./control/follow-registry.ts";
import { halt, isLiftedByCommand, reportHalt } from "./control/halt.ts";
import { applyLook, isUnmarkedLookReached, reportGaps } from "./control/apply-look.ts";
import { reportFileChanges } from "./control/report-file-changes.ts";
import { lookAtTables, untilLook } from "./control/looks.ts";
import { countParked, park, parks, reportParked } from "./control/park.ts";
import { countPoison, passPublished, prepareDeadLetters, resumePoison, reportPoison } from "./control/poison-news.ts";
import { lookAtTopics } from "./control/topic-look.ts";
import { lookAtReplaced, refuseReplaced } from "./control/replaced.ts";
import { proveRelation, proveVisible } from "./control/prove.ts";
import { type Inbound, type Parts, post, type Session, type Tape } from "./session.ts";
import { stateChanged, usePartitions, writeBatch } from "./stream/batch.ts";
import { closeWindow, startNextChunk } from "./stream/chunks.ts";
import { refill } from "./stream/backlog.ts";
import { hasReplay, replayParked } from "./stream/replay.ts";
import { type Barrier, drain, type Drained } from "./stream/drain.ts";
import { beat, prepareHeartbeat } from "./stream/heartbeat.ts";
import { fullName } from "../table/quote.ts";
import { describeLeftOut } from "../words/left-out.ts";

/**
 * The loop of one session. Each turn decides on the inputs that arrived from the background, drains the stream into a
 * batch, and commits the batch together with the state. Only then does it wait: for a barrier that drain reached, or
 * for new input.
 */

/** How often an idle stream commits the log's end, so that PostgreSQL need not keep the log for quiet tables. */
const IDLE_MS = 3000;

/**
 * Runs until something throws: an abort of the signal, a lost connection or a stop. Returns normally only with
 * snapshot.mode=initial_only, once the snapshots are done.
 */
export async function runLoop(session: Session): Promise<void> {
  const { outside, control, batch, waker, signal } = session;
  resume(session);
  reportFileChanges(session);
  usePartitions(batch, control.state);
  prepareHeartbeat(session);
  if (outside.delivery === "none") followRegistry(session);
  const judgeDaily = onNewDay(session);
  const idleMs = Math.min(IDLE_MS, outside.settings["heartbeat.interval.ms"] || IDLE_MS);
  // The first idle turn commits at once, because the session counts as streaming from its first commit.
  let idleSince = 0n;
  for (;;) {
    signal.throwIfAborted();
    waker.throwIfFailed();
    await proveVisible(session);
    const { tables } = control.state;
    takeInputs(session);
    if (control.state.tables !== tables) usePartitions(batch, control.state);
    judgeDaily();
    if (!stateChanged(session)) reportPoison(session);
    passPublished(session);
    if (control.halts.size > 0) {
      if (stateChanged(session)) await commit(session);
      else await waker.wait(control.inbox.length === 0 ? IDLE_MS : 0);
      await lookAtReplaced(session);
      continue;
    }
    refill(session);
    replayParked(session);
    startNextChunk(session);
    beat(session);
    lookAtTables(session);
    lookAtTopics(session);
    let drained = drainReadable(session);
    completeUnmarkedReads(session);
    const isIdle = drained.kind === "idle";
    const isQuiet = isIdle && outside.now() - idleSince > BigInt(IDLE_MS) * 1000n;
    if (isQuiet) moveToKeepalive(session.tape);
    if (isQuiet || batch.records.length > 0 || stateChanged(session)) {
      drained = await commitAll(session, drained);
      idleSince = outside.now();
    }
    reportParked(session);
    if (control.poison.wanted) await prepareDeadLetters(session);
    if (drained.kind === "unreadable") throw drained.error;
    if (drained.kind === "stop") await parkOrHalt(session, drained.topic, drained.stop);
    else if (isUnmarkedLookReached(session)) await passOrHalt(session, { kind: "look", topic: undefined });
    else if (isAllRead(session)) return;
    else if (drained.kind === "barrier") await passOrHalt(session, drained.barrier);
    else if (isIdle) {
      const isDone = control.inbox.length === 0 && !hasReplay(session);
      await waker.wait(isDone ? Math.min(idleMs, untilLook(session)) : 0);
    }
  }
}

type Read = Drained | { readonly kind: "unreadable"; readonly error: GuardError };

/** What was read before a part of the log that PostgreSQL cannot read is committed first, because that part is passed. */
function drainReadable(session: Session): Read {
  try {
    return drain(session);
  } catch (error) {
    if (error instanceof GuardError && error.code === "log-unreadable") return { kind: "unreadable", error };
    throw error;
  }
}

/** With snapshot.mode=initial_only nothing is left to do once the existing rows are published. */
function isAllRead({ outside, control }: Parts<"control">): boolean {
  return (
    outside.settings["snapshot.mode"] === "initial_only" &&
    ![...control.state.jobs.values()].some(({ state }) => state === "running")
  );
}

async function parkOrHalt(session: Session, topic: string | undefined, stop: GuardError): Promise<void> {
  if (parks(session, topic, stop)) await park(session, topic, stop);
  else halt(session, topic, stop);
}

async function passOrHalt(session: Session, barrier: Barrier): Promise<void> {
  try {
    if (barrier.kind === "chunk") await closeWindow(session);
    else if (barrier.kind === "look") await look(session);
    else if (barrier.kind === "dead-letters") await prepareDeadLetters(session);
    else await proveRelation(session, barrier.captured, barrier);
  } catch (error) {
    if (!isLiftedByCommand(error)) throw error;
    if (stateChanged(session)) await commit(session);
    halt(session, barrier.topic, error);
  }
}

/** An id lower than any real transaction's, so every snapshot shows it. */
const LONG_OVER = 0;

async function look(session: Session): Promise<void> {
  for (const { topic, captured } of await applyLook(session)) {
    try {
      await refuseReplaced(session, captured, topic, LONG_OVER);
    } catch (error) {
      if (!isLiftedByCommand(error)) throw error;
      if (stateChanged(session)) await commit(session);
      halt(session, topic, error);
    }
  }
}

/** Resumes, from the state alone, the work that was under way when the last session ended. */
function resume(session: Parts<"control" | "tape">): void {
  const { outside, control } = session;
  outside.onAlerted((sent) => post(session, { input: { kind: "alerted", ...sent } }));
  const asks: Inbound[] = [];
  for (const table of control.state.tables.values()) {
    if (table.gap?.reported === false) control.looks.toReport.add(table.shape.topic);
    if (table.parked?.reported === false || table.unparked !== undefined) control.parksToReport.add(table.shape.topic);
    for (const amendment of table.amendments) {
      const isKnown = amendment.alerted?.key === alertKey(amendment);
      if (amendment.gate.kind === "released" && !isKnown) control.toAlert.add(amendment.id);
    }
    asks.push(...withheldOf(table).map(({ id }) => ({ input: { kind: "ask", id } as const })));
    const { oid } = table.shape.table;
    if (control.ddl.found !== undefined) control.ddl.unproven.add(oid);
    if (control.ddl.found !== undefined || isFileNews(session, table)) startCatalogRead(session, oid);
  }
  resumePoison(session);
  // Handled before inputs that have arrived, and a few at a time, like all inputs.
  control.inbox.unshift(...asks);
}

/** True if the file's column lists or value modes disagree with the events. */
function isFileNews({ outside: { settings, delivery } }: Parts<"control">, table: TableState): boolean {
  return delivery !== "none" && (isListsNews(settings, table) || isModesNews(settings, table));
}

/** The log has nothing up to the end that the keepalive reported, so the position can move there. */
function moveToKeepalive(tape: Tape): void {
  const { keepaliveEnd: end, tx, position } = tape;
  if (end === undefined || tx !== undefined || end <= position.endLsn) return;
  tape.position = { ...position, endLsn: end };
}

/**
 * Commits the batch. While a full one is written, the next one is filled; it is written after that, so a crash loses what
 * it would have lost anyway. What ended the reading is returned once everything before it is committed, unless it only was
 * that the next batch is full or that nothing is left to read.
 */
async function commitAll(session: Session, drained: Read): Promise<Read> {
  let read = drained;
  // Without marks, what was read from the catalog is applied between two drains.
  while (read.kind === "full" && session.outside.writesMarks && !stateChanged(session)) {
    read = await commitWhileReading(session);
    if (read.kind === "full" || read.kind === "idle") return FULL;
  }
  await commit(session);
  return read;
}

const FULL: Read = { kind: "full" };

async function commitWhileReading(session: Session): Promise<Read> {
  const { waker, tape } = session;
  const { lastCommitTime } = tape;
  const written = { over: false };
  const writing = writeCounted(session).finally(() => {
    written.over = true;
    waker.wake();
  });
  // Awaited below, also if reading fails.
  writing.catch(() => {});
  let read: Read = FULL;
  try {
    while (!written.over) {
      read = drainReadable(session);
      if (read.kind !== "idle") break;
      await waker.wait(IDLE_MS);
    }
  } finally {
    await writing;
  }
  // What the reading has changed is reported with the commit that records it.
  if (!stateChanged(session)) reportCommit(session, lastCommitTime);
  return read;
}

/** What has become of parked and unfit changes is committed with the batch. */
function writeCounted(session: Parts<"tape" | "control" | "batch" | "parking">): Promise<void> {
  countParked(session);
  countPoison(session);
  return writeBatch(session);
}

async function commit(session: Parts<"tape" | "control" | "batch" | "parking">): Promise<void> {
  await writeCounted(session);
  reportCommit(session, session.tape.lastCommitTime);
}

function reportCommit(session: Parts<"control" | "batch">, commitTime: bigint | undefined): void {
  const { outside, control, batch } = session;
  if (!reportHalt(session)) {
    outside.status({
      kind: "streaming",
      state: control.state,
      endLsn: batch.committed.position?.endLsn ?? LSN_ZERO,
      commitTime,
      notCaptured: [...control.looks.left.values()].map(({ table, reason }) => ({
        table: fullName(table),
        ...describeLeftOut(table, reason),
      })),
      warnings: [...control.looks.warnings.values()],
    });
  }
  alertPeople(session);
}

/** Runs after the commit that records the cause. When people have been alerted, that arrives later as an input. */
function alertPeople(session: Parts<"control">): void {
  const { outside, control } = session;
  for (const id of control.toAlert) {
    const found = findAmendment(control.state, id);
    if (found !== undefined) outside.alert(found.amendment, control.state);
  }
  control.toAlert.clear();
  reportGaps(session);
}

/**
 * Returns a function that runs at every turn of the loop. At the first turn of a day (UTC) it judges the withheld
 * amendments again, because a severity override expires after its last day and no input reports that.
 */
export function onNewDay(session: Parts<"control" | "tape">): () => void {
  const today = () => dayOf(isoTime(session.outside.now()));
  let day = today();
  return () => {
    if (today() === day) return;
    day = today();
    for (const [topic, table] of session.control.state.tables) {
      if (withheldOf(table).length > 0) apply(session, { kind: "settle", topic });
    }
  };
}
