import { GuardError, type ErrorCode } from "../errors.ts";
import { tellText } from "../gate/decision/settle.ts";
import { findAmendment, withheldOf } from "../gate/update.ts";
import { changes, type StateRecord, type Stored } from "../store/records.ts";
import type { Position } from "../wal/position.ts";
import { apply, takeInputs } from "./control/apply.ts";
import { closeWindow, pumpChunks } from "./stream/chunks.ts";
import type { OutRecord } from "./outside.ts";
import { proveRelation, recheck } from "./control/prove.ts";
import { beat, prepareHeartbeat } from "./stream/heartbeat.ts";
import { takeLooks } from "./control/catalog-read.ts";
import { observeBeside } from "./control/follow-registry.ts";
import { type Barrier, fill } from "./stream/drain.ts";
import { isWatching, post, type Session, tableOf } from "./session.ts";
import { dayOf } from "../contract/severity.ts";
import { describeAmendment, waysOn } from "../words/amendment.ts";
import { isoTime } from "../wal/lsn.ts";

/** An idle stream records the log's end so often, so that quiet tables do not pin it. */
const IDLE_MS = 3000;

/** Follows the log until something throws: the signal, a lost connection, a stop; or until a snapshot was all. */
export async function follow(session: Session): Promise<void> {
  resume(session);
  prepareHeartbeat(session);
  const judgeDaily = onNewDay(session);
  if (isWatching(session)) observeBeside(session);
  const idleMs = Math.min(IDLE_MS, session.outside.settings["heartbeat.interval.ms"] || IDLE_MS);
  let idleSince = session.outside.now();
  for (;;) {
    session.signal.throwIfAborted();
    if (session.failure !== undefined) throw session.failure;
    await recheck(session);
    takeInputs(session);
    judgeDaily();
    if (session.halted !== undefined) {
      if (stateChanged(session)) await commit(session);
      else await session.wake.wait(IDLE_MS);
      continue;
    }
    pumpChunks(session);
    beat(session);
    const { barrier, idle, stop } = fill(session);
    takeLooks(session);
    const quiet = idle && session.outside.now() - idleSince > BigInt(IDLE_MS) * 1000n;
    if (quiet) takeKeepalive(session);
    if (quiet || session.batch.length > 0 || stateChanged(session)) {
      await commit(session);
      idleSince = session.outside.now();
    }
    if (stop !== undefined) halt(session, stop);
    else if (isAllRead(session)) return;
    else if (barrier !== undefined) await passOrHalt(session, barrier);
    else if (idle && session.inbox.length === 0) await session.wake.wait(idleMs);
  }
}

/** snapshot.mode=initial_only: nothing is due once the rows that were there are published. */
function isAllRead({ outside, state }: Session): boolean {
  return (
    outside.settings["snapshot.mode"] === "initial_only" &&
    ![...state.jobs.values()].some(({ state: is }) => is === "running")
  );
}

/**
 * What a command can mend stops the log and not the connector: commands and contracts are heard, the slot is kept and
 * what came before is published. Anything that changes what flows has the change tried again.
 */
function halt(session: Session, stop: GuardError): void {
  if (!MENDED_BY_COMMAND.has(stop.code)) throw stop;
  session.halted = wayOn(session, stop);
  tellHalted(session, session.halted);
  session.outside.stopped(session.halted);
}

function tellHalted({ outside, state }: Session, { code, message, next }: GuardError): void {
  outside.status({ kind: "stopped", code, message, next, state });
}

async function passOrHalt(session: Session, barrier: NonNullable<Barrier>): Promise<void> {
  try {
    await pass(session, barrier);
  } catch (error) {
    if (!(error instanceof GuardError) || !MENDED_BY_COMMAND.has(error.code)) throw error;
    if (stateChanged(session)) await commit(session);
    halt(session, error);
  }
}

/** What was under way when the last session ended, from the state alone. */
function resume(session: Session): void {
  session.outside.onTold((told) => post(session, { input: { kind: "told", ...told } }));
  for (const table of session.state.tables.values()) {
    for (const amendment of table.amendments) {
      const told = amendment.told === tellText(amendment);
      if (amendment.gate.kind === "released" && !told) session.toTell.add(amendment.id);
    }
    for (const { id } of withheldOf(table)) apply(session, { kind: "ask", id });
  }
}

async function pass(session: Session, barrier: NonNullable<Barrier>): Promise<void> {
  if (barrier.kind === "chunk") await closeWindow(session);
  else await proveRelation(session, barrier.captured, barrier);
}

