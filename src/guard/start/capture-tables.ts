import { needsIdentity } from "../../capture/identity.ts";
import type { MappingFault } from "../../capture/left-out.ts";
import { type ChunkJob, newJob } from "../../chunk/job.ts";
import { GuardError } from "../../errors.ts";
import { topicName } from "../../event/envelope/names.ts";
import { envelopeSchema, keySchema, readEnvelope } from "../../event/envelope/schema.ts";
import { fieldOf } from "../../event/field.ts";
import type { Finding } from "../../finding.ts";
import type { Amendment } from "../../gate/amendment/amendment.ts";
import { bind } from "../../gate/amendment/bind.ts";
import { differences } from "../../gate/amendment/differ.ts";
import { withExcluded } from "../../gate/amendment/excluded.ts";
import { versionsOf } from "../../gate/amendment/rewritten.ts";
import type { TableState } from "../../gate/state.ts";
import { noSchema } from "../../gate/watch/unpublished.ts";
import type { Json } from "../../json.ts";
import type { TopicDescription } from "../../kafka/topics.ts";
import { nearestName } from "../../mistake.ts";
import type { Attnum, Column, Table } from "../../table/column.ts";
import { fullName, type TableName } from "../../table/quote.ts";
import type { Field, RegisteredSchema } from "../../table/shape.ts";
import { isoTime } from "../../wal/lsn.ts";
import { faultsNext, namedFaults } from "../../words/left-out.ts";
import { registerChecked } from "../control/register.ts";
import type { Outside, Settings } from "../outside.ts";
import { newAmendment } from "../../gate/amendment/revise.ts";

/**
 * Turns a table in the catalog into a captured one: the fields that its events can have, its topic, its first shape and
 * its snapshot job. Used at a connector's first start, and for each table that appears later.
 */

/** A captured table, and what can be published from it. */
export interface Capturable {
  readonly table: Table;
  readonly topic: string;
  readonly fields: readonly Field[];
  /** The columns of the events' key; one whose type is not mapped has no field. */
  readonly keyColumns: readonly Attnum[];
  readonly key: readonly Field[];
  /** The table's own key, if the file gives the events a different one. */
  readonly rowKey: readonly Attnum[] | undefined;
  readonly leftOut: readonly Finding[];
}

/** A table that the connector's file captures but that cannot be captured as it is. */
export interface LeftTable {
  readonly table: TableName;
  /** At least one. */
  readonly faults: readonly MappingFault[];
}

export interface Mapped {
  readonly items: readonly Capturable[];
  readonly left: readonly LeftTable[];
}

/** Maps every captured table. `taken`: topics that already belong to other tables. */
export function captureTables(
  outside: Pick<Outside, "settings" | "delivery">,
  tables: readonly Table[],
  taken: ReadonlySet<string> = new Set(),
): Mapped {
  const all = tables.map((table) => mapTable(outside.settings, table));
  const topics = all.map(({ topic }) => topic);
  const shared = new Set(topics.filter((topic, index) => taken.has(topic) || topics.indexOf(topic) !== index));
  const faults = (item: Capturable): readonly MappingFault[] =>
    shared.has(item.topic)
      ? [...faultsOf(outside, item), { kind: "same-topic", topic: item.topic }]
      : faultsOf(outside, item);
  return {
    items: all.filter((item) => faults(item).length === 0),
    left: all.map((item) => ({ table: item.table, faults: faults(item) })).filter((one) => one.faults.length > 0),
  };
}

/** Throws one error for all of these tables. */
export function refuseLeft(left: readonly LeftTable[]): void {
  if (left.length === 0) return;
  const all = left.map(({ table, faults }) => namedFaults(table, faults)).join("; ");
  throw new GuardError("table-unsupported", `cannot be captured: ${all}`, { next: faultsNext(left) });
}

function faultsOf(
  { settings, delivery }: Pick<Outside, "settings" | "delivery">,
  item: Capturable,
): readonly MappingFault[] {
  const { table, fields, keyColumns, key, rowKey } = item;
  const unmapped = keyColumns.filter((attnum) => !key.some((field) => field.attnum === attnum));
  const names = fields.map((field) => field.name);
  const repeated = names.filter((one, index) => names.indexOf(one) !== index);
  return [
    ...unmapped.map((attnum) => {
      const column = table.columns.find((one) => one.attnum === attnum);
      return { kind: "key-type", column: column?.name ?? "?", type: column?.typeName ?? "?" } as const;
    }),
    ...(fields.length === 0 ? [{ kind: "no-columns" } as const] : []),
    ...repeated.map((field) => ({ kind: "same-field", field }) as const),
    ...(delivery === "none" ? [] : unknownKeys(settings, table)),
    ...(rowKey === undefined || delivery === "none" ? [] : keyFaults(table, key, settings.sent.operations)),
  ];
}

