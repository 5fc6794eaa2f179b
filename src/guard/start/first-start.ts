import { GuardError } from "../../errors.ts";
import type { Mode, TableState } from "../../gate/state.ts";
import type { TransactionalWriter } from "../../kafka/writer.ts";
import type { SourceFacts } from "../../postgres/check.ts";
import { changes, type Intent, type Stored } from "../../store/records.ts";
import { formatLsn, type Lsn } from "../../wal/lsn.ts";
import type { Table } from "../../table/column.ts";
import type { Position } from "../../wal/position.ts";
import { stateRecord } from "../loop.ts";
import type { Outside, Source } from "../outside.ts";
import { type Capturable, capturable, createTopics, firstState, snapshotJobs } from "./capture-tables.ts";

/**
 * From a state to one that can be streamed from: the first start, step by step, each committed before the next; or the
 * checks that the log is still the one the state's position is in. A crash anywhere goes on where it was.
 */
export async function beginOrGoOn(
  outside: Outside,
  source: Source,
  writer: TransactionalWriter,
  stored: Stored,
  signal: AbortSignal,
): Promise<Stored> {
  if (stored.intent !== undefined) mustBeSameMode(outside, stored.intent);
  const facts = await source.check();
  if (stored.position !== undefined) await mustBeSameLog(outside, source, facts, stored.position);
  const found = await source.tables(namesOf(stored));
  const items = capturable(outside, stored.position === undefined ? found : found.filter(isNewTo(stored)));
  for (const finding of items.flatMap((item) => item.leftOut)) outside.log.warn(finding.message);
  if (stored.position === undefined && stored.intent === undefined) await mustBeNewSlot(outside, source);
  await createTopics(outside, [...stored.tables.keys(), ...items.map((item) => item.topic)]);
  const record = async (before: Stored, after: Stored): Promise<Stored> => {
    const records = changes(before, after).map((entry) => stateRecord(outside.settings.stateTopic, entry));
    await writer.commit(records, signal);
    return after;
  };
  let now = stored;
  const missing = items.filter((item) => !stored.tables.has(item.topic));
  if (now.position !== undefined) {
    await source.ensurePublication();
    if (missing.length === 0) return now;
    // Tables and their snapshots in one commit: a table that is known is not looked at again.
    const tables = unproven(await firstStates(outside, now, missing), missing);
    return record(now, withSnapshots(outside, { ...now, tables }, missing));
  }
  if (missing.length > 0) now = await record(now, { ...now, tables: await firstStates(outside, now, missing) });
  const { "slot.name": slot, "publication.name": publication, mode: ran } = outside.settings;
  if (now.intent === undefined) {
    const mode = ran === "watch" ? ran : undefined;
    now = await record(now, { ...now, intent: { slot, publication, systemId: facts.systemId, mode } });
  }
  await source.ensurePublication();
  const endLsn = await slotPoint(outside, source, signal);
  const { systemId, timeline } = facts;
  const position: Position = { endLsn, commitLsn: undefined, tx: undefined, systemId, timeline, slot };
  return record(now, { ...withSnapshots(outside, now, items), position });
}

/** Neither one of ours under another name, nor another table under the name of one of ours. */
function isNewTo({ tables }: Stored): (table: Table) => boolean {
  const states = [...tables.values()];
  return ({ oid, schema, name }) =>
    !states.some(({ shape: { table } }) => table.oid === oid || (table.schema === schema && table.name === name));
}

/** Tables that need not be there any more under the names the file has: what the log has of them is still read. */
function namesOf({ tables, position }: Stored): readonly { readonly schema: string; readonly name: string }[] {
  if (position === undefined) return [];
  return [...tables.values()].map(({ shape, capturedAs }) => capturedAs ?? shape.table);
}

/** The log may be behind the catalog: who its columns are is proven by its first row. */
function unproven(
  tables: ReadonlyMap<string, TableState>,
  items: readonly Capturable[],
): ReadonlyMap<string, TableState> {
  const added = new Set(items.map((item) => item.topic));
  return new Map([...tables].map(([topic, table]) => [topic, added.has(topic) ? { ...table, known: [] } : table]));
}

