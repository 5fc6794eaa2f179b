import { markOf } from "../../chunk/mark.ts";
import { GuardError } from "../../errors.ts";
import type { EventMark } from "../../event/envelope/source.ts";
import { decode } from "../../wal/decode.ts";
import { formatLsn, type Lsn } from "../../wal/lsn.ts";
import type {
  Begin,
  Commit,
  LogicalMessage,
  Relation,
  RowChange,
  Truncate,
  WalItem,
  WalMessage,
} from "../../wal/message.ts";
import { completeCatalogRead } from "../control/catalog-read.ts";
import { isLookReached } from "../control/apply-look.ts";
import { nameInLog } from "../control/poison-news.ts";
import { parks } from "../control/park.ts";
import { type Captured, capturedFrom, type OpenTransaction, type Parts, type Tape, tableOf } from "../session.ts";
import { isFull, put } from "./batch.ts";
import { endingChunk, onLowMark } from "./chunks.ts";
import { noteDelivered } from "./delivered.ts";
import { onDdl } from "./ddl.ts";
import { parkRow, parkTruncate, parkUnread } from "./park.ts";
import { carryOut, planPoison, type PoisonedRow } from "./poison.ts";
import { OPERATIONS, publishChange } from "./publish.ts";
import { rowEncoderOf } from "./row-encoder.ts";
import { fullName } from "../../table/quote.ts";
import { noteTruncate } from "../looks.ts";

/**
 * The data plane: drains the stream into the batch, item by item, without waiting for anything. If something has to be
 * waited for, it stops and returns what that is. The item that needs it is held and is processed first the next time.
 * This runs for every row, so per row it allocates nothing but the event itself.
 */

type Draining = Parts<"tape" | "control" | "batch" | "chunks" | "parking">;

/** What the loop must do before it can read on. `topic`: the topic to halt if that fails. */
export type Barrier =
  /** Identify the columns of a Relation before its first row, at this LSN. */
  | {
      readonly kind: "prove";
      readonly topic: string | undefined;
      readonly captured: Captured;
      readonly lsn: Lsn;
      readonly xid: number;
    }
  /** Publish the chunk whose window has ended. */
  | { readonly kind: "chunk"; readonly topic: string }
  /** Make the topic of dead letters ready, for the next change. */
  | { readonly kind: "dead-letters"; readonly topic: string }
  /** Apply a look at the catalog whose position in the log has been reached. */
  | { readonly kind: "look"; readonly topic: undefined };

export type Drained =
  | { readonly kind: "full" }
  /** The stream has nothing to read at the moment. */
  | { readonly kind: "idle" }
  | { readonly kind: "barrier"; readonly barrier: Barrier }
  /** The next item cannot be processed; everything before it is in the batch. */
  | { readonly kind: "stop"; readonly stop: GuardError; readonly topic: string | undefined };

export function drain(session: Draining): Drained {
  const { tape, batch } = session;
  while (!isFull(batch)) {
    const item = tape.held ?? tape.stream.read();
    tape.held = undefined;
    if (item === undefined) return { kind: "idle" };
    const barrier = processOrStop(session, item);
    if (barrier === undefined) continue;
    if (barrier instanceof GuardError) {
      tape.held = item;
      return { kind: "stop", stop: barrier, topic: topicOfItem(tape, item) };
    }
    if (barrier.kind === "prove" || barrier.kind === "dead-letters") tape.held = item;
    return { kind: "barrier", barrier };
  }
  return { kind: "full" };
}

/** A stop is returned, not thrown, so that the rows before it are published and need not wait for a person too. */
function processOrStop(session: Draining, item: WalItem): Barrier | GuardError | undefined {
  const { records } = session.batch;
  const before = records.length;
  try {
    if (item.kind === "data") return dispatch(session, decode(item.bytes), item.lsn);
    if (item.kind === "oversize") return onOversize(session, item);
    if (session.tape.tx === undefined) session.tape.keepaliveEnd = item.end;
    return undefined;
  } catch (error) {
    if (!(error instanceof GuardError) || error.fate !== "stop") throw error;
    records.length = before;
    return settleStop(session, item, error);
  }
}

/** A change that no event can carry may become something else; then the log is read further. */
function settleStop(session: Draining, item: WalItem, stop: GuardError): Barrier | GuardError | undefined {
  const { tx } = session.tape;
  const isRow = stop.code === "value-unfit" || stop.code === "record-too-large";
  const poisoned = isRow && tx !== undefined ? poisonedRow(session, tx, item) : undefined;
  if (tx === undefined || poisoned === undefined) return stop;
  const plan = planPoison(session, poisoned, stop);
  if (plan.kind === "unprepared") return { kind: "dead-letters", topic: poisoned.topic };
  // As the first parked change it is tried again, and waits there.
  if (plan.kind === "waits" && parks(session, poisoned.topic, stop)) return plan.stop;
  carryOut(session, poisoned, plan, stop);
  if (plan.kind !== "settled") return plan.stop;
  tx.index += 1;
  return undefined;
}

