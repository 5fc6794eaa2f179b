import type { Schema } from "avsc";
import type { Collected } from "../stack/collect.ts";
import { avroType } from "../stack/decode.ts";
import { columnOf, type Model, type ModelColumn, present } from "./story.ts";
import type { Version } from "./truth.ts";

/** Stories have no other types. */
type Row = Readonly<Record<string, string | number | bigint | null>>;

/** One decoded event, with where it is and how its bytes can be read by another schema. */
export interface LawEvent {
  readonly offset: bigint;
  readonly op: string;
  readonly after: Row | null;
  readonly before: Row | null;
  readonly id: number;
  readonly schemaId: number;
  readonly body: Buffer;
}

/** What a story's events are held against. */
export interface Told {
  readonly model: Model;
  /** Versions of the log: all since the first snapshot. */
  readonly versions: readonly Version[];
  readonly rows: ReadonlyMap<number, Readonly<Record<string, string | null>>>;
  /** Under policy manual: by attnum, the offset the topic ended at when its release was asked for. */
  readonly releasedAt: ReadonlyMap<number, bigint>;
  readonly policy: string;
  /** Attnums with an open amendment: the registry or the gate keeps their fields as they were. */
  readonly withheld: ReadonlySet<number>;
  /** The schema the topic's events have now. */
  readonly schemaId: number;
}

const OPS = { INSERT: "c", UPDATE: "u", DELETE: "d" } as const;

/** The first difference between a topic and the truth, in words; undefined: none. */
export function findDifference(
  told: Told,
  events: readonly LawEvent[],
  schemas: ReadonlyMap<number, Schema>,
): string | undefined {
  return compareSequence(told, events) ?? findWithheld(told, events) ?? compareRebuilt(told, events, schemas);
}

/** Each change once, in order, with the row's own values under names that their columns have had. */
function compareSequence({ model, versions }: Told, events: readonly LawEvent[]): string | undefined {
  const changes = events.filter(({ op }) => op !== "r");
  const flowed = new Set<number>(model.live.concat(model.gone).flatMap((c) => (c.initial ? [c.attnum] : [])));
  for (const [index, version] of versions.entries()) {
    const event = changes[index];
    const place = `change ${index} (${version.operation} ${version.id})`;
    if (event === undefined) return `${place} is in no event`;
    if (event.op !== OPS[version.operation] || event.id !== version.id) {
      return `${place} is event ${event.op} of ${event.id}`;
    }
    const wrong = event.after && wrongValue(model, version, event.after, flowed);
    if (wrong !== undefined && wrong !== null) return `${place}: ${wrong}`;
  }
  return changes.length > versions.length ? `${changes.length} events for ${versions.length} changes` : undefined;
}

function wrongValue(model: Model, { columns }: Version, after: Row, flowed: Set<number>): string | undefined {
  for (const [field, value] of Object.entries(after)) {
    if (field === "id") continue;
    const named = [...model.live, ...model.gone].filter(({ names }) => names.includes(field));
    const wrong =
      value === null
        ? missingValue(named, columns, field, flowed)
        : strangeValue(model, named, columns, field, String(value), flowed);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function strangeValue(
  model: Model,
  named: readonly ModelColumn[],
  columns: Version["columns"],
  field: string,
  text: string,
  flowed: Set<number>,
): string | undefined {
  const attnum = columnOf(text);
  if (attnum === undefined || !named.some((column) => column.attnum === attnum)) {
    return `field ${field} has ${text}, which no column of that name held`;
  }
  flowed.add(attnum);
  const truth = columns[attnum];
  // A dropped column's field keeps its default.
  if (truth === undefined && model.defaults.has(text)) return undefined;
  return truth === text ? undefined : `field ${field} has ${text}, and column ${attnum} has ${truth}`;
}

/** A null for a value that exists, of a column whose values the field has carried before. */
function missingValue(
  named: readonly ModelColumn[],
  columns: Version["columns"],
  field: string,
  flowed: ReadonlySet<number>,
): string | undefined {
  const held = named.filter(({ attnum }) => columns[attnum] !== undefined);
  const [only] = held;
  if (only === undefined || held.length !== 1 || !flowed.has(only.attnum)) return undefined;
  if (named.some(({ attnum }) => attnum !== only.attnum && flowed.has(attnum))) return undefined;
  const truth = columns[only.attnum];
  return truth === null || truth === undefined
    ? undefined
    : `field ${field} is null, and column ${only.attnum} has ${truth}`;
}

/** No record carries a value of a column that an operator has not released by then. */
function findWithheld({ model, policy, releasedAt }: Told, events: readonly LawEvent[]): string | undefined {
  if (policy !== "manual") return undefined;
  const added = new Set([...model.live, ...model.gone].flatMap((column) => (column.initial ? [] : [column.attnum])));
  for (const { offset, after, before } of events) {
    for (const value of [...Object.values(after ?? {}), ...Object.values(before ?? {})]) {
      const attnum = columnOf(String(value));
      if (attnum === undefined || !added.has(attnum)) continue;
      if (offset < (releasedAt.get(attnum) ?? Number.MAX_SAFE_INTEGER)) {
        return `offset ${offset} carries a value of column ${attnum}, released at ${releasedAt.get(attnum) ?? "no time"}`;
      }
    }
  }
  return undefined;
}

/** What a consumer with the newest schema has in the end is the table. */
function compareRebuilt(
  { model, rows, schemaId, withheld }: Told,
  events: readonly LawEvent[],
  schemas: ReadonlyMap<number, Schema>,
): string | undefined {
  const reader = avroType(schemas.get(schemaId) ?? "null");
  const last = new Map(events.map((event) => [event.id, event]));
  const kept = [...last.values()].filter(({ op }) => op !== "d");
  if (kept.length !== rows.size) return `consumers have ${kept.length} rows, the table ${rows.size}`;
  for (const event of kept) {
    const writer = avroType(schemas.get(event.schemaId) ?? "null");
    const { after } = reader.fromBuffer(event.body, reader.createResolver(writer)) as { after: Row }; // an envelope
    const row = rows.get(event.id);
    if (row === undefined) return `row ${event.id} is not in the table`;
    for (const column of model.live) {
      if (withheld.has(column.attnum)) continue;
      const name = present(column);
      if (!(name in after)) return `the newest schema has no field ${name}`;
      const text = after[name] === null ? null : String(after[name]);
      if (text !== row[name]) return `row ${event.id}: consumers have ${name} = ${text}, the table has ${row[name]}`;
    }
  }
  return undefined;
}

export function lawEvent(record: Collected, decoded: unknown, key: unknown): LawEvent {
  const { op, after, before } = decoded as { op: string; after: Row | null; before: Row | null }; // an envelope
  const value = record.value ?? Buffer.alloc(0);
  return {
    offset: record.offset,
    op,
    after,
    before,
    id: Number((key as Row)["id"]),
    schemaId: value.readInt32BE(1),
    body: value.subarray(5),
  };
}
