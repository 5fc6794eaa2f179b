/**
 * The records of a connector's state topic: what a change of the state writes, and how they are read again. Records are
 * small, each for one thing, and the topic is compacted, so a restart reads little.
 */
import { GuardError } from "../errors.ts";
import type { ChunkJob } from "../chunk/job.ts";
import type { Evidence, TopicEvidence } from "../gate/evidence/evidence.ts";
import type { Outcome } from "../gate/decision/reason.ts";
import type { State, TableState } from "../gate/state.ts";
import type { Amendment, Verdict } from "../gate/amendment/amendment.ts";
import type { RegisteredSchema, SchemaId, Shape } from "../table/shape.ts";
import {
  readRecordedAmendment,
  readRecordedJob,
  readRecordedOutcome,
  type RecordedAmendment,
  type RecordedJob,
  type RecordedOutcome,
} from "./recorded.ts";
import { joinParts, splitIntoParts } from "./parts.ts";
import { type Lsn, parseLsn, formatLsn } from "../wal/lsn.ts";
import type { Position } from "../wal/position.ts";

/** What the first start set up before there was a position, so that it can resume after a crash. */
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
  /** By topic: the consumer groups that were seen reading it. */
  readonly evidence: Evidence["recorded"];
  /** Offset of the next command to process. */
  readonly commandOffset: bigint;
  /** The DDL trigger that has reported every DDL since the columns of all tables were proven; undefined: none has. */
  readonly trigger?: string | undefined;
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

/**
 * Version 1 is 0.1.0's: it had sentences where reasons are now. Version 2 had a table's amendments, with the registry's
 * answers and all verdicts, in the table's own record. A record keeps its version until it is written again.
 */
const VERSION = 3;
const VERSIONS: ReadonlySet<unknown> = new Set([1, 2, VERSION]);

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
  if (after.trigger !== before.trigger) {
    records.push(
      after.trigger === undefined ? { key: "trigger", value: null } : record("trigger", { identity: after.trigger }),
    );
  }
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
    ...changed.flatMap(([key, value]) => written(`${prefix}/${key}`, before.get(key), value)),
    ...gone.flatMap(([key, value]) => written(`${prefix}/${key}`, value, undefined)),
  ];
}

/** The records of one value. One that is too large for a record is in several, and those that it no longer needs go. */
function written(key: string, before: object | undefined, after: object | undefined): readonly StateRecord[] {
  const [was, now] = [before, after].map((value) => value && textOfRecord(value));
  if (was === now) return [];
  return splitIntoParts(key, was, now);
}

/**
 * A table is in as many records as it has amendments, schemas and verdicts, so that none grows with the number of
 * contracts, columns or releases: `table/<topic>` has the shape; `schema/<topic>/<id>` the text of one schema that
 * flowed; `amendment/<topic>/<of>` one amendment; `verdict/<topic>/<of>/<n>` one contract's verdict at its release.
 * What is asked and judged again at every start is not stored: the registry's answer, the candidate in it, and the
 * verdicts on what is withheld.
 */
function tableChanges(before: State["tables"], after: State["tables"]): readonly StateRecord[] {
  if (before === after) return [];
  const records: StateRecord[] = [];
  for (const [topic, table] of after) {
    const was = before.get(topic);
    if (was === table) continue;
    // Its amendments are in its own record so far.
    const inline = was !== undefined && INLINE.has(was);
    records.push(...schemaChanges(topic, was, table));
    records.push(...amendmentChanges(topic, inline ? [] : (was?.amendments ?? []), table.amendments));
    records.push(
      ...written(`table/${topic}`, inline || was === undefined ? undefined : tableJson(was), tableJson(table)),
    );
  }
  for (const [topic, table] of before) {
    if (after.has(topic)) continue;
    records.push(...amendmentChanges(topic, INLINE.has(table) ? [] : table.amendments, []));
    records.push(...written(`table/${topic}`, tableJson(table), undefined));
  }
  return records;
}

/** Tables that were read from records of an earlier version and not written since. */
const INLINE = new WeakSet<TableState>();

