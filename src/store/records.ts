/**
 * The records of a connector's state topic: which records a change of the state writes, and how the state is read back
 * from them. Each record is small and stores one thing, and the topic is compacted, so a restart reads little.
 * record.ts contains what all records share, table-records.ts the records of a table.
 */
import { GuardError } from "../errors.ts";
import type { ChunkJob } from "../chunk/job.ts";
import type { Evidence, TopicEvidence } from "../gate/evidence/evidence.ts";
import type { Outcome } from "../gate/decision/reason.ts";
import type { State, TableState } from "../gate/state.ts";
import type { FileKeys, LastRun } from "./last-run.ts";
import {
  type Entries,
  type Entry,
  inForm,
  joinParts,
  needs,
  readRecord,
  record,
  recordsOf,
  type RecordValue,
  type StateRecord,
  textOf,
} from "./record.ts";
import { readRecordedJob, readRecordedOutcome, type RecordedJob, type RecordedOutcome } from "./recorded.ts";
import { readTable, tableChanges } from "./table-records.ts";
import { type Lsn, parseLsn, formatLsn } from "../wal/lsn.ts";
import type { Position } from "../wal/position.ts";

/** What the first start set up before there was a position. It lets a start resume after a crash. */
export interface Intent {
  readonly slot: string;
  readonly publication: string;
  readonly systemId: string;
  /** Absent in guard mode. */
  readonly mode?: "watch" | undefined;
}

/** Everything that a connector's state topic holds. */
export interface Stored {
  readonly intent: Intent | undefined;
  readonly position: Position | undefined;
  readonly tables: State["tables"];
  readonly jobs: State["jobs"];
  readonly outcomes: State["outcomes"];
  /** By topic: the consumer groups that were seen reading it. */
  readonly evidence: Evidence["recorded"];
  /** Offset of the next command to process. */
  readonly commandOffset: bigint;
  /**
   * The DDL trigger that has reported every DDL since the columns of all tables were proven; undefined if there is
   * none.
   */
  readonly trigger?: string | undefined;
  /** The settings of the connector's file that the last run used; absent in records of versions before 0.2. */
  readonly lastRun?: LastRun | undefined;
}

export const EMPTY: Stored = {
  intent: undefined,
  position: undefined,
  tables: new Map(),
  jobs: new Map(),
  outcomes: new Map(),
  evidence: new Map(),
  commandOffset: 0n,
};

export function startedRecord(id: string, time: string): StateRecord {
  return record("started", { id, time });
}

export function isStarted(entry: StateRecord, id: string): boolean {
  return entry.key === "started" && entry.value !== null && entry.value.includes(`"id":"${id}"`);
}

/** The records that lead from one state to the next. Only values that are not identical objects are written. */
export function changes(before: Stored, after: Stored): readonly StateRecord[] {
  const records: StateRecord[] = [];
  if (after.intent !== undefined && after.intent !== before.intent) records.push(record("intent", after.intent));
  if (after.commandOffset !== before.commandOffset) {
    records.push(record("commands", { offset: String(after.commandOffset) }));
  }
  if (after.trigger !== before.trigger) {
    records.push(
      after.trigger === undefined ? { key: "trigger", value: null } : record("trigger", { identity: after.trigger }),
    );
  }
  if (after.lastRun !== undefined && after.lastRun !== before.lastRun) records.push(record("file", after.lastRun));
  records.push(...tableChanges(before.tables, after.tables));
  records.push(...mapChanges("job", before.jobs, after.jobs));
  records.push(...mapChanges("outcome", before.outcomes, after.outcomes));
  records.push(...mapChanges("groups", before.evidence, after.evidence));
  if (after.position !== undefined && after.position !== before.position) {
    records.push(record("position", positionJson(after.position)));
  }
  return records;
}

