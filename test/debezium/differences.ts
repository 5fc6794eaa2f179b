import { isDeepStrictEqual } from "node:util";
import fieldgate from "../../package.json" with { type: "json" };
import type { Published } from "./pair.ts";

/** One place in which two records differ, such as `after.price` or `valueSchema`. */
export interface Difference {
  /** The index of the record in the table, from 0. */
  readonly record: number;
  readonly path: string;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** Expected differences: by place, a check of what the two have there. */
export type Known = Readonly<Record<string, (theirs: unknown, ours: unknown) => boolean>>;

function both(is: (value: unknown) => boolean): (theirs: unknown, ours: unknown) => boolean {
  return (theirs, ours) => is(theirs) && is(ours);
}
const isTime = (value: unknown) => typeof value === "bigint";
const onlyTheirs = (is: RegExp) => (theirs: unknown, ours: unknown) => is.test(String(theirs)) && ours === undefined;

/** Expected in every event: its origin and time, and headers that Fieldgate does not have (`extended.headers.enabled`). */
const EVERYWHERE: Known = {
  "value.source.version": (theirs, ours) => theirs === "3.6.1.Final" && ours === fieldgate.version,
  "value.ts_ms": both(isTime),
  "value.ts_us": both(isTime),
  "value.ts_ns": both(isTime),
  "headers.__debezium.context.connectorLogicalName": onlyTheirs(/^PREFIX$/),
  "headers.__debezium.context.connectorName": onlyTheirs(/^postgresql$/),
  "headers.__debezium.context.taskId": onlyTheirs(/^0$/),
  "headers.__debezium.context.runId": onlyTheirs(/^[0-9a-f-]{36}$/),
};

const isSnapshotMark = (value: unknown) =>
  /^(?:first|last|true|(?:first|last)_in_data_collection)$/.test(String(value));

/** Expected in snapshot rows: Debezium reads them in one transaction, Fieldgate in chunks at positions in the log. */
export const SNAPSHOT: Known = {
  "value.source.ts_ms": both(isTime),
  "value.source.ts_us": both(isTime),
  "value.source.ts_ns": both(isTime),
  "value.source.txId": both(isTime),
  "value.source.lsn": both(isTime),
  "value.source.sequence": (theirs, ours) =>
    /^\[null,"\d+"\]$/.test(String(theirs)) && /^\["\d+","\d+"\]$/.test(String(ours)),
  // The order of the tables differs, and thus the first and the last row; they have a separate test.
  "value.source.snapshot": both(isSnapshotMark),
};

/** Every place where the two differ, down to fields of rows and schemas, except for the expected differences. */
export function differences(
  theirs: readonly Published[],
  ours: readonly Published[],
  known: Known = {},
): readonly Difference[] {
  const length = Math.max(theirs.length, ours.length);
  const expected = { ...EVERYWHERE, ...known };
  return Array.from({ length }, (_, record) => compare(whole(theirs[record]), whole(ours[record]), ""))
    .flatMap((found, record) => found.map((one) => ({ record, ...one })))
    .filter((one) => expected[one.path]?.(one.theirs, one.ours) !== true);
}

/** `2 after.price`: the index of the record and the place. */
export function places(found: readonly Difference[]): readonly string[] {
  return found.map(({ record, path }) => `${record} ${path.replace(/^value\./, "")}`);
}

/** The nullable row fields with a default other than null. */
export function optionalWithDefault(record: Published | undefined): readonly string[] {
  const { fields = [] } = rowType(record?.valueSchema ?? "{}");
  return fields.flatMap(({ name, type, default: fallback }) =>
    Array.isArray(type) && fallback !== null && fallback !== undefined ? [name] : [],
  );
}

interface RowType {
  readonly fields?: readonly { readonly name: string; readonly type: unknown; readonly default?: unknown }[];
}

/** The row record of `before` in the text of an envelope. */
function rowType(envelope: string): RowType {
  const { fields } = JSON.parse(envelope) as { fields: readonly { type: readonly [string, RowType] }[] }; // an envelope
  return fields[0]?.type[1] ?? {};
}

function whole(record: Published | undefined): unknown {
  if (record === undefined) return undefined;
  return { ...record, keySchema: parsed(record.keySchema), valueSchema: parsed(record.valueSchema) };
}

function parsed(schema: string | null): unknown {
  return schema === null ? null : JSON.parse(schema);
}

function compare(theirs: unknown, ours: unknown, path: string): readonly Omit<Difference, "record">[] {
  if (isDeepStrictEqual(theirs, ours)) return [];
  const left = membersOf(theirs);
  const right = membersOf(ours);
  if (left === undefined || right === undefined) return [{ path, theirs, ours }];
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((name) =>
    compare(left.get(name), right.get(name), path === "" ? name : `${path}.${name}`),
  );
}

/** Items with a name, such as the fields of a schema, are identified by it, others by their index. */
function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  return new Map(value.map((item: unknown, at) => [nameOf(item) ?? String(at), item]));
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null || !("name" in item)) return undefined;
  return typeof item.name === "string" ? item.name : undefined;
}