function schemaChanges(topic: string, before: TableState | undefined, after: TableState): readonly StateRecord[] {
  if (before?.flowed === after.flowed) return [];
  // Compared by text as well, because a schema that is not registered yet has no id of its own.
  const known = new Map(before?.flowed.map(({ id, text }) => [id, text]));
  return after.flowed.flatMap(({ id, text }) => {
    const was = known.get(id);
    return written(`schema/${topic}/${id}`, was === undefined ? undefined : { text: was }, { text });
  });
}

function amendmentChanges(
  topic: string,
  before: readonly Amendment[],
  after: readonly Amendment[],
): readonly StateRecord[] {
  if (before === after) return [];
  const known = new Map(before.map((amendment) => [suffixOf(amendment), amendment]));
  const records: StateRecord[] = [];
  for (const amendment of after) {
    const suffix = suffixOf(amendment);
    const was = known.get(suffix);
    known.delete(suffix);
    if (was !== amendment) records.push(...amendmentRecords(`${topic}/${suffix}`, was, amendment));
  }
  for (const [suffix, amendment] of known)
    records.push(...amendmentRecords(`${topic}/${suffix}`, amendment, undefined));
  return records;
}

function amendmentRecords(
  name: string,
  before: Amendment | undefined,
  after: Amendment | undefined,
): readonly StateRecord[] {
  const [was, now] = [before, after].map((one) => (one === undefined ? [] : storedVerdicts(one)));
  const count = Math.max(was?.length ?? 0, now?.length ?? 0);
  const indexes = was === now ? [] : Array.from({ length: count }, (_, index) => index);
  return [
    ...indexes.flatMap((index) => written(`verdict/${name}/${index}`, was?.[index], now?.[index])),
    ...written(`amendment/${name}`, before && amendmentJson(before), after && amendmentJson(after)),
  ];
}

/** On what is withheld, contracts are asked again at every start. */
function storedVerdicts({ gate, verdicts }: Amendment): readonly Verdict[] {
  return gate.kind === "released" ? verdicts : [];
}

function amendmentJson(amendment: Amendment): object {
  return { ...amendment, answer: undefined, verdicts: storedVerdicts(amendment).length };
}

/** `3`, `key` or `table`: what follows the topic in an amendment's id. */
function suffixOf({ id }: Amendment): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

function tableJson(table: TableState): object {
  const { shape, flowed, amendments } = table;
  return {
    ...table,
    shape: { ...shape, valueSchema: shape.valueSchema.id },
    flowed: flowed.map(({ id }) => id),
    amendments: amendments.map(suffixOf),
  };
}

/** A table as it is written: value schemas by id, amendments by what follows the topic in their ids. */
interface WrittenTable extends Omit<TableState, "shape" | "flowed" | "amendments"> {
  readonly shape: Omit<Shape, "valueSchema"> & { readonly valueSchema: SchemaId };
  readonly flowed: readonly SchemaId[];
  readonly amendments: readonly string[];
}

/** An amendment as it is written: `verdicts` says how many there are. */
interface WrittenAmendment extends Omit<Amendment, "verdicts"> {
  readonly verdicts: number;
}

/** A table as version 2 wrote it. */
interface InlineTable extends Omit<WrittenTable, "amendments"> {
  readonly amendments: readonly Amendment[];
}

function readTable(topic: string, given: WrittenTable | InlineTable, entries: Entries): TableState {
  const schema = (id: SchemaId): RegisteredSchema => {
    const { value } = entryOf(entries, `schema/${topic}/${id}`);
    return { id, text: textOf("schema", value, "text") };
  };
  const { shape, flowed } = given;
  const isInline = isInlineTable(given);
  const amendments = isInline
    ? given.amendments.map((amendment) => ({ ...amendment, answer: undefined, verdicts: storedVerdicts(amendment) }))
    : given.amendments.map((suffix) => readAmendment(`${topic}/${suffix}`, entries));
  const table = {
    ...given,
    shape: { ...shape, valueSchema: schema(shape.valueSchema) },
    flowed: flowed.map(schema),
    amendments,
  };
  if (isInline) INLINE.add(table);
  return table;
}

function isInlineTable(given: WrittenTable | InlineTable): given is InlineTable {
  return given.amendments.some((amendment) => typeof amendment !== "string");
}