function mapChanges<T extends object>(
  prefix: string,
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly StateRecord[] {
  if (before === after) return [];
  const changed = [...after].filter(([key, value]) => before.get(key) !== value);
  const gone = [...before].filter(([key]) => !after.has(key));
  return [
    ...changed.flatMap(([key, value]) => recordsOf(`${prefix}/${key}`, before.get(key), value)),
    ...gone.flatMap(([key, value]) => recordsOf(`${prefix}/${key}`, value, undefined)),
  ];
}

/**
 * Reads the state from records in order. Throws GuardError("state-invalid"), naming the key of a record that it cannot
 * read.
 */
export function replay(records: Iterable<StateRecord>): Stored {
  const last = new Map<string, string>();
  for (const { key, value } of records) {
    if (value === null) last.delete(key);
    else last.set(key, value);
  }
  const entries = new Map(joinParts(last).map(([key, text]) => [key, readRecord(key, text)]));
  const read: Reading = { tables: new Map(), jobs: new Map(), outcomes: new Map(), evidence: new Map(), stored: EMPTY };
  for (const [key, entry] of entries) inForm(key, () => readEntry(read, key, entry, entries));
  const { tables, jobs, outcomes, evidence } = read;
  return { ...read.stored, tables, jobs, outcomes, evidence };
}

/** What was read so far. */
interface Reading {
  readonly tables: Map<string, TableState>;
  readonly jobs: Map<string, ChunkJob>;
  readonly outcomes: Map<string, Outcome>;
  readonly evidence: Map<string, TopicEvidence>;
  stored: Stored;
}

function readEntry(read: Reading, key: string, { version, value }: Entry, entries: Entries): void {
  const { stored } = read;
  const [kind, id] = splitKey(key);
  if (kind === "table") read.tables.set(id, readTable(id, { version, value }, entries));
  else if (kind === "job") read.jobs.set(id, readJob(version, value));
  else if (kind === "outcome") read.outcomes.set(id, readOutcome(version, value));
  else if (kind === "groups") read.evidence.set(id, readEvidence(value));
  else if (kind === "intent") read.stored = { ...stored, intent: value as unknown as Intent }; // `changes` wrote it
  else if (kind === "position") read.stored = { ...stored, position: readPosition(value) };
  else if (kind === "trigger") read.stored = { ...stored, trigger: textOf("trigger", value, "identity") };
  else if (kind === "file") read.stored = { ...stored, lastRun: readLastRun(value) };
  else if (kind === "commands") read.stored = { ...stored, commandOffset: readOffset(value) };
}

function readLastRun(value: RecordValue): LastRun {
  needs(value, { keys: "object", unreported: "object" });
  const { keys, unreported } = value as { readonly keys: FileKeys; readonly unreported: FileKeys }; // `changes` wrote it
  return { keys, unreported };
}

/** Fields that another version of Fieldgate did not write are read as unknown. */
function readEvidence(value: RecordValue): TopicEvidence {
  const { began, at, groups, contracts } = value as Partial<TopicEvidence>; // as `changes` wrote it; fields may be missing
  return {
    began: began ?? 0,
    at: at ?? 0,
    contracts: contracts ?? {},
    groups: (groups ?? []).map((one) => ({ ...one, readers: one.readers ?? {} })),
  };
}

function readJob(version: number, value: RecordValue): ChunkJob {
  needs(value, { id: "string", topic: "string", kind: "string", state: "string" });
  return version === 1 ? readRecordedJob(value as unknown as RecordedJob) : (value as unknown as ChunkJob); // `changes` wrote it
}

function readOutcome(version: number, value: RecordValue): Outcome {
  needs(value, { kind: "string" });
  return version === 1 ? readRecordedOutcome(value as unknown as RecordedOutcome) : (value as unknown as Outcome); // `changes` wrote it
}

function splitKey(key: string): readonly [string, string] {
  const slash = key.indexOf("/");
  return slash === -1 ? [key, ""] : [key.slice(0, slash), key.slice(slash + 1)];
}

function positionJson(position: Position): object {
  return {
    ...position,
    endLsn: formatLsn(position.endLsn),
    commitLsn: position.commitLsn === undefined ? undefined : formatLsn(position.commitLsn),
    tx: position.tx && { ...position.tx, commitLsn: formatLsn(position.tx.commitLsn) },
  };
}

function readPosition(value: RecordValue): Position {
  const tx = value["tx"] as RecordValue | undefined; // as positionJson writes it
  return {
    endLsn: readLsn(value, "endLsn"),
    commitLsn: value["commitLsn"] === undefined ? undefined : readLsn(value, "commitLsn"),
    tx: tx && { commitLsn: readLsn(tx, "commitLsn"), index: Number(tx["index"]) },
    systemId: textOf("position", value, "systemId"),
    timeline: Number(value["timeline"]),
    slot: textOf("position", value, "slot"),
  };
}

function readLsn(value: RecordValue, key: string): Lsn {
  const parsed = parseLsn(textOf("position", value, key));
  if (parsed === undefined) throw new GuardError("state-invalid", `state record position: ${key} is not an LSN`);
  return parsed;
}

function readOffset(value: RecordValue): bigint {
  const text = textOf("commands", value, "offset");
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new GuardError("state-invalid", 'state record "commands": its offset is not a number');
}
