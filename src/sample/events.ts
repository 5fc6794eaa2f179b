import { ownValue } from "../json.ts";
import type { AvroRecord, AvroSchema, RecordField } from "../avro/schema.ts";
import { recordIn, rowOf } from "../contract/row.ts";
import { type AvroMembers, type AvroValue, hasMembers, valueOfJson } from "../avro/value.ts";
import { isNullable, samplesOf, typicalOf } from "./values.ts";

/**
 * Sample events of a topic, for testing a consumer before a new field is released. They look like Debezium's, and
 * include the new field's extreme values.
 */

/** The topic, and the type of the new field's column. */
export interface SampleOf {
  readonly topic: string;
  readonly field: string | undefined;
  /** The type of the field's column, as format_type prints it; empty if it is unknown. */
  readonly columnType: string;
}

type Op = "c" | "u" | "d" | "r";

interface Change {
  readonly op: Op;
  readonly before: AvroValue;
  readonly after: AvroValue;
  readonly snapshot?: string;
}

/**
 * Events of a Debezium envelope: a create for each sample value of the new field (null, default, typical, edges),
 * updates with and without the previous row, a delete, a snapshot read and a backfill read. For a schema of unwrapped
 * rows, only the rows. The same schema always gives the same events. Undefined if the schema is neither.
 */
export function sampleEvents(schema: AvroSchema, of: SampleOf): readonly AvroMembers[] | undefined {
  const row = rowIn(schema);
  if (schema.kind !== "record" || row === undefined) return undefined;
  const changes = changesOf(row, of);
  if (row === schema) return changes.flatMap((change) => unwrapped(change));
  return changes.map((change, at) => eventOf(schema, of.topic, change, at));
}

/** A delete gives no event: when unwrapped, it is a tombstone, which has no schema. */
function unwrapped({ op, after }: Change): readonly AvroMembers[] {
  if (!hasMembers(after)) return [];
  const added = { __op: op, __deleted: "false" };
  return [{ ...after, ...Object.fromEntries(Object.entries(added).filter(([name]) => Object.hasOwn(after, name))) }];
}

/** The first of these names that is a field of the row; undefined for a dropped column. */
export function sampledField(schema: AvroSchema, names: readonly string[]): string | undefined {
  const row = rowIn(schema);
  return names.find((name) => row?.fields.some((field) => field.name === name));
}

/** The row's record, which Debezium names Value; a key's record is named Key and has no row. */
function rowIn(schema: AvroSchema): AvroRecord | undefined {
  const isEvent =
    schema.kind === "record" && (schema.name === "Value" || schema.fields.some(({ name }) => name === "after"));
  return isEvent ? rowOf(schema) : undefined;
}

function changesOf(row: AvroRecord, { field: name, columnType }: SampleOf): readonly Change[] {
  const field = row.fields.find((one) => one.name === name);
  const variants = field === undefined ? [undefined] : variantsOf(field, columnType);
  const rowWith = (number: number, value?: AvroValue): AvroMembers =>
    Object.fromEntries(
      row.fields.map((one) => [one.name, one === field && value !== undefined ? value : typicalOf(one, number)]),
    );
  const usual = field === undefined ? undefined : samplesOf(field.type, { name: field.name, columnType }).typical(1);
  const [first] = variants;
  const creates = variants.map((value, at): Change => ({ op: "c", before: null, after: rowWith(at + 1, value) }));
  const after = rowWith(1, usual);
  return [
    ...creates,
    { op: "u", before: rowWith(1, first), after },
    { op: "u", before: null, after },
    { op: "d", before: after, after: null },
    { op: "r", before: null, after: rowWith(2, usual), snapshot: "true" },
    { op: "r", before: null, after: rowWith(3, usual), snapshot: "incremental" },
  ];
}

/** Null, the default, the typical value and the edges, without duplicates. */
function variantsOf(field: RecordField, columnType: string): readonly AvroValue[] {
  const { typical, edges } = samplesOf(field.type, { name: field.name, columnType });
  const inDefault = field.default === undefined ? undefined : valueOfJson(field.type, field.default);
  const all = [isNullable(field.type) ? null : undefined, inDefault, typical(1), ...edges];
  const kept = new Map(all.flatMap((one) => (one === undefined ? [] : [[keyOf(one), one] as const])));
  return [...kept.values()];
}

/** A text that is the same for equal values. */
function keyOf(value: AvroValue): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}n` : one));
}

/** 1 January 2025, 12:34:56.789 UTC. The events are one second apart. */
const START_MS = 1_735_734_896_789;
const START_LSN = 24_023_128;

function eventOf(envelope: AvroRecord, topic: string, change: Change, at: number): AvroMembers {
  const clock = clockOf(START_MS + at * 1000 + 250);
  const values: Readonly<Record<string, AvroValue>> = {
    ...clock,
    op: change.op,
    before: change.before,
    after: change.after,
  };
  return filled(envelope, (field) => {
    const record = field.name === "source" ? recordIn(field.type) : undefined;
    return record === undefined
      ? ownValue(values, field.name)
      : filled(record, ({ name }) => ownValue(sourceOf(topic, change, at), name));
  });
}

/** The source block as Debezium's PostgreSQL connector fills it. */
function sourceOf(topic: string, { snapshot = "false" }: Change, at: number): Readonly<Record<string, AvroValue>> {
  const [prefix = topic, schema = "public", ...table] = topic.split(".");
  const lsn = START_LSN + at * 56;
  return {
    ...clockOf(START_MS + at * 1000),
    version: "3.7.0.Final",
    connector: "postgresql",
    name: prefix,
    snapshot,
    db: "sample",
    sequence: `["${lsn - 56}","${lsn}"]`,
    schema,
    table: table.join("."),
    txId: 570 + at,
    lsn,
  };
}

function clockOf(ms: number): Readonly<Record<string, AvroValue>> {
  return { ts_ms: ms, ts_us: BigInt(ms) * 1000n, ts_ns: BigInt(ms) * 1_000_000n };
}

/** A record with the known values. The other fields get null, their default, or a typical value. */
function filled({ fields }: AvroRecord, valueOf: (field: RecordField) => AvroValue | undefined): AvroMembers {
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field) ?? unknownOf(field)]));
}

function unknownOf(field: RecordField): AvroValue {
  if (isNullable(field.type)) return null;
  const inDefault = field.default === undefined ? undefined : valueOfJson(field.type, field.default);
  return inDefault ?? typicalOf(field, 1);
}