/** Without the missing column, different rows would share a key. An expression may match other tables, and is no mistake. */
function unknownKeys(settings: Settings, table: Table): readonly MappingFault[] {
  const prefix = `${fullName(table)}.`;
  const names = table.columns.map(({ name }) => name);
  const isOf = (text: string) => text.toLowerCase().startsWith(prefix.toLowerCase());
  const entries = (settings["message.key.columns"] ?? []).filter(({ plain, text }) => plain && isOf(text));
  const unknown = entries.filter(({ matches }) => !names.some((name) => matches(`${prefix}${name}`)));
  return unknown.map(({ text }) => {
    const column = text.slice(prefix.length);
    return { kind: "unknown-key", column, near: nearestName(column, names) };
  });
}

/** What makes the columns of message.key.columns no key: two rows could share it, or a row could leave it unnoticed. */
function keyFaults(table: Table, key: readonly Field[], operations: Iterable<string>): readonly MappingFault[] {
  const columns = key.flatMap(({ attnum }) => table.columns.filter((column) => column.attnum === attnum));
  const uncovered = needsIdentity(operations) ? uncoveredBy(table, columns) : [];
  return [
    ...columns.filter(({ notNull }) => !notNull).map(({ name }) => ({ kind: "nullable-key", column: name }) as const),
    ...(uncovered.length === 0 ? [] : [{ kind: "uncovered-key", columns: uncovered } as const]),
  ];
}

function uncoveredBy({ replicaIdentity, identified }: Table, columns: readonly Column[]): readonly string[] {
  if (replicaIdentity === "full") return [];
  return columns.filter(({ attnum }) => !identified.includes(attnum)).map(({ name }) => name);
}

function mapTable({ filter, modes, route, ...keys }: Settings, table: Table): Capturable {
  const { schema, name } = table;
  const mapped = table.columns.map((column) => ({ column, result: fieldOf(column, modes) }));
  const all = mapped.flatMap(({ result }) => (result.kind === "field" ? [result.field] : []));
  const published = mapped.filter(({ column }) => filter.column(schema, name, column.name));
  const fields = published.flatMap(({ result }) => (result.kind === "field" ? [result.field] : []));
  const leftOut = published.flatMap(({ result }) => (result.kind === "left-out" ? [result.finding] : []));
  const byFile = filter.keyColumns(
    schema,
    name,
    table.columns.map((column) => column.name),
  );
  const attnums = byFile?.flatMap((one) =>
    table.columns.filter((column) => column.name === one).map(({ attnum }) => attnum),
  );
  const keyColumns = attnums ?? table.key;
  const key = keyColumns.flatMap((column) => all.filter((field) => field.attnum === column));
  const named = topicName(keys["topic.prefix"], schema, name);
  const topic = route?.(named) ?? named;
  return { table, topic, fields, keyColumns, key, rowKey: byFile === undefined ? undefined : table.key, leftOut };
}

/** Generated columns are not in the log. */
function loggedColumns(table: Table): readonly Column[] {
  return table.columns.filter((column) => !column.generated);
}

/**
 * Makes a table's first state. Its shape is registered before its first event. If the subject already exists, the shape
 * is the subject's, and a column that it lacks is withheld as an amendment, as usual. In watch mode nothing is
 * registered, and the shape is unpublished until the registry has a schema.
 */
export async function firstTableState(outside: Outside, item: Capturable): Promise<TableState> {
  const { table, topic, leftOut, rowKey, key } = item;
  const { oid, schema, name } = table;
  const known = loggedColumns(table).map(({ attnum, name: column, type }) => ({ attnum, name: column, type }));
  const stateWith = (fields: readonly Field[], valueSchema: RegisteredSchema, keyed: RegisteredSchema | undefined) => ({
    shape: { topic, table: { oid, schema, name }, fields, key, valueSchema, keySchema: keyed },
    amendments: [],
    leftOut,
    assigned: table.maxAttnum,
    filenode: table.filenode,
    versions: versionsOf(table),
    doubt: false,
    flowed: [valueSchema],
    rowKey,
  });
  if (outside.delivery === "none") {
    return {
      ...stateWith(item.fields, noSchema(outside.settings, topic, item.fields), undefined),
      known,
      unpublished: true,
    };
  }
  const latest = await outside.registry.latest(`${topic}-value`);
  const fields = latest === undefined ? item.fields : adopt(topic, item.fields, latest.text);
  const valueText = latest?.text ?? JSON.stringify(envelopeSchema(topic, fields));
  const keyJson: Json | undefined = keySchema(topic, key);
  const [valueSchema, keyed] = await Promise.all([
    register(outside, `${topic}-value`, valueText),
    keyJson === undefined ? undefined : register(outside, `${topic}-key`, JSON.stringify(keyJson)),
  ]);
  const state = withExcluded(outside.settings, { ...stateWith(fields, valueSchema, keyed), known: [] }, known);
  return { ...state, known, amendments: firstAmendments(outside, state, item) };
}