/** The row of a captured table that was not published; undefined: it is no row, or has no topic yet. */
function poisonedRow(session: Draining, tx: OpenTransaction, item: WalItem): PoisonedRow | undefined {
  const { tape, outside } = session;
  if (item.kind === "keepalive") return undefined;
  const message = item.kind === "data" ? decode(item.bytes) : undefined;
  const row = message !== undefined && "oldKind" in message ? message : undefined;
  const captured = tape.relations.get((item.kind === "oversize" ? item.relation : row?.relation) ?? 0);
  if (captured?.topic === undefined || captured.news !== undefined) return undefined;
  const { encoder, columns, relation } = captured;
  const mark: EventMark = { lsn: item.lsn, tx: tx.mark, now: outside.now() };
  const known = {
    topic: captured.topic,
    at: nameInLog(formatLsn(tx.finalLsn), tx.index),
    place: { lsn: item.lsn, xid: tx.xid, commitTime: tx.mark.commitTime },
  };
  if (row === undefined) return item.kind === "oversize" ? { ...known, op: undefined, change: undefined } : undefined;
  if (encoder === undefined) return undefined;
  const change = { row, columns, identity: relation.identity, encode: (one: RowChange) => encoder.change(one, mark) };
  return { ...known, op: OPERATIONS[row.kind], change };
}

/**
 * The topic that an item would halt. A TRUNCATE of several tables stops at the first one that no encoder could be made
 * for.
 */
function topicOfItem({ relations }: Tape, item: WalItem): string | undefined {
  if (item.kind === "oversize") return item.relation === undefined ? undefined : relations.get(item.relation)?.topic;
  const message = item.kind === "data" ? decode(item.bytes) : undefined;
  if (message === undefined) return undefined;
  if ("relation" in message) return relations.get(message.relation)?.topic;
  if (message.kind !== "truncate") return undefined;
  const all = message.relations.flatMap((oid) => relations.get(oid) ?? []);
  return all.find(({ topic, encoder, parked }) => topic !== undefined && encoder === undefined && !parked)?.topic;
}

function dispatch(session: Draining, message: WalMessage, at: Lsn): Barrier | undefined {
  switch (message.kind) {
    case "insert":
    case "update":
    case "delete":
      return onRow(session, message, at);
    case "begin":
      onBegin(session.tape, message);
      return undefined;
    case "commit":
      onCommit(session, message);
      return undefined;
    case "relation":
      onRelation(session, message);
      return undefined;
    case "truncate":
      return onTruncate(session, message, at);
    case "message":
      return onMessage(session, message);
    case "other":
      return undefined;
    default:
      return message satisfies never;
  }
}

function onRelation({ outside, tape, control }: Draining, relation: Relation): void {
  const before = tape.relations.get(relation.oid);
  const now = capturedFrom(outside, control.state, relation);
  // The table had a different name, or could not be captured, so its rows were skipped.
  if (now.news === "unknown" && before?.topic === undefined && before?.news === undefined && before !== undefined) {
    control.looks.passedBy.add(relation.oid);
  }
  tape.relations.set(relation.oid, now);
}

function onBegin(tape: Tape, { finalLsn, commitTime, xid }: Begin): void {
  const { position } = tape;
  const before = finalLsn < position.endLsn ? Number.POSITIVE_INFINITY : 0;
  const skip = position.tx?.commitLsn === finalLsn ? position.tx.index : before;
  tape.tx = { finalLsn, xid, mark: { commitTime, xid, lastCommitLsn: position.commitLsn }, index: 0, skip };
}

function onCommit({ tape, chunks }: Parts<"tape" | "chunks">, { endLsn, commitTime }: Commit): void {
  const { tx } = tape;
  tape.tx = undefined;
  if (tx === undefined || tx.skip === Number.POSITIVE_INFINITY) return;
  noteDelivered(chunks, tx.xid);
  tape.position = { ...tape.position, endLsn, commitLsn: endLsn, tx: undefined };
  tape.lastCommitTime = commitTime;
}

function onRow(session: Draining, row: RowChange, at: Lsn): Barrier | undefined {
  const { tape, outside } = session;
  const { tx } = tape;
  if (tx === undefined) return undefined;
  if (tx.index < tx.skip) {
    tx.index += 1;
    return undefined;
  }
  const captured = tape.relations.get(row.relation);
  if (captured === undefined || (captured.topic === undefined && captured.news === undefined)) {
    if (captured?.passedFor !== undefined) passRow(session, captured.passedFor);
    tx.index += 1;
    return undefined;
  }
  const { topic } = captured;
  if (needsProof(captured, at)) return { kind: "prove", topic, captured, lsn: at, xid: tx.xid };
  if (topic !== undefined && outside.delivery !== "none") {
    if (captured.parked) parkRow(session, captured, topic, row, at);
    else publishRow(session, captured, topic, row, at);
  }
  tx.index += 1;
  return undefined;
}

