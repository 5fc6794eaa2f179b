import { GuardError } from "../../errors.ts";
import type { ChunkJob } from "../../chunk/job.ts";
import { type LeftOutReason, refusalOf } from "../../capture/left-out.ts";
import { isPartOfCaptured } from "../../capture/lists.ts";
import type { LookedTable, TablesLook } from "../../capture/look.ts";
import { type NotSent, sentAs } from "../../capture/sent.ts";
import { repairJob } from "../../gate/amendment/backfill.ts";
import type { TableState } from "../../gate/state.ts";
import type { Table } from "../../table/column.ts";
import { leftOutLine } from "../../words/left-out-columns.ts";
import { fullName } from "../../table/quote.ts";
import type { Relation } from "../../wal/message.ts";
import type { Settings } from "../outside.ts";
import { type Captured, capturedFrom, type Parts } from "../session.ts";
import {
  type Capturable,
  captureTables,
  createTopics,
  firstTableState,
  snapshotJobs,
} from "../start/capture-tables.ts";
import { apply } from "./apply.ts";
import { leave } from "./left.ts";
import { judgeDeadline, readUntilVisible } from "./read-visible.ts";

/**
 * Captures a table that the connector's file includes but the state does not have, either before its first row or once
 * a look finds that it can be captured. A table that cannot be captured is left out with a warning, and never stops the
 * connector.
 */

/** When to try again to capture a table. */
const AGAIN_MS = 60_000;
const AGAIN_SOON_MS = 1000;

/** Captures a new table before its first row, which transaction `xid` wrote. */
export async function captureNew(
  session: Parts<"control" | "tape" | "batch">,
  captured: Captured,
  xid: number,
): Promise<void> {
  const { outside, control, tape } = session;
  const { relation } = captured;
  const { table, visible } = await readUntilVisible(session, relation, xid, judgeDeadline(outside), "found");
  const skip = { ...captured, news: undefined };
  if (table === undefined) {
    if (visible) outside.log.warn(`${fullName(relation)} was created and dropped again: its rows are not published`);
    else leave(session, relation.oid, relation, { kind: "not-visible" }, AGAIN_SOON_MS);
    tape.relations.set(relation.oid, skip);
    return;
  }
  const { schema, name: called } = relation;
  const look = await lookFor(session, relation.oid, xid);
  const done = await capture(session, { ...asWritten(table, relation), schema, name: called }, look);
  tape.relations.set(relation.oid, done ? capturedFrom(outside, control.state, relation) : skip);
}

/** A migration may create hundreds of tables in one transaction. One look shows all of them. */
async function lookFor({ source, control }: Parts<"control">, oid: number, xid: number): Promise<TablesLook> {
  const { forNew } = control.looks;
  if (forNew?.xid === xid && forNew.look.tables.has(oid)) return forNew.look;
  const look = await source.look();
  control.looks.forNew = { xid, look };
  return look;
}

/**
 * The table with the columns that its first row has. Columns that the catalog has in addition were added later, and
 * become amendments once the log has them. If they were treated as columns of this row, they would seem to have been
 * dropped.
 */
function asWritten(table: Table, { columns: written }: Relation): Table {
  const logged = table.columns.filter(({ generated }) => !generated);
  const isSame = written.every(({ name, typeOid }, at) => logged[at]?.name === name && logged[at].type.oid === typeOid);
  const later = new Set(logged.slice(written.length).map(({ attnum }) => attnum));
  if (written.length === 0 || !isSame || table.key.some((column) => later.has(column))) return table;
  return {
    ...table,
    columns: table.columns.filter(({ attnum }) => !later.has(attnum)),
    otherKeys: table.otherKeys.filter((key) => !key.some((column) => later.has(column))),
  };
}

/**
 * Whether the table needs a snapshot, because some of its rows were skipped, or because it can have had rows before it
 * was published. Only a publication of all tables, which existed before the table, is known to have sent all its rows.
 */
export function needsSnapshot(
  { control: { looks } }: Parts<"control">,
  { publication }: TablesLook,
  table: Table,
): boolean {
  const id = Number(table.oid);
  const seen = looks.seen.get(id);
  const isAlwaysSent =
    publication?.allTables === true && publication.identity === looks.allTables && seen?.alwaysSent !== false;
  const isPassedBy = looks.left.has(id) || looks.passedBy.has(id) || seen?.captured === false;
  return !isAlwaysSent || isPassedBy || !isNeverRewritten(table);
}