/** How the table differs from an existing subject. A column that is left out because of its type does not count. */
function firstAmendments(outside: Outside, state: TableState, item: Capturable): readonly Amendment[] {
  const { table, fields, topic } = item;
  const when = { position: "0/0", time: isoTime(outside.now()) };
  const mapped = loggedColumns(table).filter(({ attnum }) => fields.some((field) => field.attnum === attnum));
  const seen = mapped.map((column) => ({ column, gone: false }));
  const found = differences(outside.settings, state, seen, true);
  return found.map((difference) => ({ ...newAmendment(topic, difference, when), missed: difference.kind === "added" }));
}

/** @throws GuardError registry-refused if the subject rejects the schema, or has to be given it by somebody else */
export async function register(
  outside: Pick<Outside, "registry" | "log">,
  subject: string,
  text: string,
): Promise<RegisteredSchema> {
  const result = await registerChecked(outside.registry, subject, text);
  if (result.kind === "registered") return { id: result.id, text };
  if (result.kind === "absent") {
    outside.log.info(`the schema to register under subject ${subject}: ${text}`);
    throw new GuardError("registry-refused", `subject ${subject} does not have the schema of its events yet`, {
      next: "register it (the log has it), because fieldgate.register is external; then restart",
    });
  }
  throw new GuardError("registry-refused", `subject ${subject}: ${result.status} ${result.message}`, {
    next: "check the subject's versions and compatibility level in the registry",
  });
}

/**
 * One job per table. A table without a key is streamed, but its existing rows are not read, because there is no order
 * to read them in.
 */
export function snapshotJobs(items: readonly Capturable[]): ReadonlyMap<string, ChunkJob> {
  return new Map(
    items.map(({ topic, table, key, rowKey }) => {
      const id = `snapshot/${topic}`;
      const job = { ...newJob(id, topic, "snapshot"), estimate: table.estimatedRows };
      const keyless = (rowKey ?? key).length === 0;
      return [id, keyless ? { ...job, state: "refused", reason: { kind: "keyless" } } : job];
    }),
  );
}

/**
 * Creates the topics that do not exist, with the partitions and settings of the connector's file. Returns what all of
 * them are like.
 */
export async function createTopics(
  outside: Outside,
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  if (outside.delivery === "none") return new Map();
  const {
    "topic.creation.default.partitions": partitions,
    "topic.creation.default.replication.factor": replication,
    "topic.creation.default.cleanup.policy": cleanup,
  } = outside.settings;
  const config = cleanup === undefined ? {} : { "cleanup.policy": cleanup };
  const described = await describeTopics(outside, topics);
  const missing = [...new Set(topics)].filter((name) => !described.has(name));
  if (missing.length === 0) return described;
  await outside.sink.createTopics(missing.map((name) => ({ name, partitions, replication, config })));
  return new Map([...described, ...(await describeTopics(outside, missing))]);
}

/** The topics that exist, among those that this mode writes to. */
export async function describeTopics(
  { sink, delivery }: Outside,
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  const described = delivery === "none" ? [] : await sink.describeTopics(topics);
  return new Map([...described].flatMap(([name, topic]) => (topic === undefined ? [] : [[name, topic]])));
}

/**
 * The fields of an existing subject (see `bind`).
 * @throws GuardError subject-unfit if its schema is not a Debezium envelope
 */
export function adopt(topic: string, columns: readonly Field[], text: string): readonly Field[] {
  const json = jsonOf(text);
  const read = json === undefined ? NO_AVRO : readEnvelope(json);
  if (read.kind === "no-envelope") {
    throw new GuardError("subject-unfit", `subject ${topic}-value: ${read.why}`, {
      next: "choose another topic.prefix, or remove the subject if no consumer reads it",
    });
  }
  return bind(read.fields, columns);
}

const NO_AVRO = { kind: "no-envelope", why: "its latest schema is not an Avro schema" } as const;

/** undefined if the text is not JSON, as a Protobuf schema's. */
function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json; // JSON.parse gives JSON
  } catch {
    return undefined;
  }
}
