import { startOver } from "../../chunk/job.ts";
import { fieldOf } from "../../event/field.ts";
import { isSameType } from "../../event/types/avro-type.ts";
import { type Attnum, type Column, columnType, type ColumnType, type Table } from "../../table/column.ts";
import type { KnownColumn } from "../../table/prove.ts";
import type { Field } from "../../table/shape.ts";
import { formatLsn, parseLsn } from "../../wal/lsn.ts";
import type { RelationColumn } from "../../wal/message.ts";
import { amendmentId, type SentAlert } from "./amendment.ts";
import { changesOf, differences, sameColumnType, type SeenColumn } from "./differ.ts";
import { withExcluded } from "./excluded.ts";
import { keyDifference, keyNow, otherKeyOf } from "./key.ts";
import { newlyLeftOut, withLeftOut } from "./left-out.ts";
import { changedValues } from "./changed-values.ts";
import { rekeyed, uncovered } from "./gap.ts";
import { fileOf } from "./rewritten.ts";
import { settle } from "../decision/settle.ts";
import type { Effect, Input, Rules, State, Decided, TableState, When } from "../state.ts";
import { asItsColumns } from "../watch/unpublished.ts";
import { andThen, findAmendment, step, withAmendment, withheldOf, withJob, withRepair, withTable } from "../update.ts";
import { newAmendment, revise, restate } from "./revise.ts";
import { fullName } from "../../table/quote.ts";

/**
 * Compares a table's columns with the topic's shape, and turns each difference into an amendment. This file also keeps
 * what the state knows about the table up to date: its columns, its name and its type modifiers.
 */

type Seen = Extract<Input, { kind: "seen" }>;

/**
 * Handles the table's columns as they are from this position in the log. They come from the first row that uses a new
 * Relation, from a DDL message or from a catalog read at a mark. Each difference from the published fields becomes an
 * amendment, which is withheld until it is judged. Later DDL revises it.
 */
export function onSeen(rules: Rules, state: State, input: Seen, when: When): Decided {
  const table = state.tables.get(input.topic);
  if (table === undefined || input.table.oid !== table.shape.table.oid) return step(state);
  const sure = sureColumns(input);
  const proven = sure.length === input.columns.length;
  const undescribed = proven ? undefined : table.undescribed;
  const listed = withExcluded(rules, { ...renamedTable(table, input), undescribed }, sure.map(knownOf));
  const named = withLeftOut(rules, listed, input.table.columns);
  if (named.unpublished === true) {
    const key = isPinned(rules, named, input) ? named.shape.key.map((field) => field.attnum) : keyNow(named, input);
    return step(withTable(state, proven ? asItsColumns(rules, named, sure, key) : named), ...renamedNow(table, named));
  }
  const found = [...differences(rules, named, sure, proven)];
  const isOwnKey = proven && !isPinned(rules, named, input);
  const key = isOwnKey ? keyDifference(named, input) : undefined;
  if (key !== undefined) found.push(key);
  const amendments = revise(named, sure, found, proven, input, when);
  const known = proven ? sure.map(knownOf) : table.known;
  const assigned = proven ? Math.max(table.assigned ?? 0, input.assigned) : table.assigned;
  const emptied = !proven && hasUnsureField(table, sure);
  const shape = withTypes(rules, named, sure);
  const file = fileOf(table, input.table, { columns: input.columns, sure });
  const changed = changedValues(table, input, sure, file);
  const keyBefore = isOwnKey && key === undefined ? otherKeyOf(table)?.key : undefined;
  const gap = rekeyed(table, changed.keys, when) ?? uncovered(rules, named, input, keyBefore, when);
  const next = withTable(state, {
    ...named,
    shape,
    unseen: changed.unseen,
    gap: gap ?? named.gap,
    known,
    assigned,
    ...file,
    defined: definitionsAt(table.defined, input),
    amendments,
    emptied: emptied || (!proven && table.emptied),
  });
  const rowKey = ownKey(named, input);
  const due = (proven && table.emptied === true) || changed.due;
  const keyed = rowKey === table.rowKey ? next : withRowKey(next, input.topic, rowKey);
  // Rows published in doubt lacked values of published fields, and other values may have changed without an event.
  const repaired = due ? withRepair(rules, keyed, shape) : keyed;
  const effects: readonly Effect[] = [
    ...(gap === undefined ? [] : [{ kind: "report-gap", topic: input.topic } as const]),
    ...generatedNow(table, named),
    ...renamedNow(table, named),
  ];
  const start = step(repaired, ...effects);
  return amendments.reduce((before, { id }) => andThen(before, (now) => ask(rules, now, id, when)), start);
}

function renamedNow({ shape: { table: before } }: TableState, { shape: { table, topic } }: TableState) {
  return fullName(before) === fullName(table) ? [] : [{ kind: "report-rename", topic, before } as const];
}

/** A generated column becomes no amendment, because no event can ever have it. */
function generatedNow(before: TableState, after: TableState): readonly Effect[] {
  const columns = newlyLeftOut(before, after).flatMap(({ rule, field }) =>
    rule === "column/generated" && field !== undefined ? [field] : [],
  );
  return columns.length === 0 ? [] : [{ kind: "report-generated", topic: after.shape.topic, columns }];
}

