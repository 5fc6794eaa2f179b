import { schemaHash } from "../../avro/hash.ts";
import { fieldOf, widen } from "../../event/field.ts";
import { envelopeSchema, keySchema, withFieldsOf, withRowFields } from "../../event/envelope/schema.ts";
import type { Attnum } from "../../table/column.ts";
import type { Field, Shape } from "../../table/shape.ts";
import type { NoCandidate } from "../decision/reason.ts";
import type { Amendment, Candidate } from "./amendment.ts";
import { changesOf } from "./differ.ts";
import type { Mode, Rules, TableState } from "../state.ts";
import type { Json } from "../../json.ts";

/**
 * Makes the candidate of an amendment: the schema that the topic would have, and the shape that it leads to. An
 * amendment that would use the name of a published field is combined with the amendment that removes that field.
 */

/**
 * A candidate, and the shape that it leads to. It is never stored, because the shape that it starts from may change.
 */
export interface Made {
  readonly candidate: Candidate;
  readonly shape: Shape;
  /** The field that it adds or replaces; undefined if it only removes fields. */
  readonly field: Field | undefined;
}

/** `none`: no such schema can be made, for example because another column already fills a field of that name. */
export type Making =
  | { readonly kind: "made"; readonly made: Made }
  | { readonly kind: "none"; readonly why: NoCandidate };

/**
 * The topic's schema with the amendment in it, mapped as Debezium maps the column. If a new field has the name of a
 * published field, the amendment that removes the old one is included. `wide`: makes a required field optional, for
 * compatibility levels that would reject it.
 */
export function candidateOf(rules: Rules, table: TableState, amendment: Amendment, wide = false): Making {
  if (amendment.kind === "key") return keyCandidate(rules, table, amendment);
  if (amendment.kind === "table") return { kind: "none", why: { kind: "table-replaced" } };
  const group = [amendment];
  for (;;) {
    const start = isBesideOther(table, amendment)
      ? table.shape.fields.map((field) => (field.attnum === amendment.attnum && !field.optional ? widen(field) : field))
      : table.shape.fields;
    const fields = group.reduce((before, one) => amended(rules, before, one, wide && one === amendment), start);
    const twice = doubled(fields);
    if (twice === undefined)
      return { kind: "made", made: valueCandidate(rules, table, amendment, group, fields, wide) };
    const other = waitingFor(table, group, twice);
    if (other === undefined) return { kind: "none", why: { kind: "field-name-taken", field: twice } };
    group.push(other);
  }
}

/**
 * True if a field of the column's new type is added beside the old field, which then has null where a value does not
 * fit it. The key has every value, so a column of the key keeps its field.
 */
function isBesideOther({ shape }: TableState, { attnum, changes, order }: Amendment): boolean {
  return order?.beside !== undefined && changes.includes("retyped") && !shape.key.some((one) => one.attnum === attnum);
}

/**
 * True if it adds a required field without a default. Most compatibility levels reject that unless the field is made
 * optional.
 */
export function canWiden({ field }: Made, amendment: Amendment): boolean {
  if (field === undefined || field.optional || field.avro.default !== undefined) return false;
  const { kind, order, changes } = amendment;
  if (kind === "added" || order?.beside !== undefined || changes.includes("renamed")) return true;
  // The field stays optional, so that the other changes can flow.
  return changes.includes("not-null-set") && changes.length > 1;
}

/**
 * Watch mode: the schema of the next row, with every pending change. New enum labels are left out, because Debezium
 * lists only those it knew when it started. undefined if two columns would be the same field.
 */
export function comingSchema(rules: Rules, table: TableState): Json | undefined {
  const waiting = table.amendments.filter((one) => one.gate.kind === "withheld" && isOfRows(one));
  const fields = waiting.reduce((before, one) => amended(rules, before, one, false), table.shape.fields);
  return doubled(fields) === undefined ? ENVELOPE[rules.mode](table.shape, fields) : undefined;
}

/** True if it changes the schema of the next row. */
export function isOfRows({ kind, changes }: Amendment): boolean {
  const labels = changes.length > 0 && changes.every((change) => change === "labels");
  return kind !== "key" && kind !== "table" && !labels;
}

/** Inserts the field in the order of attnums, so that a schema with every field released equals Debezium's. */
export function insertField(fields: readonly Field[], field: Field): readonly Field[] {
  const next = fields.findIndex((other) => other.attnum > field.attnum);
  const at = next === -1 ? fields.length : next;
  return [...fields.slice(0, at), field, ...fields.slice(at)];
}

/**
 * True if this is still the amendment's candidate. It no longer is once another field was released or the column
 * changed.
 */
export function isOf(rules: Rules, table: TableState, amendment: Amendment, candidate: Candidate | undefined): boolean {
  const now = candidateOf(rules, table, amendment, candidate?.widened !== undefined);
  return (now.kind === "made" ? now.made.candidate.hash : undefined) === candidate?.hash;
}

