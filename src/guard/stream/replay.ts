import { GuardError } from "../../errors.ts";
import type { EventMark, TxMark } from "../../event/envelope/source.ts";
import type { TableState } from "../../gate/state.ts";
import { type ParkedChange, readLayout } from "../../store/parked.ts";
import { cutColumns } from "../../wal/cut.ts";
import { decode } from "../../wal/decode.ts";
import type { RowChange } from "../../wal/message.ts";
import { apply } from "../control/apply.ts";
import { causeOf, isParkable, judgeHead, stuckNow } from "../control/park.ts";
import { passStuck } from "../control/poison-news.ts";
import type { Backlog, ParkedEncoding } from "../parking.ts";
import { type Parts, tableOf } from "../session.ts";
import { dropBacklog, forgetChange, join, lose, release } from "./backlog.ts";
import { put } from "./batch.ts";
import { type PoisonedRow, settlePoison } from "./poison.ts";
import { OPERATIONS, publishChange } from "./publish.ts";
import { mustHaveItsKey, rowKeyEncoder, shapeEncoder } from "./row-encoder.ts";
import { fullName } from "../../table/quote.ts";

/**
 * Replays parked changes in order and in the table's current shape, at every turn of the loop. Their events, their
 * tombstones in the parked topic and the progress are written in one Kafka transaction. New changes of the table are
 * parked behind them until none is left. Then the table flows directly again.
 */

type Replaying = Parts<"tape" | "control" | "batch" | "chunks" | "parking">;

/** More than half of a batch, so that the replay catches up even with a table that is written to all the time. */
const REPLAY_RECORDS = 1400;
const REPLAY_BYTES = 3 << 20;

export function replayParked(session: Replaying): void {
  for (const [topic, backlog] of session.parking.backlogs) {
    const table = tableOf(session.control.state, topic);
    if (table.parked?.id !== backlog.id) {
      dropBacklog(session, topic);
      continue;
    }
    join(session.parking, backlog);
    if (isDue(session, table, backlog)) replayTable(session, topic, backlog);
    passWaiting(session, topic, backlog);
    const { written, replayed, passedOver, lost } = backlog;
    // Without any parked change, the one that parks the table is about to be read again.
    if (written === 0 || replayed < written) continue;
    dropBacklog(session, topic);
    apply(session, { kind: "unparked", topic, written, passedOver, lost });
  }
}

/** True if parked changes can be replayed at once. */
export function hasReplay(session: Replaying): boolean {
  const { parking, control } = session;
  return [...parking.backlogs].some(([topic, backlog]) => isDue(session, tableOf(control.state, topic), backlog));
}

/**
 * A change that could not be written is tried again once something that it depends on has changed, and from time to
 * time.
 */
function isDue({ control, outside }: Replaying, table: TableState, { queue, stuck }: Backlog): boolean {
  if (queue.length === 0) return false;
  if (stuck === undefined || outside.now() >= stuck.again) return true;
  const { shape, known, amendments, poison } = stuck.table;
  const isOrdered = table.poison?.stuck?.order !== poison?.stuck?.order;
  const isSame = table.shape === shape && table.known === known && table.amendments === amendments && !isOrdered;
  return !isSame || control.catalog.applied.get(Number(table.shape.table.oid)) !== stuck.applied;
}

function replayTable(session: Replaying, topic: string, backlog: Backlog): void {
  const { batch, parking } = session;
  let done = 0;
  for (const change of backlog.queue) {
    if (batch.records.length >= REPLAY_RECORDS || batch.bytes >= REPLAY_BYTES) break;
    lose(session, topic, backlog, change.seq - 1);
    const isOver = change.seq <= (tableOf(session.control.state, topic).parked?.supersededTo ?? 0);
    if (isOver) backlog.passedOver += 1;
    else if (!replayChange(session, topic, backlog, change)) break;
    backlog.replayed = change.seq;
    backlog.stuck = undefined;
    forgetChange(batch, session.outside.settings.parkedTopic, topic, backlog, change.seq);
    done += 1;
  }
  release(parking, backlog, done);
}

/** Replays a change. Returns false if it still cannot be written. */
function replayChange(session: Replaying, topic: string, backlog: Backlog, change: ParkedChange): boolean {
  const stop = publishOrStop(session, topic, backlog, change);
  if (stop === undefined) return true;
  const standing = judgeHead(session, topic, change, stop);
  if (standing === "superseded") {
    backlog.passedOver += 1;
    publishRemoval(session, topic, backlog, change);
    return true;
  }
  const settled =
    standing === "poison" ? settlePoison(session, poisonedRow(session, topic, backlog, change), stop) : stop;
  if (settled === "settled") return true;
  if (settled === "unprepared") {
    session.control.poison.wanted = true;
    return false;
  }
  backlog.stuck = stuckNow(session, topic, backlog.stuck, standing);
  apply(session, { kind: "parked", topic, id: backlog.id, why: causeOf(settled) });
  return false;
}

/** Names a change among all that were ever parked. */
function nameInBacklog({ id }: Backlog, { seq }: ParkedChange): string {
  return `${inBacklog(id)}${seq}`;
}

const inBacklog = (id: string) => `parked ${id} `;

/** A change that waited for an operator no longer does: it was published without a command, skipped, or is missing. */
function passWaiting(session: Replaying, topic: string, { id, replayed }: Backlog): void {
  const at = tableOf(session.control.state, topic).poison?.stuck?.at;
  if (at?.startsWith(inBacklog(id)) !== true || Number(at.slice(inBacklog(id).length)) > replayed) return;
  passStuck(session, topic, undefined);
}

