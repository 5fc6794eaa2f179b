import { GuardError } from "../../errors.ts";
import type { ChunkJob } from "../../chunk/job.ts";
import { followLists } from "../../gate/amendment/excluded.ts";
import type { TablesLook } from "../../capture/look.ts";
import { newsOver, NONE_TRUNCATED } from "../../capture/sent.ts";
import { afterLook } from "../../gate/amendment/gap.ts";
import { newlyLeftOut, withLeftOut } from "../../gate/amendment/left-out.ts";
import { definedAt } from "../../gate/amendment/rewritten.ts";
import type { TableState } from "../../gate/state.ts";
import type { TransactionalWriter } from "../../kafka/writer.ts";
import type { SourceFacts } from "../../postgres/check.ts";
import { askForEach } from "../../at-once.ts";
import { changes, type Stored } from "../../store/records.ts";
import type { Column, Table } from "../../table/column.ts";
import { fullName, type TableName } from "../../table/quote.ts";
import { formatLsn, isoTime, type Lsn, LSN_ZERO } from "../../wal/lsn.ts";
import type { Position } from "../../wal/position.ts";
import { leftOutLine } from "../../words/left-out-columns.ts";
import type { Outside, Source } from "../outside.ts";
import { isListed, sentOf } from "../control/looked-table.ts";
import { verifySchemas } from "../control/verify-schemas.ts";
import { stateRecord } from "../stream/batch.ts";
import {
  type Capturable,
  captureTables,
  createTopics,
  describeTopics,
  firstTableState,
  refuseLeft,
  snapshotJobs,
} from "./capture-tables.ts";
import { refuseCompacted, reportCompacted, refuseOtherTopics, repairGoneTopics } from "./check-topics.ts";
import { extendPublication, refuseHarmByAll, sentNow, withoutUnidentified } from "./publication.ts";
import { type Followed, followFile, keysOfFile } from "./file-changes.ts";
import { passUnreadable } from "./pass-unreadable.ts";
import { RECORDED_MODE, mustBeSameMode, mustBeNewSlot, mustBeSameLog, warnOfEncoding } from "./check-source.ts";

/**
 * Turns the state that was read into one that can be streamed from. A connector without a position makes its first
 * start: it records its tables, its intent, its slot and its position. Each step is committed before the next, so after
 * a crash it continues where it was. A connector with a position only checks that the log is still the one that the
 * position belongs to, and adds the tables that its file captures now.
 */
export async function prepareState(
  outside: Outside,
  source: Source,
  writer: TransactionalWriter,
  stored: Stored,
  lost: Lost,
  signal: AbortSignal,
): Promise<Stored> {
  const record = async (before: Stored, after: Stored): Promise<Stored> => {
    const records = changes(before, after).map((entry) => stateRecord(outside.settings.stateTopic, entry));
    await writer.commit(records, signal);
    return after;
  };
  mustBeSameMode(outside, stored);
  const facts = await source.check();
  warnOfEncoding(outside, facts);
  const { position } = stored;
  if (position === undefined) return firstStart(outside, source, stored, facts, record, signal);
  await mustBeSameLog(outside, source, facts, position);
  const found = await source.tables(
    [...stored.tables.values()].map(({ shape, capturedAs }) => capturedAs ?? shape.table),
  );
  const listedBefore = listedTables(outside, stored);
  refuseOtherTopics(outside, listedBefore);
  const followed = followFile(outside, stored, listedBefore, found);
  const taken = new Set(stored.tables.keys());
  // A new table that cannot be captured is reported by the loop's first look and does not stop the connector.
  const before = await source.look();
  const { items } = withoutUnidentified(outside, before, captureTables(outside, found.filter(isNewTo(stored)), taken));
  const added = await extendPublication(outside, source, stored, before, items);
  const after = await source.look();
  const sent = items.filter(({ table }) => sentNow(outside, after, Number(table.oid)).kind === "sent");
  logLeftOut(outside, sent);
  const described = await describeTopics(outside, [...stored.tables.keys(), ...sent.map(({ topic }) => topic)]);
  // A file that asks for what its topics cannot take is refused; a topic that was changed stops its own table.
  const compacted = followed.lastRun.unreported["skipped.operations"] === undefined ? reportCompacted : refuseCompacted;
  compacted(outside, keysOf(outside, stored, sent), described);
  const gone = repairGoneTopics(outside, listedBefore, described, lost.emptied);
  // Recorded before the topics are created again, so that a crash in between loses nothing.
  const begun = await recordFollowed(stored, followed, gone, record);
  await createTopics(outside, [...stored.tables.keys(), ...sent.map(({ topic }) => topic)]);
  const columnsOf = (topic: string) =>
    found.find(({ oid }) => oid === stored.tables.get(topic)?.shape.table.oid)?.columns ?? [];
  const followedLists = outside.delivery === "none" ? begun : followLists(outside.settings, begun, columnsOf);
  const listed = followLeftOut(outside, followedLists, columnsOf);
  const moved = await verifySchemas(outside, listed.tables, signal);
  const current =
    listed === begun && moved.size === 0
      ? begun
      : { ...begun, ...listed, tables: new Map([...listed.tables, ...moved]) };
  const compared = afterLooks(outside, current, before, after);
  const afterwards = lost.unreadable ? passUnreadable(outside, compared, after, facts.end) : compared;
  if (sent.length === 0) return afterwards === begun ? begun : record(begun, afterwards);
  // A table that was just added to the publication was read before its first row arrives. For a table that was already
  // being sent, the log may be behind the catalog, so its first row identifies its columns.
  const states = [...(await firstStates(outside, sent))].map(([topic, table]) => {
    const marked = withMark(outside, after, table);
    return [
      topic,
      added.has(fullName(table.shape.table))
        ? { ...marked, defined: definedAt(table.versions, position.endLsn) }
        : { ...marked, known: [], assigned: undefined, filenode: undefined },
    ] as const;
  });
  // Tables and their snapshot jobs are committed together, because a table that is in the state gets no snapshot later.
  const tables = new Map([...afterwards.tables, ...states]);
  return record(begun, withSnapshots(outside, { ...afterwards, tables }, sent));
}

