import { fieldName } from "../../event/envelope/names.ts";
import { readEnvelope, readRow, recordFields } from "../../event/envelope/schema.ts";
import type { Column, Table } from "../../table/column.ts";
import type { AvroField, Field, RegisteredSchema } from "../../table/shape.ts";
import type { Amendment, Verdict } from "../amendment/amendment.ts";
import { bind, isOptional } from "../amendment/bind.ts";
import { candidateOf } from "../amendment/candidate.ts";
import { notReady } from "../decision/policy.ts";
import type { Reason } from "../decision/reason.ts";
import { unnamedOn } from "../evidence/readers.ts";
import { onSeen, relationOf } from "../amendment/seen.ts";
import { weigh } from "../decision/settle.ts";
import type { Input, Rules, State, Decided, TableState, When } from "../state.ts";
import { fieldsOf } from "./unpublished.ts";
import { step, withTable, withheldOf } from "../update.ts";
import type { Json } from "../../json.ts";

/** Watch mode: compares a schema that Debezium has registered with the table, and makes it the topic's shape. */

type Observed = Extract<Input, { kind: "observed" }>;

/**
 * In watch mode the shape follows what Debezium has registered, because that is what it publishes. An amendment that
 * the schema contains is thereby released; the others are judged again on the new shape. A schema that is not an
 * envelope changes nothing.
 */
export function onObserved(rules: Rules, state: State, input: Observed, when: When): Decided {
  const table = state.tables.get(input.topic);
  const fields = rowFields(rules, input.value.text);
  if (table === undefined || input.table.oid !== table.shape.table.oid || fields === undefined) return step(state);
  const seen = { kind: "seen", topic: input.topic, ...relationOf(input.table) } as const;
  const first = table.unpublished === true ? step(state) : onSeen(rules, state, seen, when);
  const before = first.state.tables.get(input.topic) ?? table;
  const followed = following(rules, before, input, fields);
  if (isSame(before, followed)) return first;
  const next = onSeen(rules, withTable(first.state, followed), seen, when);
  const after = next.state.tables.get(input.topic) ?? followed;
  const waiting = new Set(withheldOf(after).map(({ id }) => id));
  const carried = withheldOf(before)
    .filter(({ id }) => !waiting.has(id))
    .map((one) => released(rules, first.state, before, one, input, when));
  if (carried.length === 0) return next;
  const ids = new Set(carried.map(({ id }) => id));
  const amendments = [...after.amendments.filter(({ id }) => !ids.has(id)), ...carried];
  const alerts = carried.map(({ id }) => ({ kind: "alert", id }) as const);
  return step(withTable(next.state, { ...after, amendments }), ...next.effects, ...alerts);
}

/** The fields of the row in a Debezium envelope, or of an unwrapped row; undefined if the text is neither. */
export function rowFields({ unwrapped }: Rules, text: string): readonly AvroField[] | undefined {
  const json = parsed(text);
  if (json === undefined) return undefined;
  const read = readEnvelope(json);
  if (read.kind === "envelope") return read.fields;
  return unwrapped === undefined ? undefined : readRow(json)?.filter(({ name }) => !unwrapped.has(name));
}

/** The table with the registered shape. Its withheld amendments have to be judged again on it. */
function following(rules: Rules, table: TableState, input: Observed, registered: readonly AvroField[]): TableState {
  const columns = input.table.columns.filter((column) => !column.generated);
  const mapped = fieldsOf(
    rules,
    table,
    columns.map((column) => ({ column, gone: false })),
  );
  const others = columns.filter((column) => !mapped.some((field) => field.attnum === column.attnum));
  const asRegistered = others.flatMap((column) => asItIs(rules, registered, column));
  const fields = bind(registered, [...mapped, ...asRegistered], table.unpublished === true ? [] : table.shape.fields);
  const { value, key } = input;
  const keyless = isKeyless(table, input.table);
  return {
    ...table,
    shape: {
      ...table.shape,
      fields,
      key: keyless ? [] : keyOf(table, fields, key),
      valueSchema: value,
      keySchema: keyless ? undefined : (key ?? table.shape.keySchema),
    },
    unpublished: undefined,
    amendments: table.amendments.map((one) => (one.gate.kind === "withheld" ? { ...one, answer: undefined } : one)),
    flowed: table.unpublished === true ? [value] : [...table.flowed.filter(({ id }) => id !== value.id), value],
  };
}