function isNeverRewritten({ oid, filenode }: Table): boolean {
  return filenode === Number(oid);
}

/**
 * Captures the table, as `look` shows it. Returns false if it cannot be captured now. Its topic gets its name from
 * `table`.
 */
export async function capture(
  session: Parts<"control" | "tape" | "batch">,
  table: Table,
  look: TablesLook,
): Promise<boolean> {
  const { outside, control } = session;
  const oid = Number(table.oid);
  const entry = look.tables.get(oid);
  const right = entry === undefined ? undefined : missingRight(entry, outside.settings["database.user"]);
  if (right !== undefined) return leave(session, oid, table, right);
  const why = entry === undefined ? undefined : unsentBecause(outside.settings, look, entry);
  if (why !== undefined) {
    const publication = outside.settings["publication.name"];
    return leave(session, oid, table, { kind: "not-sent", why, publication });
  }
  const { items, left } = captureTables(outside, [table], new Set(control.state.tables.keys()));
  const [unmapped] = left;
  if (unmapped !== undefined) {
    return leave(session, oid, table, { kind: "unmapped", faults: unmapped.faults }, AGAIN_MS);
  }
  const [item] = items;
  if (item === undefined) return false;
  try {
    await captureItem(session, item, look, needsSnapshot(session, look, table));
  } catch (error) {
    if (!(error instanceof GuardError) || error.fate !== "stop") throw error;
    return leave(session, oid, table, { kind: "failed", error: refusalOf(error) }, AGAIN_MS);
  }
  control.looks.left.delete(oid);
  return true;
}

async function captureItem(
  session: Parts<"control" | "tape" | "batch">,
  item: Capturable,
  look: TablesLook,
  snapshot: boolean,
): Promise<void> {
  const { outside, batch } = session;
  const { table, topic } = item;
  for (const finding of item.leftOut) outside.log.warn(leftOutLine(table, finding));
  for (const [name, found] of await createTopics(outside, [topic])) {
    batch.partitions.set(name, found.partitions);
    batch.maxBytes.set(name, found.maxMessageBytes);
    batch.topics.described.set(name, found);
  }
  const state = await firstTableState(outside, item);
  const sent = sentAs(look, look.tables.get(Number(table.oid)), outside.settings.sent);
  const job = snapshot && outside.delivery !== "none" ? readingJob(outside.settings, item, state) : undefined;
  // As for any table, its first row identifies its columns. A table that was never rewritten has had the same file from
  // the start.
  const filenode = isNeverRewritten(table) ? table.filenode : undefined;
  apply(session, {
    kind: "captured",
    table: { ...state, known: [], assigned: undefined, filenode, sent },
    job,
  });
  const verb = outside.delivery === "none" ? "followed in" : "published to";
  outside.log.info(`${fullName(table)} is new and ${verb} topic ${topic}`);
}

/**
 * Why the table's rows are not sent in full under its own name; undefined if they are. publish.via.partition.root says
 * whether rows of partitions belong to the partitioned table, even if the publication sends them under other names.
 */
function unsentBecause({ sent, filter }: Settings, look: TablesLook, table: LookedTable): NotSent | undefined {
  const why = sentAs(look, table, sent);
  if (why.kind !== "sent") return why;
  const isOther = sent.viaRoot ? isPartOfCaptured(filter, look, table) : table.partitioned;
  return isOther ? { kind: "other-root", viaRoot: sent.viaRoot } : undefined;
}

/**
 * The job that reads the table's rows. It is needed even with no_data, because changes of them may have been skipped.
 */
function readingJob(settings: Settings, item: Capturable, { shape }: TableState): ChunkJob | undefined {
  if (settings["snapshot.mode"] === "no_data") return repairJob(shape);
  const [job] = snapshotJobs([item]).values();
  return job;
}

/** The reason to leave the table out if `role` lacks a right that is needed to read it; otherwise undefined. */
export function missingRight(
  { readable, usable }: { readonly readable: boolean; readonly usable: boolean },
  role: string,
): LeftOutReason | undefined {
  return readable && usable ? undefined : { kind: "no-right", readable, usable, role };
}