/** What earlier sessions of this process have found to be lost. */
export interface Lost {
  /** Topics that lost their events. */
  readonly emptied: ReadonlySet<string>;
  /** PostgreSQL cannot read the log from the position on. */
  readonly unreadable: boolean;
}

/** The tables of the state that the file still captures. Nothing is published for the others. */
function listedTables(outside: Outside, { tables }: Stored): Stored["tables"] {
  return new Map([...tables].filter(([, table]) => isListed(outside, table)));
}

function keysOf(
  outside: Outside,
  stored: Stored,
  items: readonly Capturable[],
): ReadonlyMap<string, { readonly keyless: boolean }> {
  const before = [...listedTables(outside, stored)].map(
    ([topic, { shape }]) => [topic, { keyless: shape.key.length === 0 }] as const,
  );
  return new Map([...before, ...items.map(({ topic, key }) => [topic, { keyless: key.length === 0 }] as const)]);
}

/**
 * Records the file as it is now, and the jobs that its changes require. The state is unchanged if the file has not
 * changed.
 */
async function recordFollowed(
  stored: Stored,
  { lastRun, tables, jobs }: Followed,
  gone: readonly ChunkJob[],
  record: (before: Stored, after: Stored) => Promise<Stored>,
): Promise<Stored> {
  if (lastRun === stored.lastRun && tables === stored.tables && gone.length === 0) return stored;
  return record(stored, withJobs({ ...stored, lastRun, tables }, [...gone, ...jobs]));
}

function withJobs(stored: Stored, jobs: readonly ChunkJob[]): Stored {
  return { ...stored, jobs: new Map([...stored.jobs, ...jobs.map((job) => [job.id, job] as const)]) };
}

/**
 * Records what was not sent while the connector was not running. The loop reports it, and it is repaired where
 * possible.
 */
function afterLooks(outside: Outside, stored: Stored, first: TablesLook, second: TablesLook): Stored {
  const { settings } = outside;
  const when = { position: formatLsn(stored.position?.endLsn ?? LSN_ZERO), time: isoTime(outside.now()) };
  const tables = new Map(stored.tables);
  const jobs = new Map(stored.jobs);
  for (const [topic, table] of stored.tables) {
    const { oid } = table.shape.table;
    // The loop handles a table that was replaced.
    const namesake = second.named.get(fullName(table.shape.table));
    if (namesake !== undefined && namesake.oid !== Number(oid)) continue;
    const before = sentOf(outside, first, table);
    const now = sentOf(outside, second, table);
    const news = newsOver(table.sent, before, now, NONE_TRUNCATED);
    // The next look decides, because the log may have a TRUNCATE of the whole table.
    if (news.kind === "emptied") continue;
    const after = afterLook(settings, table, now, news, when);
    if (after.table !== table) tables.set(topic, after.table);
    if (after.job !== undefined) jobs.set(after.job.id, after.job);
  }
  const same = [...tables].every(([topic, table]) => table === stored.tables.get(topic));
  return same ? stored : { ...stored, tables, jobs };
}

function withMark(outside: Outside, look: TablesLook, table: TableState): TableState {
  return { ...table, sent: sentNow(outside, look, Number(table.shape.table.oid)) };
}