/**
 * A row has null in a required field, so the column is nullable at this position, even if the newer catalog says
 * otherwise. It is treated as a lost NOT NULL, so that an operator can release it and the stream can continue.
 */
export function onNullFound(
  rules: Rules,
  state: State,
  { topic, field: name }: Extract<Input, { kind: "null-found" }>,
  when: When,
): Decided {
  const table = state.tables.get(topic);
  const field = table?.shape.fields.find((one) => one.name === name);
  const known = table?.known.find(({ attnum }) => attnum === field?.attnum);
  if (table === undefined || field === undefined || known === undefined) return step(state);
  const before = table.amendments.find((one) => one.id === amendmentId(topic, field.attnum));
  if (before?.gate.kind === "withheld" && before.changes.includes("not-null-lost")) return step(state);
  const facts = { typeName: "", identity: false, generated: false, ...before?.column };
  const { defaultExpr } = before?.column ?? field.made ?? { defaultExpr: undefined };
  const column = { ...facts, ...known, notNull: false, defaultExpr };
  const seen = { column, gone: false };
  const changes = changesOf(rules, field, seen);
  const difference = { kind: "changed", attnum: field.attnum, name, column, changes, key: undefined } as const;
  const fresh = newAmendment(topic, { ...difference, gone: false, unmapped: undefined }, when);
  const amendment = before?.gate.kind === "withheld" ? restate(before, fresh, undefined) : fresh;
  const others = table.amendments.filter((one) => one !== before);
  const next = withTable(state, { ...table, amendments: [...others, amendment] });
  return ask(rules, next, amendment.id, when);
}

/** Adds a newly captured table. Columns missing from its subject are withheld as usual. */
export function onCaptured(
  rules: Rules,
  state: State,
  { table, job }: Extract<Input, { kind: "captured" }>,
  when: When,
): Decided {
  if (state.tables.has(table.shape.topic)) return step(state);
  const taken = withTable(state, table);
  const next = step(job === undefined ? taken : withJob(taken, job));
  return table.amendments.reduce((before, { id }) => andThen(before, (now) => ask(rules, now, id, when)), next);
}

/**
 * Rows were published without the withheld columns, so from this position on their values are missing from the events.
 */
export function onPassed(state: State, topic: string, doubt: boolean): Decided {
  const table = state.tables.get(topic);
  if (table === undefined) return step(state);
  if (table.doubt === doubt && withheldOf(table).every((amendment) => amendment.missed)) return step(state);
  const amendments = table.amendments.map((amendment) =>
    amendment.gate.kind === "withheld" ? { ...amendment, missed: true } : amendment,
  );
  return step(withTable(state, { ...table, amendments, doubt }));
}

/** Part of the state, so that a restart before the catalog is read does not make the labels seem to be new ones. */
export function onLabelsPublished(
  state: State,
  { topic, unseen }: Extract<Input, { kind: "labels-published" }>,
): Decided {
  const table = state.tables.get(topic);
  return step(table === undefined ? state : withTable(state, { ...table, unseen }));
}

/** Part of the state, so that a restart before the columns are proven again does not make the table seem unchanged. */
export function onUndescribed(state: State, topic: string): Decided {
  const table = state.tables.get(topic);
  if (table === undefined || table.undescribed === true) return step(state);
  return step(withTable(state, { ...table, undescribed: true }));
}

/** Recorded once people have been alerted, so that a restart does not repeat the alert. */
export function onAlerted(state: State, { id, alerted }: SentAlert): Decided {
  const found = findAmendment(state, id);
  if (found === undefined) return step(state);
  return step(withAmendment(state, { ...found.amendment, alerted }));
}

/** After a restart the registry is asked again, since its answer may have changed. */
export function onAsk(rules: Rules, state: State, id: string, when: When): Decided {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  return ask(rules, withAmendment(state, { ...found.amendment, answer: undefined, notTaken: undefined }), id, when);
}

function ask(rules: Rules, state: State, id: string, when: When): Decided {
  const effect: Effect = { kind: "judge", id };
  return andThen(settle(rules, state, id, when), (next) => {
    const amendment = findAmendment(next, id)?.amendment;
    const open = amendment?.gate.kind === "withheld" && amendment.answer === undefined;
    return open && !amendment.gone && !amendment.unmapped && amendment.kind !== "table"
      ? step(next, effect)
      : step(next);
  });
}

/** A renamed table keeps its topic, because its OID shows that it is the same table. */
function renamedTable(table: TableState, { relation }: Seen): TableState {
  const { schema, name, oid } = table.shape.table;
  if (schema === relation.schema && name === relation.name) return table;
  const shape = { ...table.shape, table: { oid, schema: relation.schema, name: relation.name } };
  return { ...table, shape, capturedAs: table.capturedAs ?? { schema, name } };
}

