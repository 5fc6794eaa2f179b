import type { Schema } from "avsc";
import type { Collected } from "../stack/collect.ts";
import { avroType } from "../stack/decode.ts";
import { columnOf, isOfFirst, type Model, type ModelColumn, present, rowKey } from "./model.ts";
import type { Version } from "./truth.ts";

/** Stories have no other types. */
type Row = Readonly<Record<string, string | number | bigint | null>>;

/** One decoded event, with where it is and how its bytes can be read by another schema. */
export interface LawEvent {
  readonly offset: bigint;
  readonly op: string;
  readonly after: Row | null;
  readonly before: Row | null;
  /** 0: a truncation has no key. */
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
  /**
   * The service has said that it could not identify columns of the table, which it may only say where some DDL was not
   * reported. Then a null may stand for a value, and is made good by an event that follows.
   */
  readonly doubted: boolean;
  /** Its changes wait for an amendment that cannot be released, since the registry refuses the schema: its events are a part. */
  readonly parked: boolean;
  /**
   * Changes may be in no event: the service has said that parked ones no longer fitted, or another table took the name.
   * The table is published again.
   */
  readonly passedOver: boolean;
}

const OPS = { INSERT: "c", UPDATE: "u", DELETE: "d", TRUNCATE: "t", GAP: undefined } as const;
/** What an event has in place of a large value that its UPDATE did not change. */
const UNCHANGED = "__debezium_unavailable_value";

/** The first difference between a topic and the truth, in words; undefined: none. */
export function findDifference(
  told: Told,
  events: readonly LawEvent[],
  schemas: ReadonlyMap<number, Schema>,
): string | undefined {
  const wrong = compareSequence(told, events) ?? findWithheld(told, events);
  return wrong === undefined && !told.parked ? compareRebuilt(told, events, schemas) : wrong;
}

/** What has been compared so far. */
interface Compared {
  readonly told: Told;
  /** Attnums whose values some event has carried. */
  readonly flowed: Set<number>;
  /** By row (`rowOf`), its version before the one that is compared. */
  readonly before: Map<string, Version["columns"]>;
}

/** Each change once, in order, with the row's own values under names that their columns have had. */
function compareSequence(told: Told, events: readonly LawEvent[]): string | undefined {
  const { model, versions } = told;
  const changes = events.filter(({ op }) => op !== "r");
  const initial = model.live
    .concat(model.gone)
    .flatMap((column) => (column.initial && isOfFirst(column) ? [column.attnum] : []));
  const compared: Compared = { told, flowed: new Set(initial), before: new Map() };
  let index = 0;
  // Why the next event is none of the changes that were passed over since the last one.
  let why: string[] = [];
  for (const version of versions) {
    if (version.operation === "GAP") {
      compared.before.set(rowOf(version), version.columns);
      continue;
    }
    if (told.parked && changes[index] === undefined) return undefined;
    const wrong = wrongEvent(compared, version, changes[index]);
    const passed = wrong && `change ${index} (${version.operation} ${version.id}) ${wrong}`;
    if (passed !== undefined && !told.passedOver) return passed;
    compared.before.set(rowOf(version), version.columns);
    why = passed === undefined ? [] : [...why, passed];
    if (wrong === undefined) index += 1;
  }
  return changes.length > index
    ? `${changes.length} events for ${index} changes${why.map((one) => `\n     ${one}`).join("")}`
    : undefined;
}

function rowOf({ id, columns }: Version): string {
  const [attnum = 0] = Object.keys(columns).map(Number);
  return rowKey(attnum, id);
}

function wrongEvent(compared: Compared, version: Version, event: LawEvent | undefined): string | undefined {
  if (event === undefined) return "is in no event";
  if (event.op !== OPS[version.operation] || event.id !== version.id) return `is event ${event.op} of ${event.id}`;
  return event.after === null ? undefined : wrongValue(compared, version, event.after);
}