async function firstStart(
  outside: Outside,
  source: Source,
  stored: Stored,
  facts: SourceFacts,
  record: (before: Stored, after: Stored) => Promise<Stored>,
  signal: AbortSignal,
): Promise<Stored> {
  const { "slot.name": slot, "publication.name": publication, mode } = outside.settings;
  const first = await source.look();
  refuseHarmByAll(outside, first);
  const { items, left } = withoutUnidentified(outside, first, captureTables(outside, await source.tables([])));
  refuseLeft(left.filter(({ table }) => items.length === 0 || isNamed(outside, table)));
  logLeftOut(outside, items);
  if (stored.intent === undefined) await mustBeNewSlot(outside, source);
  const keys = keysOf(outside, stored, items);
  refuseCompacted(outside, keys, await describeTopics(outside, [...keys.keys()]));
  // Whatever an administrator has to do first is reported before there are topics and schemas.
  await source.ensurePublication(items.map(({ table }) => table));
  await createTopics(outside, [...stored.tables.keys(), ...items.map(({ topic }) => topic)]);
  let now = stored;
  const missing = items.filter(({ topic }) => !stored.tables.has(topic));
  if (missing.length > 0) {
    const tables = new Map([...stored.tables, ...(await firstStates(outside, missing))]);
    now = await record(now, { ...now, tables });
  }
  const { systemId, timeline } = facts;
  if (now.intent === undefined) {
    const intent = { slot, publication, systemId, mode: RECORDED_MODE[mode] };
    now = await record(now, { ...now, intent });
  }
  const { endLsn, isNew } = await slotPoint(outside, source, signal);
  const position: Position = { endLsn, commitLsn: undefined, tx: undefined, systemId, timeline, slot };
  const look = await source.look();
  const tables = new Map(
    [...now.tables].map(([topic, table]) => {
      const marked = withMark(outside, look, table);
      return [topic, isNew ? { ...marked, defined: definedAt(table.versions, endLsn) } : marked] as const;
    }),
  );
  const lastRun = { keys: keysOfFile(outside.settings), unreported: {} };
  return record(now, { ...withSnapshots(outside, { ...now, tables }, items), position, lastRun });
}

/**
 * True if the file lists the table by its exact name and this connector publishes it. It is then an error if the table
 * cannot be captured.
 */
function isNamed({ settings, delivery }: Outside, table: TableName): boolean {
  const listed = settings["table.include.list"] ?? [];
  return delivery !== "none" && listed.some(({ plain, matches }) => plain && matches(fullName(table)));
}

/**
 * True for a table that is neither a captured table under a different name nor a different table under a captured
 * table's name.
 */
function isNewTo({ tables }: Stored): (table: Table) => boolean {
  const states = [...tables.values()];
  return ({ oid, schema, name }) =>
    !states.some(({ shape: { table } }) => table.oid === oid || (table.schema === schema && table.name === name));
}

function logLeftOut({ log }: Outside, items: readonly Capturable[]): void {
  for (const { table, leftOut } of items) for (const finding of leftOut) log.warn(leftOutLine(table, finding));
}

/** Which columns of the known tables are left out now. The log names those that were not before. */
function followLeftOut(
  { settings, log }: Outside,
  state: Pick<Stored, "tables" | "jobs">,
  columnsOf: (topic: string) => readonly Column[],
): Pick<Stored, "tables" | "jobs"> {
  const changed = [...state.tables].flatMap(([topic, before]) => {
    const columns = columnsOf(topic);
    const after = columns.length === 0 ? before : withLeftOut(settings, before, columns);
    for (const finding of newlyLeftOut(before, after)) log.warn(leftOutLine(before.shape.table, finding));
    return after === before ? [] : [[topic, after] as const];
  });
  return changed.length === 0 ? state : { ...state, tables: new Map([...state.tables, ...changed]) };
}

function withSnapshots(outside: Outside, stored: Stored, items: readonly Capturable[]): Stored {
  if (outside.settings["snapshot.mode"] === "no_data") return stored;
  const captured = items.filter(({ topic }) => stored.tables.has(topic));
  return { ...stored, jobs: new Map([...stored.jobs, ...snapshotJobs(captured)]) };
}

/**
 * The first states of the tables. A table whose subject refuses its schema, or has a schema of a different kind, is left
 * out with a warning, and the loop's looks try again to capture it.
 * @throws GuardError the first refusal, if every table was refused
 */
async function firstStates(outside: Outside, items: readonly Capturable[]): Promise<ReadonlyMap<string, TableState>> {
  const results = await askForEach(items, (item) => firstTableState(outside, item).catch(refusalBySubject));
  const refused = results.flatMap((result) => (result instanceof GuardError ? [result] : []));
  if (refused[0] !== undefined && refused.length === items.length) throw refused[0];
  for (const { message } of refused) outside.log.warn(`a table is not published yet: ${message}`);
  return new Map(results.flatMap((result) => (result instanceof GuardError ? [] : [[result.shape.topic, result]])));
}

function refusalBySubject(error: unknown): GuardError {
  if (error instanceof GuardError && (error.code === "registry-refused" || error.code === "subject-unfit"))
    return error;
  throw error;
}

/**
 * The position at which the stream begins. After a crash between creating the slot and recording its position, the slot
 * exists, and may be older than the tables that were read.
 */
async function slotPoint(
  outside: Outside,
  source: Source,
  signal: AbortSignal,
): Promise<{ readonly endLsn: Lsn; readonly isNew: boolean }> {
  const slot = await source.slot();
  if (slot !== undefined) return { endLsn: slot.confirmedFlush, isNew: false };
  const endLsn = await source.createSlot((blockers) => {
    outside.log.warn(`creating the slot waits for open transactions of ${blockers.join(", ")}`);
  }, signal);
  return { endLsn, isNew: true };
}