/** The fields after one amendment is applied to them. */
function amended(rules: Rules, fields: readonly Field[], amendment: Amendment, wide: boolean): readonly Field[] {
  const { attnum, column, kind } = amendment;
  if (kind === "dropped") return fields.filter((field) => field.attnum !== attnum);
  const mapped = column === undefined ? undefined : fieldOf(column, rules.modes);
  if (column === undefined) return fields;
  if (mapped?.kind !== "field") return fields.filter((field) => field.attnum !== attnum);
  const field = wide ? widen(mapped.field) : mapped.field;
  if (kind === "added") return insertField(fields, field);
  const seen = { column, gone: amendment.gone };
  const current = fields.filter((other) => other.attnum === attnum && changesOf(rules, other, seen).length === 0);
  if (current.length > 0) return fields.filter((other) => other.attnum !== attnum || current.includes(other));
  const { beside } = amendment.order ?? {};
  if (beside !== undefined) return insertField(fields, named(field, beside.name));
  const first = fields.find((other) => other.attnum === attnum);
  return fields.flatMap((other) =>
    other === first ? [inPlaceOf(other, field)] : other.attnum === attnum ? [] : [other],
  );
}

/** A field that an operator named keeps its name, whatever happens to its column. */
function inPlaceOf(before: Field, field: Field): Field {
  return before.alias === true ? named(field, before.name) : field;
}

function named(field: Field, name: string | undefined): Field {
  if (name === undefined || name === field.name) return field;
  return { ...field, name, avro: { ...field.avro, name }, alias: true };
}

function doubled(fields: readonly Field[]): string | undefined {
  const names = fields.map((field) => field.name);
  return names.find((name, index) => names.indexOf(name) !== index);
}

/** The withheld amendment that would remove the field of this name, because its column was dropped or renamed. */
function waitingFor(table: TableState, group: readonly Amendment[], name: string): Amendment | undefined {
  const holders = new Set(table.shape.fields.filter((field) => field.name === name).map((field) => field.attnum));
  return table.amendments.find(
    (other) =>
      other.gate.kind === "withheld" &&
      !group.includes(other) &&
      other.attnum !== undefined &&
      holders.has(other.attnum) &&
      (other.kind === "dropped" || other.changes.includes("renamed")),
  );
}

function valueCandidate(
  rules: Rules,
  table: TableState,
  amendment: Amendment,
  group: readonly Amendment[],
  fields: readonly Field[],
  wide: boolean,
): Made {
  const { shape } = table;
  const schema = ENVELOPE[rules.mode](table.shape, fields);
  // A field beside the old one comes after it.
  const field = fields.findLast((one) => one.attnum === amendment.attnum && !shape.fields.includes(one));
  const names = new Set(shape.fields.map((one) => one.name));
  const candidate: Candidate = {
    part: "value",
    added: fields.filter((one) => !names.has(one.name)).map((one) => one.name),
    moved: fields.filter((one) => names.has(one.name) && !isIn(shape.fields, one)).map((one) => one.name),
    text: JSON.stringify(schema),
    hash: schemaHash(schema),
    widened: wide ? field?.name : undefined,
    together: group.filter((one) => one !== amendment).map((one) => one.id),
  };
  return { candidate, shape: { ...shape, fields }, field };
}

/** In watch mode the next schema differs from Debezium's last one only in the row. The source block does not change. */
const ENVELOPE: Readonly<Record<Mode, (shape: Shape, fields: readonly Field[]) => Json>> = {
  guard: ({ topic }, fields) => envelopeSchema(topic, fields),
  watch: debeziumEnvelope,
};

function debeziumEnvelope(shape: Shape, fields: readonly Field[]): Json {
  const last = JSON.parse(shape.valueSchema.text) as Json; // it was read when it was observed
  return withRowFields(last, fields, shape.fields);
}

/** True if a field of this name is filled from the same column now. */
function isIn(fields: readonly Field[], { name, attnum }: Field): boolean {
  return fields.some((field) => field.name === name && field.attnum === attnum);
}

/** Makes the schema of the new key. */
function keyCandidate(rules: Rules, table: TableState, { key }: Amendment): Making {
  const fields = (key ?? []).flatMap((attnum) => {
    const flowing = table.shape.fields.filter((field) => field.attnum === attnum).slice(-1);
    return rules.mode === "watch" ? comingField(rules, table, attnum, flowing) : flowing;
  });
  const schema = KEY[rules.mode](table.shape, fields);
  if (key === undefined || key.length === 0) {
    return { kind: "none", why: { kind: "no-primary-key" } };
  }
  if (schema === undefined || fields.length !== key.length) {
    return { kind: "none", why: { kind: "key-columns-withheld" } };
  }
  const hash = schemaHash(schema);
  const text = JSON.stringify(schema);
  const candidate: Candidate = { part: "key", added: [], moved: [], text, hash, widened: undefined, together: [] };
  return { kind: "made", made: { candidate, shape: { ...table.shape, key: fields }, field: undefined } };
}

/** In watch mode the next key schema has the same name as Debezium's last one. */
const KEY: Readonly<Record<Mode, (shape: Shape, fields: readonly Field[]) => Json | undefined>> = {
  guard: ({ topic }, fields) => keySchema(topic, fields),
  watch: debeziumKey,
};

function debeziumKey({ topic, keySchema: last }: Shape, fields: readonly Field[]): Json | undefined {
  const made = keySchema(topic, fields);
  if (last === undefined || made === undefined) return made;
  return withFieldsOf(JSON.parse(last.text) as Json, made); // it was read when it was observed
}

/** Watch mode: Debezium publishes the key together with every other pending change. */
function comingField(rules: Rules, table: TableState, column: Attnum, flowing: readonly Field[]): readonly Field[] {
  const waiting = table.amendments.find(({ attnum, gate }) => attnum === column && gate.kind === "withheld");
  return waiting === undefined ? flowing : amended(rules, flowing, waiting, false);
}
