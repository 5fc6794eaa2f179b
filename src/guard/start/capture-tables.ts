import { GuardError } from "../../errors.ts";
import type { Finding } from "../../finding.ts";
import { fieldOf } from "../../event/field.ts";
import { topicName } from "../../event/envelope/names.ts";
import { envelopeSchema, keySchema, readEnvelope } from "../../event/envelope/schema.ts";
import { type ChunkJob, newJob } from "../../chunk/job.ts";
import type { Rules, TableState } from "../../gate/state.ts";
import { newAmendment } from "../../gate/amendment/seen.ts";
import { differences } from "../../gate/amendment/differ.ts";
import { noSchema } from "../../gate/watch/unpublished.ts";
import type { Attnum, Column, Table } from "../../table/column.ts";
import type { Field, RegisteredSchema } from "../../table/shape.ts";
import type { Outside, Settings } from "../outside.ts";
import type { Json } from "../../json.ts";
import { bind } from "../../gate/amendment/bind.ts";
import { isoTime } from "../../wal/lsn.ts";

/** A captured table with what can be published of it. */
export interface Capturable {
  readonly table: Table;
  readonly topic: string;
  readonly fields: readonly Field[];
  readonly key: readonly Field[];
  /** The table's own key, when the file gives the events another. */
  readonly rowKey: readonly Attnum[] | undefined;
  readonly leftOut: readonly Finding[];
}

/** Every captured table, or one GuardError that names every fault at once. */
export function capturable(
  { settings, log }: Pick<Outside, "settings" | "log">,
  tables: readonly Table[],
): readonly Capturable[] {
  const each = tables.map((table) => mapTable(settings, table)).map((item) => ({ item, faults: faultsOf(item) }));
  const topics = each.map(({ item }) => item.topic);
  const twice = [...new Set(topics.filter((topic, index) => topics.indexOf(topic) !== index))];
  if (settings.mode === "watch") {
    // What Debezium makes of them is its own business: here they are not judged.
    for (const { faults } of each) for (const fault of faults) log.warn(`${fault}: the table is not judged`);
    for (const topic of twice) log.warn(`${oneTopic(topic)}: they are not judged`);
    return each
      .filter(({ faults, item }) => faults.length === 0 && !twice.includes(item.topic))
      .map(({ item }) => item);
  }
  const all = each.map(({ item }) => item);
  const faults = [...each.flatMap((one) => one.faults), ...twice.map(oneTopic)];
  if (faults.length === 0) return all;
  throw new GuardError("table-unsupported", `cannot be captured: ${faults.join("; ")}`, {
    next: "leave the table out of table.include.list, give it a key of mapped types, or rename what collides",
  });
}

/** Also of a table that another has the topic of. */
export function oneTopic(topic: string): string {
  return `several tables would be published to topic ${topic}`;
}

function faultsOf({ table, fields, key, rowKey }: Capturable): readonly string[] {
  const name = `${table.schema}.${table.name}`;
  const lost = table.key.filter((column) => rowKey === undefined && !key.some((field) => field.attnum === column));
  const names = fields.map((field) => field.name);
  const same = names.filter((one, index) => names.indexOf(one) !== index);
  return [
    ...lost.map((column) => `${name}: key column ${describe(table, column)}`),
    ...(fields.length === 0 ? [`${name}: no column of a mapped type`] : []),
    ...same.map((one) => `${name}: several columns would be field ${one}`),
  ];
}

function describe(table: Table, attnum: number): string {
  const column = table.columns.find((other) => other.attnum === attnum);
  return `${column?.name ?? "?"} has type ${column?.typeName ?? "?"}, which is not mapped`;
}

function mapTable({ filter, modes, route, ...keys }: Settings, table: Table): Capturable {
  const { schema, name } = table;
  const mapped = logged(table).map((column) => ({ column, result: fieldOf(column, modes) }));
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
  const key = (attnums ?? table.key).flatMap((column) => all.filter((field) => field.attnum === column));
  const named = topicName(keys["topic.prefix"], schema, name);
  const topic = route?.(named) ?? named;
  return { table, topic, fields, key, rowKey: byFile === undefined ? undefined : table.key, leftOut };
}

/** Generated columns are not in the log. */
function logged(table: Table): readonly Column[] {
  return table.columns.filter((column) => !column.generated);
}

/**
 * The table's first shape, registered before its first event. A subject that exists gives the shape: what the
 * table has more is an amendment, withheld like any other.
 */
