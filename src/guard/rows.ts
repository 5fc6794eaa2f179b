import { GuardError } from "../errors.ts";
import { decode } from "../wal/decode.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Begin, Commit, LogicalMessage, RowChange, Truncate, WalItem, WalMessage } from "../wal/message.ts";
import { markOf } from "../chunk/mark.ts";
import { touch } from "../chunk/window.ts";
import type { EventMark } from "../event/source.ts";
import type { EventWriter } from "../event/writer.ts";
import { isFull, put } from "./batch.ts";
import { prepareWriter } from "./prove.ts";
import { highMark, keyTexts, lowMark, readMoved } from "./chunks.ts";
import { type Captured, type Session, tableOf, topicOf } from "./session.ts";

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
    if (barrier instanceof GuardError) return { idle: false, stop: barrier };
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
    case "relation": {
      const topic = isSkipping(session) ? undefined : topicOf(session, message);
      const blank = { columns: [], writer: undefined, doubtUntil: undefined };
      session.relations.set(message.oid, { relation: message, topic, ...blank });
      return undefined;
    }
    case "truncate":
      onTruncate(session, message);
      return undefined;
    case "message":
      return onMark(session, message);
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
  session.position = { ...session.position, endLsn: commit.endLsn, commitLsn: commit.commitLsn, tx: undefined };
  session.lastCommitTime = commit.commitTime;
}

/** A replayed prefix only fills the table of relations. */
function isSkipping(session: Session): boolean {
  return session.tx !== undefined && session.tx.index < session.tx.skip;
}

function onRow(session: Session, row: RowChange, at: Lsn): Barrier {
  const { tx } = session;
  if (tx === undefined) return undefined;
  if (tx.index < tx.skip) {
    tx.index += 1;
    return undefined;
  }
  const captured = capturedOf(session, row.relation);
  if (captured?.topic === undefined) {
    tx.index += 1;
    return undefined;
  }
  if (captured.doubtUntil !== undefined && at >= captured.doubtUntil) captured.columns = [];
  if (captured.columns.length === 0) return { kind: "prove", captured, lsn: at, xid: tx.xid };
  if (captured.writer === undefined) prepareWriter(session, captured);
  if (captured.writer !== undefined) publishRow(session, captured, captured.topic, captured.writer, row, at);
  tx.index += 1;
  return undefined;
}

function publishRow(session: Session, captured: Captured, topic: string, writer: EventWriter, row: RowChange, at: Lsn) {
  const { chunks, tx } = session;
  if (tx === undefined) return;
  const window = chunks.active?.job.topic === topic ? chunks.active.window : undefined;
  if (window !== undefined) touch(window, writer.keysOf(row), writer.hasUnchangedToast(row));
  const mark: EventMark = { lsn: at, tx: tx.mark, now: session.outside.now() };
  for (const record of writer.change(row, mark)) put(session, topic, record);
  // An old key is in the log only when it changed; a full old row has the large values.
  if (row.kind === "update" && row.oldKind === "key" && writer.hasUnchangedToast(row)) {
    const { shape } = tableOf(session, topic);
    readMoved(session, topic, keyTexts(shape, captured.columns, row.bytes, row.newAt));
  }
}

/** A relation met in a skipped prefix has no topic yet. */
function capturedOf(session: Session, oid: number): Captured | undefined {
  const captured = session.relations.get(oid);
  if (captured === undefined || captured.topic !== undefined) return captured;
  const topic = topicOf(session, captured.relation);
  if (topic === undefined) return captured;
  const found: Captured = { ...captured, topic };
  session.relations.set(oid, found);
  return found;
}

/** Skipped as Debezium does by default; but a chunk read before it holds rows that are gone. */
function onTruncate(session: Session, truncate: Truncate): void {
  const { tx, chunks } = session;
  if (tx === undefined) return;
  tx.index += 1;
  if (tx.index <= tx.skip) return;
  const window = chunks.active?.window;
  const topics = truncate.relations.map((oid) => capturedOf(session, oid)?.topic);
  if (window !== undefined && topics.includes(chunks.active?.job.topic)) window.spoiled = true;
}

function onMark(session: Session, message: LogicalMessage): Barrier {
  const mark = markOf(message);
  if (mark === undefined || session.tx === undefined) return undefined;
  if (mark.kind === "high") return highMark(session, mark.nonce) ? { kind: "chunk" } : undefined;
  lowMark(session, mark.nonce);
  return undefined;
}
