import { isExcluded } from "../../gate/amendment/excluded.ts";
import type { TableState } from "../../gate/state.ts";
import type { OutRecord } from "../../kafka/record.ts";
import { layoutText, parkedKey, type ParkedChange, parkedValue } from "../../store/parked.ts";
import type { Attnum } from "../../table/column.ts";
import { cutColumns } from "../../wal/cut.ts";
import type { Lsn } from "../../wal/lsn.ts";
import type { RowChange } from "../../wal/message.ts";
import type { Settings } from "../outside.ts";
import type { Backlog, LayoutNow } from "../parking.ts";
import { type Captured, type Parts, tableOf } from "../session.ts";
import { backlogOf, hold } from "./backlog.ts";
import { add } from "./batch.ts";
import { unidentifiedOf } from "./row-encoder.ts";

/**
 * Writes the changes of a parked table to the parked topic instead of its own, in the same batch as everything else and
 * in the order of the log. Values that may not be published may not be parked either, so those of withheld, excluded
 * and unidentified columns are removed.
 */

type Parking = Parts<"tape" | "control" | "batch" | "parking">;

export function parkRow(session: Parking, captured: Captured, topic: string, row: RowChange, at: Lsn): void {
  const table = tableOf(session.control.state, topic);
  const backlog = backlogFor(session, table);
  const { keep } = layoutNow(session.outside.settings, backlog, table, captured);
  keepChange(session, backlog, topic, at, cutColumns(row, keep), row.bytes.length);
}

/** A TRUNCATE of several tables is parked for this one alone. */
export function parkTruncate(session: Parking, captured: Captured, topic: string, at: Lsn): void {
  const table = tableOf(session.control.state, topic);
  const backlog = backlogFor(session, table);
  layoutNow(session.outside.settings, backlog, table, captured);
  const message = Buffer.from("T\0\0\0\x01\0\0\0\0\0", "latin1");
  message.writeUInt32BE(captured.relation.oid, 6);
  keepChange(session, backlog, topic, at, message, message.length);
}

/** For a row that was not read because of its size, only its position is kept. */
export function parkUnread(session: Parking, captured: Captured, topic: string, at: Lsn, size: number): void {
  const table = tableOf(session.control.state, topic);
  const backlog = backlogFor(session, table);
  layoutNow(session.outside.settings, backlog, table, captured);
  keepChange(session, backlog, topic, at, undefined, size);
}

function backlogFor(session: Parking, { shape, parked }: TableState): Backlog {
  if (parked === undefined) throw new RangeError(`${shape.topic} is not parked`);
  return backlogOf(session, shape.topic, parked);
}

function keepChange(
  session: Parking,
  backlog: Backlog,
  topic: string,
  at: Lsn,
  message: Buffer | undefined,
  size: number,
): void {
  const { batch, tape, parking } = session;
  if (tape.tx === undefined) return;
  const { xid, mark } = tape.tx;
  const place = { lsn: at, xid, commitTime: mark.commitTime, lastCommitLsn: mark.lastCommitLsn };
  const change = { ...place, seq: backlog.written + 1, size, layout: backlog.layout?.text ?? "null", message };
  const record = recordOf(session, backlog, topic, change);
  const fits = batch.writer.limitBrokenBy(record) === undefined;
  const kept = fits ? change : { ...change, message: undefined };
  add(batch, fits ? record : recordOf(session, backlog, topic, kept));
  hold(parking, backlog, kept);
}

function recordOf({ outside }: Parking, { id }: Backlog, topic: string, change: ParkedChange): OutRecord {
  const key = parkedKey(topic, id, change.seq);
  return { topic: outside.settings.parkedTopic, partition: 0, key, value: parkedValue(change) };
}

/** The layout of all changes while neither the table's columns nor its shape change. */
function layoutNow(settings: Settings, backlog: Backlog, table: TableState, captured: Captured): LayoutNow {
  const before = backlog.layout;
  const { columns, relation } = captured;
  if (before?.columns === columns && before.table.shape === table.shape && before.table.known === table.known) {
    return before;
  }
  const flowing = publishedColumns(settings, table);
  const kept = columns.map((attnum) => {
    const type = table.known.find((known) => known.attnum === attnum)?.type;
    return attnum === undefined || type === undefined || !flowing.has(attnum) ? undefined : { attnum, type };
  });
  const unidentified = unidentifiedOf(table, columns);
  const text = layoutText({ columns: kept, identity: relation.identity, unidentified });
  backlog.layout = { columns, table, text, keep: kept.map((one) => one !== undefined) };
  return backlog.layout;
}

/** The columns whose values events may contain: those of the published fields and of the key. */
function publishedColumns({ filter }: Settings, table: TableState): ReadonlySet<Attnum> {
  const { shape, rowKey = [], known } = table;
  const keys = [...shape.key.map(({ attnum }) => attnum), ...rowKey];
  const fields = shape.fields.map(({ attnum }) => attnum);
  const excluded = known.filter((column) => isExcluded({ filter }, table, column)).map(({ attnum }) => attnum);
  return new Set([...fields.filter((attnum) => !excluded.includes(attnum)), ...keys]);
}
