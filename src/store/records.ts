import { GuardError } from "../errors.ts";
import type { ChunkJob } from "../chunk/job.ts";
import type { Evidence, TopicEvidence } from "../gate/evidence/evidence.ts";
import type { Outcome } from "../gate/decision/reason.ts";
import type { State, TableState } from "../gate/state.ts";
import type { RegisteredSchema, SchemaId, Shape } from "../table/shape.ts";
import {
  readRecordedAmendment,
  readRecordedJob,
  readRecordedOutcome,
  type RecordedAmendment,
  type RecordedJob,
  type RecordedOutcome,
} from "./recorded.ts";
import { type Lsn, parseLsn, formatLsn } from "../wal/lsn.ts";
import type { Position } from "../wal/position.ts";

/** What was begun before the first position: a crash in between goes on with it. */
export interface Intent {
  readonly slot: string;
  readonly publication: string;
  readonly systemId: string;
  /** absent: guard. */
  readonly mode?: "watch" | undefined;
}

/** All that a connector's state topic holds. */
export interface Stored {
  readonly intent: Intent | undefined;
  readonly position: Position | undefined;
  readonly tables: State["tables"];
  readonly jobs: State["jobs"];
  readonly outcomes: State["outcomes"];
  /** By topic: who was seen reading it. */
  readonly evidence: Evidence["recorded"];
  /** Offset of the next command to look at. */
  readonly commandOffset: bigint;
}