/** Nothing more up to the keepalive's end: that is a position too. */
function takeKeepalive(session: Session): void {
  const end = session.keepaliveEnd;
  if (end === undefined || session.tx !== undefined || end <= session.position.endLsn) return;
  session.position = { ...session.position, endLsn: end };
}

function storedNow(session: Session): Stored {
  const { tables, jobs, outcomes, evidence } = session.state;
  const { intent } = session.committed;
  return {
    intent,
    position: positionNow(session),
    tables,
    jobs,
    outcomes,
    evidence: evidence.recorded,
    commandOffset: session.commandOffset,
  };
}

/** Inside a transaction: its commit LSN and how many of its changes are dealt with. */
function positionNow(session: Session): Position {
  const { tx, position, committed } = session;
  const inside = tx !== undefined && tx.skip !== Number.POSITIVE_INFINITY && tx.index > 0;
  const now = inside ? { ...position, tx: { commitLsn: tx.finalLsn, index: Math.max(tx.index, tx.skip) } } : position;
  const before = committed.position;
  const same =
    before?.endLsn === now.endLsn && before.tx?.commitLsn === now.tx?.commitLsn && before.tx?.index === now.tx?.index;
  return same ? before : now;
}

function stateChanged(session: Session): boolean {
  const { state, committed } = session;
  return (
    state.tables !== committed.tables ||
    state.jobs !== committed.jobs ||
    state.outcomes !== committed.outcomes ||
    state.evidence.recorded !== committed.evidence ||
    session.commandOffset !== committed.commandOffset
  );
}

/** ONE transaction: the batch's events and the state that leads past them; then the log may forget. */
async function commit(session: Session): Promise<void> {
  const stored = storedNow(session);
  const { stateTopic } = session.outside.settings;
  const records = changes(session.committed, stored).map((record) => stateRecord(stateTopic, record));
  const batch = session.batch.splice(0);
  session.batchBytes = 0;
  await session.writer.commit([...batch, ...records], session.signal);
  session.committed = stored;
  session.stream.acknowledge(session.position.endLsn);
  const { state, position, lastCommitTime } = session;
  if (session.halted !== undefined) tellHalted(session, session.halted);
  else session.outside.status({ kind: "streaming", state, endLsn: position.endLsn, commitTime: lastCommitTime });
  tellPeople(session);
}

export function stateRecord(topic: string, { key, value }: StateRecord): OutRecord {
  return { topic, partition: 0, key: Buffer.from(key), value: value === null ? null : Buffer.from(value) };
}

/** That they were told is an input, which comes when it is so. */
function tellPeople(session: Session): void {
  for (const id of session.toTell) {
    const found = findAmendment(session.state, id);
    if (found !== undefined) session.outside.tell(found.amendment, session.state);
  }
  session.toTell.clear();
}

/**
 * A severity that was changed until yesterday counts no more, and no input says so: called at every turn of the loop,
 * what waits is judged anew at the first one of a day (UTC).
 */
export function onNewDay(session: Session): () => void {
  const today = () => dayOf(isoTime(session.outside.now()));
  let day = today();
  return () => {
    if (today() === day) return;
    day = today();
    for (const [topic, table] of session.state.tables) {
      if (withheldOf(table).length > 0) apply(session, { kind: "settle", topic });
    }
  };
}

/** A stop that an operator's command may lift: the change is tried again once the command is carried out. */
const MENDED_BY_COMMAND: ReadonlySet<ErrorCode> = new Set(["value-unfit", "key-changed", "table-replaced"]);

/** The same stop, with the commands that let the field's amendment go on. */
function wayOn(session: Session, stop: GuardError): GuardError {
  const { unfit } = stop;
  const topic = unfit && topicOf(session, unfit.table);
  if (unfit === undefined || topic === undefined) return stop;
  if (unfit.isNull) apply(session, { kind: "null-found", topic, field: unfit.field });
  const about = withheldOf(tableOf(session, topic)).find((amendment) => amendment.name === unfit.field);
  if (about === undefined) return stop;
  const message = `${stop.text}; ${describeAmendment(about)}`;
  return new GuardError(stop.code, message, { next: waysOn(about).join("; or: ") });
}

function topicOf({ state }: Session, name: string): string | undefined {
  for (const { shape } of state.tables.values()) {
    if (`${shape.table.schema}.${shape.table.name}` === name) return shape.topic;
  }
  return undefined;
}
