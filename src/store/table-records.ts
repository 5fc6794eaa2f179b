import type { Amendment, Verdict } from "../gate/amendment/amendment.ts";
import type { Parked } from "../gate/parking/parked.ts";
import type { State, TableState } from "../gate/state.ts";
import type { RegisteredSchema, SchemaId, Shape } from "../table/shape.ts";
import {
  type Entries,
  type Entry,
  entryOf,
  needs,
  parkedRecord,
  recordsOf,
  type RecordValue,
  type StateRecord,
  textOf,
} from "./record.ts";
import { readRecordedAmendment, type RecordedAmendment } from "./recorded.ts";

/**
 * The records of a table. There is one record per amendment, schema and verdict, so that none grows with the number of
 * contracts, columns or releases. `table/<topic>` has the shape, `schema/<topic>/<id>` the text of one published
 * schema, `amendment/<topic>/<of>` one amendment, and `verdict/<topic>/<of>/<n>` one contract's verdict at the
 * amendment's release; `parked/<topic>` has how many of its changes are parked. The registry's answer, its candidate and the verdicts on withheld amendments are not stored,
 * because they are determined again at every start.
 */

export function tableChanges(before: State["tables"], after: State["tables"]): readonly StateRecord[] {
  if (before === after) return [];
  const records: StateRecord[] = [];
  for (const [topic, table] of after) {
    const was = before.get(topic);
    if (was === table) continue;
    // The table's record was written by an earlier version and still contains its amendments.
    const inline = was !== undefined && INLINE.has(was);
    records.push(...schemaChanges(topic, was, table));
    records.push(...amendmentChanges(topic, inline ? [] : (was?.amendments ?? []), table.amendments));
    // Stored in a separate record, because its counts change with every commit.
    if (was?.parked !== table.parked) records.push(parkedRecord(topic, table.parked));
    records.push(
      ...recordsOf(`table/${topic}`, inline || was === undefined ? undefined : tableJson(was), tableJson(table)),
    );
  }
  for (const [topic, table] of before) {
    if (after.has(topic)) continue;
    records.push(...amendmentChanges(topic, INLINE.has(table) ? [] : table.amendments, []));
    if (table.parked !== undefined) records.push(parkedRecord(topic, undefined));
    records.push(...recordsOf(`table/${topic}`, tableJson(table), undefined));
  }
  return records;
}

/** Tables that were read from records of an earlier version and have not been written since. */
const INLINE = new WeakSet<TableState>();

function schemaChanges(topic: string, before: TableState | undefined, after: TableState): readonly StateRecord[] {
  if (before?.flowed === after.flowed) return [];
  // Compared by text as well, because a schema that is not registered yet has no id of its own.
  const known = new Map(before?.flowed.map(({ id, text }) => [id, text]));
  return after.flowed.flatMap(({ id, text }) => {
    const was = known.get(id);
    return recordsOf(`schema/${topic}/${id}`, was === undefined ? undefined : { text: was }, { text });
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
    ...indexes.flatMap((index) => recordsOf(`verdict/${name}/${index}`, was?.[index], now?.[index])),
    ...recordsOf(`amendment/${name}`, before && amendmentJson(before), after && amendmentJson(after)),
  ];
}

/** For withheld amendments nothing is stored, because the contracts are judged again at every start. */
function storedVerdicts({ gate, verdicts }: Amendment): readonly Verdict[] {
  return gate.kind === "released" ? verdicts : [];
}

function amendmentJson(amendment: Amendment): object {
  return { ...amendment, answer: undefined, verdicts: storedVerdicts(amendment).length };
}

/** The part of an amendment's id after the topic: `3`, `key` or `table`. */
function suffixOf({ id }: Amendment): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

function tableJson(table: TableState): object {
  const { shape, flowed, amendments } = table;
  return {
    ...table,
    parked: undefined,
    shape: { ...shape, valueSchema: shape.valueSchema.id },
    flowed: flowed.map(({ id }) => id),
    amendments: amendments.map(suffixOf),
  };
}

/** A table as it is written: value schemas by id, amendments by the part of their ids after the topic. */
interface WrittenTable extends Omit<TableState, "shape" | "flowed" | "amendments" | "parked"> {
  readonly shape: Omit<Shape, "valueSchema"> & { readonly valueSchema: SchemaId };
  readonly flowed: readonly SchemaId[];
  readonly amendments: readonly string[];
}

/** An amendment as it is written. `verdicts` is the number of its verdicts. */
interface WrittenAmendment extends Omit<Amendment, "verdicts"> {
  readonly verdicts: number;
}

/** A table as version 2 wrote it. */
interface InlineTable extends Omit<WrittenTable, "amendments"> {
  readonly amendments: readonly Amendment[];
}

export function readTable(topic: string, { version, value }: Entry, entries: Entries): TableState {
  const schema = (id: SchemaId): RegisteredSchema => {
    const entry = entryOf(entries, `schema/${topic}/${id}`);
    return { id, text: textOf("schema", entry.value, "text") };
  };
  needs(value, { shape: "object", known: "list", flowed: "list", amendments: "list" });
  needs(value["shape"], { topic: "string", table: "object", fields: "list", key: "list", valueSchema: "number" });
  const given = readWritten(version, value);
  const { shape, flowed } = given;
  const isInline = isInlineTable(given);
  const amendments = isInline
    ? given.amendments.map((amendment) => ({ ...amendment, answer: undefined, verdicts: storedVerdicts(amendment) }))
    : given.amendments.map((suffix) => readAmendment(`${topic}/${suffix}`, entries));
  const parked = entries.get(`parked/${topic}`)?.value as Parked | undefined; // `parkedRecord` wrote it
  const table = {
    ...given,
    ...(parked === undefined ? {} : { parked }),
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
  const { value } = entryOf(entries, `amendment/${name}`);
  needs(value, { id: "string", topic: "string", kind: "string", gate: "object", changes: "list", verdicts: "number" });
  const amendment = value as unknown as WrittenAmendment; // `amendmentJson` wrote it
  const verdicts = Array.from(
    { length: amendment.verdicts },
    (_, index) => entryOf(entries, `verdict/${name}/${index}`).value as unknown as Verdict, // `changes` wrote it
  );
  return { ...amendment, answer: undefined, verdicts };
}

function readWritten(version: number, value: RecordValue): WrittenTable | InlineTable {
  if (version !== 1) return value as unknown as WrittenTable | InlineTable; // `tableJson` wrote it
  const table = value as unknown as Omit<InlineTable, "amendments"> & { amendments: readonly RecordedAmendment[] }; // `tableJson` wrote it
  return { ...table, amendments: table.amendments.map(readRecordedAmendment) };
}