/** True if the connector's file sets the events' key. Then a change of the table's own key does not matter. */
function isPinned({ filter }: Rules, { shape, capturedAs, rowKey }: TableState, { table }: Seen): boolean {
  const { schema, name } = capturedAs ?? shape.table;
  const names = table.columns.map((column) => column.name);
  return rowKey !== undefined || filter.keyColumns(schema, name, names) !== undefined;
}

/** The Relation's columns whose attnum is known, with their name and type at this position in the log. */
function sureColumns(input: Seen): readonly SeenColumn[] {
  return input.relation.columns.flatMap((seen, index) => {
    const attnum = input.columns[index];
    return attnum === undefined ? [] : [seenColumn(attnum, seen, input)];
  });
}

function seenColumn(attnum: Attnum, seen: RelationColumn, { table, types }: Seen): SeenColumn {
  const live = table.columns.find((column) => column.attnum === attnum);
  const wire = columnType(seen.typeOid, seen.typmod, types?.get(seen.typeOid));
  const same = live !== undefined && sameColumnType(live.type, wire);
  const type = same ? live.type : wire;
  if (live !== undefined) {
    const typeName = same ? live.typeName : `type ${seen.typeOid}`;
    return { column: { ...live, name: seen.name, type, typeName }, gone: false };
  }
  return { column: goneColumn(attnum, seen.name, type), gone: true };
}

function goneColumn(attnum: Attnum, name: string, type: ColumnType): Column {
  const unknown = { typeName: "dropped", notNull: false, defaultExpr: undefined, identity: false, generated: false };
  return { attnum, name, type, ...unknown };
}

function knownOf({ column: { attnum, name, type } }: SeenColumn): KnownColumn {
  return { attnum, name, type };
}

/** True if some field's column cannot be identified. Such a field is null in the events. */
function hasUnsureField({ shape, known }: TableState, sure: readonly SeenColumn[]): boolean {
  const unsure = known.filter((one) => !sure.some(({ column }) => column.attnum === one.attnum));
  return shape.fields.some((field) => unsure.some((one) => one.attnum === field.attnum));
}

/** A definition that has not changed is known to be the same since the earliest of the positions. */
function definitionsAt(before: TableState["defined"], { table, tableAt }: Seen): TableState["defined"] {
  if (tableAt === undefined || table.columns.length === 0) return before;
  const now = table.columns.flatMap(({ attnum, version }) => {
    if (version === undefined) return [];
    const known = before?.[String(attnum)];
    const isKnown = known?.version === version && (parseLsn(known.since) ?? 0n) <= tableAt;
    return [[String(attnum), isKnown ? known : { version, since: formatLsn(tableAt) }] as const];
  });
  const isSame =
    now.length === Object.keys(before ?? {}).length && now.every(([attnum, one]) => before?.[attnum] === one);
  return isSame ? before : Object.fromEntries(now);
}

/** The table's own key, if the file sets the events' key. A dropped table keeps the last known one. */
function ownKey({ rowKey }: TableState, { table }: Seen): TableState["rowKey"] {
  if (rowKey === undefined || table.columns.length === 0) return rowKey;
  return rowKey.join() === table.key.join() ? rowKey : table.key;
}

/** Sets the key in whose order chunks are read. Running chunk jobs start over. */
function withRowKey(state: State, topic: string, rowKey: TableState["rowKey"]): State {
  const table = state.tables.get(topic);
  if (table === undefined) return state;
  const ofTopic = [...state.jobs.values()].filter((job) => job.topic === topic && job.state === "running");
  const next = withTable(state, { ...table, rowKey });
  return ofTopic.reduce((now, job) => withJob(now, startOver(job)), next);
}

/** Updates the types of fields whose column's type differs in the log but not in Avro, such as varchar(10) and text. */
function withTypes(rules: Rules, { shape }: TableState, sure: readonly SeenColumn[]): TableState["shape"] {
  const fields = shape.fields.map((field) => retyped(rules, field, sure));
  const key = shape.key.map((field) => retyped(rules, field, sure));
  const same = fields.every((field, index) => field === shape.fields[index]);
  return same ? shape : { ...shape, fields, key };
}

function retyped(rules: Rules, field: Field, sure: readonly SeenColumn[]): Field {
  const column = sure.find((one) => one.column.attnum === field.attnum)?.column;
  if (column === undefined || sameColumnType(column.type, field.type)) return field;
  const mapped = fieldOf(column, rules.modes);
  const same = mapped.kind === "field" && isSameType(mapped.field.avro.type, field.avro.type);
  return same ? { ...field, type: column.type } : field;
}

/** The catalog's table in the form of a Relation, for a catalog read at a mark or a DDL message. */
export function relationOf(table: Table): Pick<Seen, "relation" | "columns" | "table" | "assigned"> {
  const logged = table.columns.filter((column) => !column.generated);
  const columns = logged.map(({ attnum, name, type }) => ({
    name,
    typeOid: type.oid,
    typmod: type.typmod,
    key: table.identified.includes(attnum),
  }));
  const { oid, schema, name, replicaIdentity: identity } = table;
  return {
    relation: { kind: "relation", oid, schema, name, identity, columns },
    columns: logged.map(({ attnum }) => attnum),
    table,
    assigned: table.maxAttnum,
  };
}