function wrongValue(compared: Compared, version: Version, after: Row): string | undefined {
  const { live, gone } = compared.told.model;
  for (const [field, value] of Object.entries(after)) {
    if (field === "id") continue;
    const named = [...live, ...gone].filter(({ names }) => names.includes(field));
    const wrong =
      value === null
        ? missingValue(compared, named, version, field, after)
        : strangeValue(compared, named, version, field, String(value));
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function strangeValue(
  { told, flowed, before }: Compared,
  named: readonly ModelColumn[],
  version: Version,
  field: string,
  text: string,
): string | undefined {
  const { operation, columns } = version;
  if (text === UNCHANGED) {
    const last = before.get(rowOf(version));
    const kept = named.some(({ attnum }) => columns[attnum] != null && columns[attnum] === last?.[attnum]);
    return operation === "UPDATE" && kept ? undefined : `field ${field} stands for a value that was not kept`;
  }
  const attnum = columnOf(text);
  if (attnum === undefined || !named.some((column) => column.attnum === attnum)) {
    return `field ${field} has ${short(text)}, which no column of that name held`;
  }
  flowed.add(attnum);
  const truth = columns[attnum];
  // A dropped column's field keeps its default.
  if (truth === undefined && told.model.defaults.has(text)) return undefined;
  return truth === text ? undefined : `field ${field} has ${short(text)}, and column ${attnum} has ${short(truth)}`;
}

/** A null for a value that exists, of a column whose values the field has carried before. */
function missingValue(
  { told, flowed }: Compared,
  named: readonly ModelColumn[],
  { columns }: Version,
  field: string,
  after: Row,
): string | undefined {
  if (told.doubted) return undefined;
  const held = named.filter(({ attnum }) => columns[attnum] !== undefined);
  const [only] = held;
  if (only === undefined || held.length !== 1 || !flowed.has(only.attnum)) return undefined;
  if (named.some(({ attnum }) => attnum !== only.attnum && flowed.has(attnum))) return undefined;
  const truth = columns[only.attnum];
  if (truth === null || truth === undefined) return undefined;
  // The field belongs to a column that never had a value; this one's value is in its own field.
  if (only.names.some((name) => after[name] !== undefined && String(after[name]) === truth)) return undefined;
  return `field ${field} is null, and column ${only.attnum} has ${short(truth)}`;
}

function short(text: string | null | undefined): string {
  return String(text).slice(0, 8);
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
  const all = rebuild(events, schemas, schemaId);
  // What was deleted while no event could say so stays with consumers.
  const kept = new Map([...all].filter(([id]) => !model.passedOver || rows.has(id)));
  if (kept.size !== rows.size) return `consumers have ${kept.size} rows, the table ${rows.size}`;
  for (const [id, after] of kept) {
    const row = rows.get(id);
    if (row === undefined) return `row ${id} is not in the table`;
    for (const column of model.live) {
      // The log has no generated columns.
      if (withheld.has(column.attnum) || column.generated) continue;
      const name = present(column);
      if (!(name in after)) return `the newest schema has no field ${name}`;
      const text = after[name] === null ? null : String(after[name]);
      if (text !== row[name]) {
        return `row ${id}: consumers have ${name} = ${short(text)}, the table has ${short(row[name])}`;
      }
    }
  }
  return undefined;
}

/** The rows as a consumer keeps them: where an event has no value of a large column, the one it has remains. */
function rebuild(
  events: readonly LawEvent[],
  schemas: ReadonlyMap<number, Schema>,
  schemaId: number,
): ReadonlyMap<number, Row> {
  const reader = avroType(schemas.get(schemaId) ?? "null");
  const resolvers = new Map(
    [...new Set(events.map((event) => event.schemaId))].map((id) => [
      id,
      reader.createResolver(avroType(schemas.get(id) ?? "null")),
    ]),
  );
  const kept = new Map<number, Row>();
  for (const { op, id, schemaId: by, body } of events) {
    if (op === "t") kept.clear();
    else if (op === "d") kept.delete(id);
    else {
      const { after } = reader.fromBuffer(body, resolvers.get(by)) as { after: Row }; // an envelope
      const before = kept.get(id);
      kept.set(
        id,
        Object.fromEntries(
          Object.entries(after).map(([name, value]) => [name, value === UNCHANGED ? (before?.[name] ?? null) : value]),
        ),
      );
    }
  }
  return kept;
}

export function lawEvent(record: Collected, decoded: unknown, key: unknown): LawEvent {
  const { op, after, before } = decoded as { op: string; after: Row | null; before: Row | null }; // an envelope
  const value = record.value ?? Buffer.alloc(0);
  return {
    offset: record.offset,
    op,
    after,
    before,
    id: Number((key as Row | null)?.["id"] ?? 0), // a key record, if any
    schemaId: value.readInt32BE(1),
    body: value.subarray(5),
  };
}
