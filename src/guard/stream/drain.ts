import { GuardError } from "../../errors.ts";
import { decode } from "../../wal/decode.ts";
import type { Lsn } from "../../wal/lsn.ts";
import type { Begin, Commit, LogicalMessage, RowChange, Truncate, WalItem, WalMessage } from "../../wal/message.ts";
import { markOf } from "../../chunk/mark.ts";
import { touch } from "../../chunk/window.ts";
import type { EventMark } from "../../event/envelope/source.ts";
import type { TableState } from "../../gate/state.ts";
import { withheldOf } from "../../gate/update.ts";
import { isFull, put, putChange } from "./batch.ts";
import { onDdl } from "./ddl.ts";
import { look, looked } from "../control/catalog-read.ts";
import { rowEncoderOf } from "./row-encoder.ts";
import { keyTexts } from "./chunk-rows.ts";
import { highMark, lowMark, readMoved } from "./chunks.ts";
import { type Captured, capturedFrom, isWatching, type Session, tableOf } from "../session.ts";

/** What the loop has to wait for before the log can go on; the item that needs it is held. */
export type Barrier =
  | { readonly kind: "prove"; readonly captured: Captured; readonly lsn: Lsn; readonly xid: number }
  | { readonly kind: "chunk" }
  | undefined;

/** `stop`: the next item cannot be dealt with; what came before it is in the batch. */
export interface Filled {
  readonly barrier?: Barrier;
  readonly idle: boolean;
  readonly stop?: GuardError;
}

/** Takes items from the log into the batch until it is full, the log has no more now, or something must be awaited. */
export function fill(session: Session): Filled {
  while (!isFull(session)) {
    const item = session.held ?? session.stream.read();
    session.held = undefined;
    if (item === undefined) return { idle: true };
    const barrier = takeOrStop(session, item);
    if (barrier instanceof GuardError) {
      session.held = item;
      return { idle: false, stop: barrier };
    }
    if (barrier === undefined) continue;
    session.held = barrier.kind === "prove" ? item : undefined;
    return { barrier, idle: false };
  }
  return { idle: false };
}

/** A stop is told apart from the rows before it, which are published: else they would wait for a person too. */
function takeOrStop(session: Session, item: WalItem): Barrier | GuardError {
  const before = session.batch.length;
  try {
    return take(session, item);
  } catch (error) {
    if (!(error instanceof GuardError) || error.fate !== "stop") throw error;
    session.batch.length = before;
    return error;
  }
}

function take(session: Session, item: WalItem): Barrier {
  if (item.kind === "keepalive") {
    if (session.tx === undefined) session.keepaliveEnd = item.end;
    return undefined;
  }
  return dispatch(session, decode(item.bytes), item.lsn);
}