export async function firstState(outside: Outside, item: Capturable): Promise<TableState> {
  const { table, topic, leftOut, rowKey, key } = item;
  const { settings: rules } = outside;
  if (rules.mode === "watch") return unpublished(rules, item);
  const latest = await outside.registry.latest(`${topic}-value`);
  const fields = latest === undefined ? item.fields : adopt(topic, item.fields, latest.text);
  const valueText = latest?.text ?? JSON.stringify(envelopeSchema(topic, fields));
  const valueSchema = await register(outside, `${topic}-value`, valueText);
  const keyJson: Json | undefined = keySchema(topic, key);
  const keyed = keyJson === undefined ? undefined : await register(outside, `${topic}-key`, JSON.stringify(keyJson));
  const { oid, schema, name } = table;
  const shape = { topic, table: { oid, schema, name }, fields, key, valueSchema, keySchema: keyed };
  const bare = { shape, known: [], amendments: [], leftOut, doubt: false, flowed: [valueSchema], rowKey };
  const known = logged(table).map(({ attnum, name: column, type }) => ({ attnum, name: column, type }));
  return { ...bare, known, amendments: firstAmendments(outside, bare, item) };
}

/** Whether anything is published of it is for the registry to say, which is looked at beside the stream. */
function unpublished(rules: Rules, { table, topic, fields, key, rowKey, leftOut }: Capturable): TableState {
  const { oid, schema, name } = table;
  const valueSchema = noSchema(rules, topic, fields);
  const shape = { topic, table: { oid, schema, name }, fields, key, valueSchema, keySchema: undefined };
  const known = logged(table).map(({ attnum, name: column, type }) => ({ attnum, name: column, type }));
  return { shape, known, amendments: [], leftOut, doubt: false, unpublished: true, flowed: [valueSchema], rowKey };
}

/** What an existing subject has otherwise; a column that is left out by its type is none of it. */
function firstAmendments(outside: Outside, state: TableState, { table, fields, topic }: Capturable) {
  const when = { position: "0/0", time: isoTime(outside.now()) };
  const mapped = logged(table).filter(({ attnum }) => fields.some((field) => field.attnum === attnum));
  const seen = mapped.map((column) => ({ column, gone: false }));
  const found = differences(outside.settings, state, seen, true);
  return found.map((difference) => ({ ...newAmendment(topic, difference, when), missed: difference.kind === "added" }));
}

/** Throws GuardError("registry-refused") for a schema the subject does not take. */
export async function register(outside: Outside, subject: string, text: string): Promise<RegisteredSchema> {
  const result = await outside.registry.register(subject, text);
  if (result.kind === "registered") return { id: result.id, text };
  throw new GuardError("registry-refused", `subject ${subject}: ${result.status} ${result.message}`, {
    next: "look at the subject's versions and level in the registry",
  });
}

/** One snapshot job per table with a key; a table without one is streamed, its rows of before are not read. */
export function snapshotJobs(items: readonly Capturable[]): ReadonlyMap<string, ChunkJob> {
  return new Map(items.map((item) => [`snapshot/${item.topic}`, snapshotJob(item)]));
}

function snapshotJob({ topic, table, key, rowKey }: Capturable): ChunkJob {
  const keyless = (rowKey ?? key).length === 0;
  return {
    ...newJob(`snapshot/${topic}`, topic, "snapshot"),
    estimate: table.estimatedRows,
    state: keyless ? "refused" : "running",
    why: keyless ? "the table has no key" : undefined,
  };
}

/** Topics that are not there yet, with the partitions and settings of the connector's file; none while watching. */
export async function createTopics(outside: Outside, names: readonly string[]): Promise<void> {
  if (outside.settings.mode === "watch") return;
  const described = await outside.sink.describeTopics(names);
  const {
    "topic.creation.default.partitions": partitions,
    "topic.creation.default.replication.factor": replication,
    "topic.creation.default.cleanup.policy": cleanup,
  } = outside.settings;
  const config = cleanup === undefined ? {} : { "cleanup.policy": cleanup };
  for (const name of new Set(names)) {
    if (described.get(name) === undefined) await outside.sink.createTopic({ name, partitions, replication, config });
  }
}

/** The fields of a subject that exists (see `bind`). Throws GuardError("subject-unfit") for what is no Debezium envelope. */
export function adopt(topic: string, columns: readonly Field[], text: string): readonly Field[] {
  const read = readEnvelope(JSON.parse(text) as Json); // a registry's schema text is JSON
  if (read.kind === "no-envelope") {
    throw new GuardError("subject-unfit", `subject ${topic}-value: ${read.why}`, {
      next: "choose another topic.prefix, or remove the subject if nobody reads it",
    });
  }
  return bind(read.fields, columns);
}