function withSnapshots(outside: Outside, stored: Stored, items: readonly Capturable[]): Stored {
  if (outside.settings["snapshot.mode"] === "no_data") return stored;
  return { ...stored, jobs: new Map([...stored.jobs, ...snapshotJobs(items)]) };
}

async function firstStates(
  outside: Outside,
  stored: Stored,
  items: readonly Capturable[],
): Promise<ReadonlyMap<string, TableState>> {
  const tables = new Map(stored.tables);
  for (const item of items) tables.set(item.topic, await firstState(outside, item));
  return tables;
}

/** What one mode knows of the topics is not so in the other: whose the events are has changed. */
function mustBeSameMode({ settings }: Outside, intent: Intent): void {
  const { mode } = settings;
  const was: Mode = intent.mode ?? "guard";
  if (was === mode) return;
  throw new GuardError(
    "config-invalid",
    `fieldgate.mode is ${mode}, and connector ${settings.name} has run as ${was}`,
    {
      next: "give the connector another name: it begins with what the registry has (docs/watch.md, Taking over)",
    },
  );
}

async function mustBeNewSlot(outside: Outside, source: Source): Promise<void> {
  if ((await source.slot()) === undefined) return;
  throw new GuardError(
    "slot-exists",
    `slot ${outside.settings["slot.name"]} exists and this connector has no state of it`,
    {
      next: `name another with ${outside.settings.mode === "watch" ? "name" : "slot.name"}, or drop it if nothing reads it: SELECT pg_drop_replication_slot(…)`,
    },
  );
}

/** Where the stream begins. A crash between creating the slot and recording its position left it inactive. */
async function slotPoint(outside: Outside, source: Source, signal: AbortSignal): Promise<Lsn> {
  const slot = await source.slot();
  if (slot !== undefined) return slot.confirmedFlush;
  return source.createSlot((blockers) => {
    outside.log.warn(`creating the slot waits for open transactions of ${blockers.join(", ")}`);
  }, signal);
}

/** Another server, slot or timeline, one that ends before the position, or lost its log, is refused by name. */
async function mustBeSameLog(outside: Outside, source: Source, facts: SourceFacts, position: Position): Promise<void> {
  const { "slot.name": slot, mode } = outside.settings;
  const changed = (message: string) => changedSource(mode, message);
  const lost = (message: string) => lostSlot(mode, message);
  const at = formatLsn(position.endLsn);
  if (facts.systemId !== position.systemId) {
    throw changed(`the server's system id is ${facts.systemId}, the state is of ${position.systemId}`);
  }
  if (facts.timeline !== position.timeline) {
    throw changed(`the server is on timeline ${facts.timeline}, the state's position ${at} on ${position.timeline}`);
  }
  if (slot !== position.slot) throw changed(`the state is of slot ${position.slot}, the file says ${slot}`);
  if (facts.end < position.endLsn) {
    throw changed(`the log ends at ${formatLsn(facts.end)}, before the state's position ${at}`);
  }
  const there = await source.slot();
  if (there === undefined || there.walStatus === "lost") throw lost(`slot ${slot} is gone or lost its log`);
  if (there.confirmedFlush > position.endLsn) {
    throw lost(`slot ${slot} is at ${formatLsn(there.confirmedFlush)}, ahead of the state's position ${at}`);
  }
}

function changedSource(mode: Mode, message: string): GuardError {
  const another = mode === "watch" ? "another name" : "another name and topic.prefix";
  return new GuardError("source-changed", message, {
    next: `point the connector at the old server, or start a new connector with ${another}`,
  });
}

const BEGINS: Readonly<Record<Mode, string>> = {
  guard: "its snapshot publishes every row as it is now",
  watch: "it begins with what the registry has",
};

function lostSlot(mode: Mode, message: string): GuardError {
  return new GuardError("slot-lost", `${message}: changes since then cannot be read any more`, {
    next: `start a new connector with another name: ${BEGINS[mode]}`,
  });
}