function dispatch(session: Session, message: WalMessage, at: Lsn): Barrier {
  switch (message.kind) {
    case "insert":
    case "update":
    case "delete":
      return onRow(session, message, at);
    case "begin":
      onBegin(session, message);
      return undefined;
    case "commit":
      onCommit(session, message);
      return undefined;
    case "relation":
      session.relations.set(message.oid, capturedFrom(session, message));
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

function onBegin(session: Session, begin: Begin): void {
  const { position } = session;
  const before = begin.finalLsn < position.endLsn ? Number.POSITIVE_INFINITY : 0;
  const skip = position.tx?.commitLsn === begin.finalLsn ? position.tx.index : before;
  const mark = { commitTime: begin.commitTime, xid: begin.xid, lastCommitLsn: position.commitLsn };
  session.tx = { finalLsn: begin.finalLsn, xid: begin.xid, mark, index: 0, skip };
}

function onCommit(session: Session, commit: Commit): void {
  const { tx } = session;
  session.tx = undefined;
  if (tx === undefined || tx.skip === Number.POSITIVE_INFINITY) return;
  if (session.chunks.tracking) session.chunks.delivered.add(tx.xid);
  session.position = { ...session.position, endLsn: commit.endLsn, commitLsn: commit.endLsn, tx: undefined };
  session.lastCommitTime = commit.commitTime;
}

function onRow(session: Session, row: RowChange, at: Lsn): Barrier {
  const { tx } = session;
  if (tx === undefined) return undefined;
  if (tx.index < tx.skip) {
    tx.index += 1;
    return undefined;
  }
  const captured = session.relations.get(row.relation);
  if (captured === undefined || (captured.topic === undefined && captured.news === undefined)) {
    tx.index += 1;
    return undefined;
  }
  if (needsProof(captured, at)) return { kind: "prove", captured, lsn: at, xid: tx.xid };
  if (captured.topic !== undefined && !isWatching(session)) publishRow(session, captured, captured.topic, row, at);
  tx.index += 1;
  return undefined;
}

function needsProof(captured: Captured, at: Lsn): boolean {
  if (captured.doubtUntil !== undefined && at >= captured.doubtUntil) captured.columns = [];
  return captured.columns.length === 0 || captured.news !== undefined;
}

const OPERATIONS = { insert: "c", update: "u", delete: "d" } as const;

function publishRow(session: Session, captured: Captured, topic: string, row: RowChange, at: Lsn) {
  const { chunks, tx, outside } = session;
  if (tx === undefined) return;
  const encoder = rowEncoderOf(session, captured, topic);
  const window = chunks.active?.job.topic === topic ? chunks.active.window : undefined;
  const unsent = window !== undefined || row.oldKind === "key" ? encoder.hasUnchangedToast(row) : false;
  if (window !== undefined) touch(window, (captured.rowKeys ?? encoder).keysOf(row), unsent);
  // An old key is in the log only when it changed; a full old row has the large values.
  if (row.kind === "update" && row.oldKind === "key" && unsent) {
    readMoved(session, topic, keyTexts(tableOf(session, topic), captured.columns, row.bytes, row.newAt));
  }
  if (outside.settings["skipped.operations"].has(OPERATIONS[row.kind])) return;
  const mark: EventMark = { lsn: at, tx: tx.mark, now: outside.now() };
  putChange(session, topic, encoder.change(row, mark), at);
  if (encoder.takeUnseenLabel() && !waitsForLabels(tableOf(session, topic))) look(session, captured.relation.oid);
}

/** New labels are known, and only the registry has not taken them yet. */
function waitsForLabels(table: TableState): boolean {
  return withheldOf(table).some(({ changes }) => changes.includes("labels"));
}

/** Published where the file says so (Debezium's op t); and a chunk read before it holds rows that are gone. */
function onTruncate(session: Session, truncate: Truncate, at: Lsn): Barrier {
  const { tx, chunks } = session;
  if (tx === undefined) return undefined;
  if (tx.index < tx.skip) {
    tx.index += 1;
    return undefined;
  }
  const all = truncate.relations.map((oid) => session.relations.get(oid));
  const captured = all.filter((one) => one?.topic !== undefined || one?.news !== undefined);
  const unproven = captured.find((one) => one !== undefined && needsProof(one, at));
  if (unproven !== undefined) return { kind: "prove", captured: unproven, lsn: at, xid: tx.xid };
  const window = chunks.active?.window;
  for (const one of captured) {
    if (one?.topic === undefined) continue;
    if (window !== undefined && chunks.active?.job.topic === one.topic) window.spoiled = true;
    if (session.outside.settings["skipped.operations"].has("t") || isWatching(session)) continue;
    const mark: EventMark = { lsn: at, tx: tx.mark, now: session.outside.now() };
    put(session, one.topic, rowEncoderOf(session, one, one.topic).truncate(mark));
  }
  tx.index += 1;
  return undefined;
}

function onMessage(session: Session, message: LogicalMessage): Barrier {
  const { tx } = session;
  if (tx === undefined) return undefined;
  const mark = markOf(message);
  if (mark === undefined) {
    // A replayed prefix was dealt with: what it said of a table then is not so any more.
    if (tx.index >= tx.skip) onDdl(session, message, tx.xid);
    return undefined;
  }
  switch (mark.kind) {
    case "high":
      return highMark(session, mark.nonce) ? { kind: "chunk" } : undefined;
    case "low":
      lowMark(session, mark.nonce);
      return undefined;
    case "catalog-read":
      looked(session, mark.nonce);
      return undefined;
    default:
      return mark.kind satisfies never;
  }
}