function poisonedRow(session: Replaying, topic: string, backlog: Backlog, change: ParkedChange): PoisonedRow {
  const { lsn, xid, commitTime, message } = change;
  const at = nameInBacklog(backlog, change);
  const known = { topic, at, place: { lsn, xid, commitTime } };
  const row = message === undefined ? undefined : decode(message);
  if (row === undefined || !("oldKind" in row)) return { ...known, op: undefined, change: undefined };
  const encoding = encodingOf(session, topic, backlog, change);
  const mark = markOf(encoding, change, session.outside.now());
  const { columns, read } = encoding;
  const types = read.columns.map((column) => column?.type);
  const encode = (one: RowChange) => encoding.encoder.change(one, mark);
  return { ...known, op: OPERATIONS[row.kind], change: { row, columns, types, identity: read.identity, encode } };
}

function publishOrStop(
  session: Replaying,
  topic: string,
  backlog: Backlog,
  change: ParkedChange,
): GuardError | undefined {
  try {
    publish(session, topic, backlog, change);
    return undefined;
  } catch (error) {
    if (!isParkable(error)) throw error;
    return error;
  }
}

/** @throws GuardError that says why it cannot be written */
function publish(session: Replaying, topic: string, backlog: Backlog, change: ParkedChange): void {
  const { batch, control, outside } = session;
  if (change.message === undefined) throw notKept(tableOf(control.state, topic), change);
  const message = decode(change.message);
  const encoding = encodingOf(session, topic, backlog, change);
  const mark = markOf(encoding, change, outside.now());
  if (message.kind === "truncate") put(batch, topic, encoding.encoder.truncate(mark));
  else if ("oldKind" in message) publishChange(session, topic, encoding.encoder, encoding, message, mark);
}

function notKept({ shape: { table, topic } }: TableState, { size }: ParkedChange): GuardError {
  return new GuardError(
    "record-too-large",
    `a row of ${fullName(table)} has ${size} bytes in the log and was not kept`,
    {
      next: `set max.message.bytes of ${topic} to at least ${Math.ceil(size / 4)}; the row is then read from the table`,
    },
  );
}

/**
 * If a change fits no event, the part that is certain is still published: the removal of its old key. The repair of the
 * table publishes the row as it is now.
 */
function publishRemoval(session: Replaying, topic: string, backlog: Backlog, change: ParkedChange): void {
  const message = change.message === undefined ? undefined : decode(change.message);
  if (message === undefined || !("oldKind" in message) || message.oldKind === "none") return;
  const { outside } = session;
  try {
    const encoding = encodingOf(session, topic, backlog, change);
    if (message.kind === "update" && !isMoved(encoding, message)) return;
    const removal = removalOf(encoding, message);
    publishChange(session, topic, encoding.encoder, encoding, removal, markOf(encoding, change, outside.now()));
  } catch (error) {
    if (!isParkable(error)) throw error;
    outside.log.warn(`${topic}: a deleted row stays with consumers, since its key does not fit the events' key`);
  }
}

/**
 * True if the row got a new key. The new key, which no event can contain, differs from the old one, because the old key
 * is in the log only if it changed.
 */
function isMoved({ encoder, rowKeys }: ParkedEncoding, row: RowChange): boolean {
  try {
    return (rowKeys ?? encoder).keysOf(row).length > 1;
  } catch (error) {
    if (!isParkable(error)) throw error;
    return row.oldKind === "key";
  }
}

/** The removal of the old row, of which only the key is used. */
function removalOf({ columns, shape }: ParkedEncoding, row: RowChange): RowChange {
  const keep = columns.map((column) => shape.key.some(({ attnum }) => attnum === column));
  return { ...row, kind: "delete", bytes: cutColumns({ ...row, newAt: -1 }, keep), oldKind: "key", newAt: -1 };
}

/** @throws GuardError key-changed, amendment-unsupported */
function encodingOf(session: Replaying, topic: string, backlog: Backlog, { layout }: ParkedChange): ParkedEncoding {
  const { outside, batch, control } = session;
  const table = tableOf(control.state, topic);
  const before = backlog.encoding;
  mustHaveItsKey(table);
  if (before?.layout === layout && before.shape === table.shape) return before;
  const read = before?.layout === layout ? before.read : readLayout(layout);
  const columns = read.columns.map((column) => column?.attnum);
  const types = read.columns.map((column) => column?.type);
  const { settings } = outside;
  const { identity, unidentified } = read;
  const rows = { columns, identity, types, unidentified };
  const encoder = shapeEncoder(settings, batch.slab, table, rows);
  const rowKeys = rowKeyEncoder(settings, batch.slab, table, rows);
  backlog.encoding = { layout, read, shape: table.shape, columns, encoder, rowKeys, tx: undefined };
  return backlog.encoding;
}

/** Returns one object for all changes of a transaction. */
function markOf(encoding: ParkedEncoding, change: ParkedChange, now: bigint): EventMark {
  const { lsn, xid, commitTime, lastCommitLsn } = change;
  const before = encoding.tx;
  const isSame = before?.xid === xid && before.commitTime === commitTime && before.lastCommitLsn === lastCommitLsn;
  const tx: TxMark = isSame ? before : { xid, commitTime, lastCommitLsn };
  encoding.tx = tx;
  return { lsn, tx, now };
}