function passRow({ parking: { passed } }: Draining, topic: string): void {
  passed.set(topic, (passed.get(topic) ?? 0) + 1);
}

function needsProof(captured: Captured, at: Lsn): boolean {
  if (captured.doubtUntil !== undefined && at >= captured.doubtUntil) captured.proven = false;
  return !captured.proven || captured.news !== undefined;
}

function publishRow(session: Draining, captured: Captured, topic: string, row: RowChange, at: Lsn): void {
  const { tape, control, batch, outside } = session;
  if (tape.tx === undefined) return;
  const encoder = rowEncoderOf(outside.settings, batch.slab, control.state, captured, topic);
  const mark: EventMark = { lsn: at, tx: tape.tx.mark, now: outside.now() };
  publishChange(session, topic, encoder, captured, row, mark);
}

/**
 * Published as op t unless `skipped.operations` includes it. A chunk read before the TRUNCATE contains deleted rows.
 */
function onTruncate(session: Draining, truncate: Truncate, at: Lsn): Barrier | undefined {
  const { tape, control, batch, chunks, outside } = session;
  const { tx } = tape;
  if (tx === undefined) return undefined;
  if (tx.index < tx.skip) {
    tx.index += 1;
    return undefined;
  }
  const all = truncate.relations.flatMap((oid) => tape.relations.get(oid) ?? []);
  const captured = all.filter(({ topic, news }) => topic !== undefined || news !== undefined);
  const unproven = captured.find((one) => needsProof(one, at));
  if (unproven !== undefined) {
    return { kind: "prove", topic: unproven.topic, captured: unproven, lsn: at, xid: tx.xid };
  }
  const window = chunks.active?.window;
  const isPublished = outside.delivery !== "none" && !outside.settings["skipped.operations"].has("t");
  for (const one of captured) {
    if (one.topic === undefined) continue;
    noteTruncate(control.looks, one.relation.oid, tx.xid);
    if (window !== undefined && chunks.active?.job.topic === one.topic) window.spoiled = true;
    if (!isPublished) continue;
    if (one.parked) {
      parkTruncate(session, one, one.topic, at);
      continue;
    }
    const mark: EventMark = { lsn: at, tx: tx.mark, now: outside.now() };
    const encoder = rowEncoderOf(outside.settings, batch.slab, control.state, one, one.topic);
    put(batch, one.topic, encoder.truncate(mark));
  }
  tx.index += 1;
  return undefined;
}

/**
 * A row too large for memory stops its table, just like a row whose event is too large. Other oversized messages do not
 * concern us.
 */
function onOversize(session: Draining, item: Extract<WalItem, { kind: "oversize" }>): Barrier | undefined {
  const { tape, control, outside } = session;
  const { tx } = tape;
  if (tx === undefined || item.relation === undefined) return undefined;
  const captured = tape.relations.get(item.relation);
  const isOurs = captured?.topic !== undefined || captured?.news !== undefined;
  if (tx.index >= tx.skip && captured !== undefined && isOurs && outside.delivery !== "none") {
    if (captured.parked && captured.topic !== undefined) {
      parkUnread(session, captured, captured.topic, item.lsn, item.bytes);
      tx.index += 1;
      return undefined;
    }
    const table = captured.topic === undefined ? captured.relation : tableOf(control.state, captured.topic).shape.table;
    throw new GuardError(
      "record-too-large",
      `a row of ${fullName(table)} at ${formatLsn(item.lsn)} has ${item.bytes} bytes in the log and is not read`,
      {
        next: `set max.message.bytes of its topic to at least ${Math.ceil(item.bytes / 4)}, so that it is read; then restart`,
      },
    );
  }
  tx.index += 1;
  return undefined;
}

function onMessage(session: Draining, message: LogicalMessage): Barrier | undefined {
  const { tape, chunks } = session;
  const { tx } = tape;
  if (tx === undefined) return undefined;
  const mark = markOf(message);
  if (mark === undefined) {
    // A message before `skip` was handled before the restart; its table definitions may be stale.
    if (tx.index >= tx.skip) onDdl(session, message, tx.xid);
    return undefined;
  }
  switch (mark.kind) {
    case "high": {
      const ending = endingChunk(chunks, mark.nonce);
      return ending === undefined ? undefined : { kind: "chunk", topic: ending.job.topic };
    }
    case "low":
      onLowMark(chunks, mark.nonce);
      return undefined;
    case "catalog-read":
      if (isLookReached(session, mark.nonce)) return { kind: "look", topic: undefined };
      completeCatalogRead(session, mark.nonce);
      return undefined;
    default:
      return mark.kind satisfies never;
  }
}