/**
 * The field of a column whose type we cannot map but Debezium can, perhaps in a later version. The registered field is
 * used as it is.
 */
function asItIs(rules: Rules, registered: readonly AvroField[], column: Column): readonly Field[] {
  const name = fieldName(column.name, rules.modes.fieldNames);
  const { attnum, type, notNull, defaultExpr } = column;
  const made = { notNull, defaultExpr };
  const own = registered.filter((avro) => avro.name === name);
  return own.map((avro) => ({ name, attnum, type, optional: isOptional(avro), avro, made }));
}

/** Whether rows have no key. No schema shows that, because Debezium leaves the key's subject unchanged. */
function isKeyless({ shape, rowKey, amendments }: TableState, { key }: Table): boolean {
  if (rowKey !== undefined || key.length > 0) return false;
  return shape.key.length === 0 || amendments.some(isKeyGone);
}

/** Whether rows have been published since the table lost its key. */
export function isKeyGone({ kind, key = [], missed, gate }: Amendment): boolean {
  return kind === "key" && key.length === 0 && missed && gate.kind === "withheld";
}

/** The key's fields: those named in the key's schema, or else the same columns as before. */
function keyOf({ shape }: TableState, fields: readonly Field[], key: RegisteredSchema | undefined): readonly Field[] {
  const json = key === undefined ? undefined : parsed(key.text);
  const names = json === undefined ? undefined : recordFields(json)?.map(({ name }) => name);
  const named = names?.flatMap((name) => fields.filter((field) => field.name === name));
  if (named !== undefined && named.length === names?.length) return named;
  return shape.key.map((field) => fields.find(({ attnum }) => attnum === field.attnum) ?? field);
}

function isSame(before: TableState, after: TableState): boolean {
  return before.unpublished !== true && observableOf(before) === observableOf(after);
}

/** The parts of a shape that a newly observed schema may change. */
function observableOf({ shape: { fields, key, valueSchema, keySchema } }: TableState): string {
  const bound = [fields, key].map((all) => all.map(({ name, attnum, type, made }) => [name, attnum, type, made]));
  return JSON.stringify([valueSchema.id, keySchema?.id, bound]);
}

function released(
  rules: Rules,
  state: State,
  table: TableState,
  amendment: Amendment,
  { topic, value, key }: Observed,
  when: When,
): Amendment {
  const verdicts = verdictsOf(rules, state, table, amendment, when);
  const [part, schema] = amendment.kind === "key" && key !== undefined ? ["key", key] : ["value", value];
  const reason: Reason = isKeyGone(amendment)
    ? { kind: "rows-without-key" }
    : { kind: "schema-registered", subject: `${topic}-${part}`, schemaId: schema.id };
  return {
    ...amendment,
    verdicts,
    answer: undefined,
    gate: {
      kind: "released",
      since: when.position,
      time: when.time,
      reason,
      schemaId: schema.id,
      wouldHaveWaitedFor: notReady(verdicts),
      unnamed: unnamedOn(rules, state, topic),
    },
  };
}

/** The verdicts on the amendment, even if it was published before the registry was asked. */
function verdictsOf(
  rules: Rules,
  state: State,
  table: TableState,
  amendment: Amendment,
  when: When,
): readonly Verdict[] {
  if (amendment.kind === "table") return [];
  const making = candidateOf(rules, table, amendment);
  if (making.kind === "none") return amendment.verdicts;
  return weigh(rules, state, table, { ...amendment, answer: { kind: "fits", candidate: making.made.candidate } }, when);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json; // JSON.parse gives JSON
  } catch {
    return undefined;
  }
}