function readAmendment(name: string, entries: Entries): Amendment {
  const amendment = entryOf(entries, `amendment/${name}`).value as unknown as WrittenAmendment; // `amendmentJson` wrote it
  const verdicts = Array.from(
    { length: amendment.verdicts },
    (_, index) => entryOf(entries, `verdict/${name}/${index}`).value as unknown as Verdict, // `changes` wrote it
  );
  return { ...amendment, answer: undefined, verdicts };
}

function record(key: string, value: object): StateRecord {
  return { key, value: textOfRecord(value) };
}

function textOfRecord(value: object): string {
  return JSON.stringify({ v: VERSION, ...value });
}

/** One record as it was read. */
interface Entry {
  readonly version: number;
  readonly value: Written;
}

type Entries = ReadonlyMap<string, Entry>;

function entryOf(entries: Entries, key: string): Entry {
  const entry = entries.get(key);
  if (entry === undefined) throw new GuardError("state-invalid", `state record ${key} is missing`);
  return entry;
}

/** Plays records in order. Throws GuardError("state-invalid") naming the key of one it cannot read. */
export function replay(records: Iterable<StateRecord>): Stored {
  const last = new Map<string, string>();
  for (const { key, value } of records) {
    if (value === null) last.delete(key);
    else last.set(key, value);
  }
  const entries = new Map(joinParts(last).map(([key, text]) => [key, readRecord(key, text)]));
  const tables = new Map<string, TableState>();
  const jobs = new Map<string, ChunkJob>();
  const outcomes = new Map<string, Outcome>();
  const evidence = new Map<string, TopicEvidence>();
  let stored = EMPTY;
  for (const [key, { version, value }] of entries) {
    const [kind, id] = splitKey(key);
    if (kind === "table") tables.set(id, readTable(id, readWritten(version, value), entries));
    else if (kind === "job") jobs.set(id, readJob(version, value));
    else if (kind === "outcome") outcomes.set(id, readOutcome(version, value));
    else if (kind === "groups") evidence.set(id, readEvidence(value));
    else if (kind === "intent") stored = { ...stored, intent: value as unknown as Intent }; // `changes` wrote it
    else if (kind === "position") stored = { ...stored, position: readPosition(value) };
    else if (kind === "trigger") stored = { ...stored, trigger: textOf("trigger", value, "identity") };
    else if (kind === "commands") stored = { ...stored, commandOffset: readOffset(value) };
  }
  return { ...stored, tables, jobs, outcomes, evidence };
}

/** What a release of another version leaves out is not known: a group that was not seen yet, a contract of just now. */
function readEvidence(value: Readonly<Record<string, unknown>>): TopicEvidence {
  const { began, at, groups, contracts } = value as Partial<TopicEvidence>; // as `changes` wrote it; fields may be missing
  return {
    began: began ?? 0,
    at: at ?? 0,
    contracts: contracts ?? {},
    groups: (groups ?? []).map((one) => ({ ...one, readers: one.readers ?? {} })),
  };
}

// `changes` wrote each record from its type, in this version or, where that is said, in version 1.

function readWritten(version: number, value: Written): WrittenTable | InlineTable {
  if (version !== 1) return value as unknown as WrittenTable | InlineTable; // see above
  const table = value as unknown as Omit<InlineTable, "amendments"> & { amendments: readonly RecordedAmendment[] }; // see above
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

function readRecord(key: string, text: string): Entry {
  const invalid = (why: string) =>
    new GuardError("state-invalid", `state record ${key}: ${why}`, {
      next: "run a version of fieldgate that is not older than the one that wrote it",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("not JSON");
  }
  if (typeof value !== "object" || value === null) throw invalid("not an object");
  const { v, ...rest } = value as Written; // an object, checked above
  if (typeof v !== "number" || !VERSIONS.has(v)) {
    throw invalid(`version ${typeof v === "number" ? v : "missing"} is not known`);
  }
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
  if (parsed === undefined) throw new GuardError("state-invalid", `state record position: ${key} is not an LSN`);
  return parsed;
}

function readOffset(value: Readonly<Record<string, unknown>>): bigint {
  const text = textOf("commands", value, "offset");
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new GuardError("state-invalid", "state record commands: offset is not a number");
}

function textOf(kind: string, value: Readonly<Record<string, unknown>>, key: string): string {
  const text = value[key];
  if (typeof text !== "string") throw new GuardError("state-invalid", `state record ${kind}: ${key} is not a string`);
  return text;
}