export interface StateRecord {
  readonly key: string;
  /** null: deleted. */
  readonly value: string | null;
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

/** Version 1 is 0.1.0's: it had sentences where reasons are now. A record keeps its version until it is written again. */
const VERSION = 2;

export function startedRecord(id: string, time: string): StateRecord {
  return record("started", { id, time });
}

export function isStarted(entry: StateRecord, id: string): boolean {
  return entry.key === "started" && entry.value !== null && entry.value.includes(`"id":"${id}"`);
}

/** The records that lead from one state to the next: only what differs by identity is written. */
export function changes(before: Stored, after: Stored): readonly StateRecord[] {
  const records: StateRecord[] = [];
  if (after.intent !== undefined && after.intent !== before.intent) records.push(record("intent", after.intent));
  if (after.commandOffset !== before.commandOffset) {
    records.push(record("commands", { offset: String(after.commandOffset) }));
  }
  records.push(...schemaChanges(before.tables, after.tables));
  records.push(...mapChanges("table", before.tables, after.tables, tableJson));
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
  json: (value: T) => object = (value) => value,
): readonly StateRecord[] {
  if (before === after) return [];
  const changed = [...after].filter(([key, value]) => before.get(key) !== value);
  const gone = [...before.keys()].filter((key) => !after.has(key));
  return [
    ...changed.map(([key, value]) => record(`${prefix}/${key}`, json(value))),
    ...gone.map((key) => ({ key: `${prefix}/${key}`, value: null })),
  ];
}

/**
 * Texts of schemas that flow have records of their own, `schema/<topic>/<id>`: a table's record names them by id, so
 * it does not grow with every release.
 */
function schemaChanges(before: State["tables"], after: State["tables"]): readonly StateRecord[] {
  if (before === after) return [];
  return [...after].flatMap(([topic, table]) => {
    // By its text too: one that nobody registered yet has no id of its own.
    const known = new Map(before.get(topic)?.flowed.map(({ id, text }) => [id, text]));
    const added = table.flowed.filter(({ id, text }) => known.get(id) !== text);
    return added.map(({ id, text }) => record(`schema/${topic}/${id}`, { text }));
  });
}

function tableJson(table: TableState): object {
  const { shape, flowed } = table;
  return { ...table, shape: { ...shape, valueSchema: shape.valueSchema.id }, flowed: flowed.map(({ id }) => id) };
}

/** A table as it is written: value schemas by id. */
interface WrittenTable extends Omit<TableState, "shape" | "flowed"> {
  readonly shape: Omit<Shape, "valueSchema"> & { readonly valueSchema: SchemaId };
  readonly flowed: readonly SchemaId[];
}

function readTable(topic: string, written: WrittenTable, texts: ReadonlyMap<string, string>): TableState {
  const schema = (id: SchemaId): RegisteredSchema => {
    const text = texts.get(`${topic}/${id}`);
    if (text === undefined) throw new GuardError("state-invalid", `state record schema/${topic}/${id} is missing`);
    return { id, text };
  };
  const { shape, flowed } = written;
  return {
    ...written,
    shape: { ...shape, valueSchema: schema(shape.valueSchema) },
    flowed: flowed.map(schema),
  };
}

function record(key: string, value: object): StateRecord {
  return { key, value: JSON.stringify({ v: VERSION, ...value }) };
}

/** Plays records in order. Throws GuardError("state-invalid") naming the key of one it cannot read. */
export function replay(records: Iterable<StateRecord>): Stored {
  const last = new Map<string, string>();
  for (const { key, value } of records) {
    if (value === null) last.delete(key);
    else last.set(key, value);
  }
  const texts = new Map<string, string>();
  const written = new Map<string, WrittenTable>();
  const jobs = new Map<string, ChunkJob>();
  const outcomes = new Map<string, Outcome>();
  const evidence = new Map<string, TopicEvidence>();
  let stored = EMPTY;
  for (const [key, text] of last) {
    const { version, value } = readRecord(key, text);
    const [kind, id] = splitKey(key);
    if (kind === "table") written.set(id, readWritten(version, value));
    else if (kind === "schema") texts.set(id, textOf("schema", value, "text"));
    else if (kind === "job") jobs.set(id, readJob(version, value));
    else if (kind === "outcome") outcomes.set(id, readOutcome(version, value));
    else if (kind === "groups") evidence.set(id, readEvidence(value));
    else if (kind === "intent") stored = { ...stored, intent: value as unknown as Intent }; // `changes` wrote it
    else if (kind === "position") stored = { ...stored, position: readPosition(value) };
    else if (kind === "commands") stored = { ...stored, commandOffset: readOffset(value) };
  }
  const tables = new Map([...written].map(([topic, table]) => [topic, readTable(topic, table, texts)]));
  return { ...stored, tables, jobs, outcomes, evidence };
}

/** What a release of another version leaves out is not known: a group that was not seen yet, a contract of just now. */
function readEvidence(value: Readonly<Record<string, unknown>>): TopicEvidence {
  const { began, at, groups, contracts } = value as Partial<TopicEvidence>; // as `changes` wrote it, perhaps less
  return {
    began: began ?? 0,
    at: at ?? 0,
    contracts: contracts ?? {},
    groups: (groups ?? []).map((one) => ({ ...one, readers: one.readers ?? {} })),
  };
}

// `changes` wrote each record from its type, in this version or, where that is said, in version 1.

function readWritten(version: number, value: Written): WrittenTable {
  if (version !== 1) return value as unknown as WrittenTable; // see above
  const table = value as unknown as Omit<WrittenTable, "amendments"> & { amendments: readonly RecordedAmendment[] }; // see above
  return { ...table, amendments: table.amendments.map(readRecordedAmendment) };
}

function readJob(version: number, value: Written): ChunkJob {
  return version === 1 ? readRecordedJob(value as unknown as RecordedJob) : (value as unknown as ChunkJob); // see above
}

function readOutcome(version: number, value: Written): Outcome {
  return version === 1 ? readRecordedOutcome(value as unknown as RecordedOutcome) : (value as unknown as Outcome); // see above
}

function splitKey(key: string): readonly [string, string] {
  const slash = key.indexOf("/");
  return slash === -1 ? [key, ""] : [key.slice(0, slash), key.slice(slash + 1)];
}

type Written = Readonly<Record<string, unknown>>;

function readRecord(key: string, text: string): { readonly version: number; readonly value: Written } {
  const invalid = (why: string) =>
    new GuardError("state-invalid", `state record ${key}: ${why}`, {
      next: "run a version of fieldgate that is not older than the one that wrote it",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("no JSON");
  }
  if (typeof value !== "object" || value === null) throw invalid("no object");
  const { v, ...rest } = value as Written; // an object, checked above
  if (v !== 1 && v !== VERSION) throw invalid(`version ${typeof v === "number" ? v : "missing"} is not known`);
  return { version: v, value: rest };
}

function positionJson(position: Position): object {
  return {
    ...position,
    endLsn: formatLsn(position.endLsn),
    commitLsn: position.commitLsn === undefined ? undefined : formatLsn(position.commitLsn),
    tx: position.tx && { ...position.tx, commitLsn: formatLsn(position.tx.commitLsn) },
  };
}

function readPosition(value: Readonly<Record<string, unknown>>): Position {
  const tx = value["tx"] as Readonly<Record<string, unknown>> | undefined; // as positionJson writes it
  return {
    endLsn: readLsn(value, "endLsn"),
    commitLsn: value["commitLsn"] === undefined ? undefined : readLsn(value, "commitLsn"),
    tx: tx && { commitLsn: readLsn(tx, "commitLsn"), index: Number(tx["index"]) },
    systemId: textOf("position", value, "systemId"),
    timeline: Number(value["timeline"]),
    slot: textOf("position", value, "slot"),
  };
}

function readLsn(value: Readonly<Record<string, unknown>>, key: string): Lsn {
  const parsed = parseLsn(textOf("position", value, key));
  if (parsed === undefined) throw new GuardError("state-invalid", `state record position: ${key} is no LSN`);
  return parsed;
}

function readOffset(value: Readonly<Record<string, unknown>>): bigint {
  const text = textOf("commands", value, "offset");
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new GuardError("state-invalid", "state record commands: offset is no number");
}

function textOf(kind: string, value: Readonly<Record<string, unknown>>, key: string): string {
  const text = value[key];
  if (typeof text !== "string") throw new GuardError("state-invalid", `state record ${kind}: ${key} is no text`);
  return text;
}
