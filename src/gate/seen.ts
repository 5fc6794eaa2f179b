import { fieldOf } from "../event/field.ts";
import type { Attnum, Column, Table } from "../table/column.ts";
import type { KnownColumn } from "../table/prove.ts";
import type { Relation, RelationColumn } from "../wal/message.ts";
import { type Amendment, amendmentId, type Told } from "./amendment.ts";
import { settle } from "./settle.ts";
import type { Effect, Input, Rules, State, Step, TableState, When } from "./state.ts";
import { andThen, findAmendment, step, withAmendment, withheldOf, withTable } from "./update.ts";
import { cannotWithhold } from "./unsupported.ts";

type Seen = Extract<Input, { kind: "seen" }>;

/** A Relation's column whose identity is known. */
interface SureColumn {
  readonly attnum: Attnum;
  readonly seen: RelationColumn;
}

/** The first row that uses a new Relation: columns the shape has not are amendments, withheld until judged. */
export function onSeen(rules: Rules, state: State, input: Seen, when: When): Step {
  const table = state.tables.get(input.topic);
  if (table === undefined) return step(state);
  const error = cannotWithhold(table, input);
  if (error !== undefined) return step(state, { kind: "stop", error });
  const sure = sureColumns(input.relation, input.columns);
  const proven = sure.length === input.columns.length;
  const amendments = revise(table, sure, input.table, proven, when);
  const known = proven ? sure.map(knownOf) : table.known;
  const next = withTable(state, { ...table, known, amendments });
  return amendments.reduce((before, { id }) => andThen(before, (now) => ask(rules, now, id)), step(next));
}

/** Rows go on without what is withheld: its values are missing in events from here. */
export function onPassed(state: State, topic: string, doubt: boolean): Step {
  const table = state.tables.get(topic);
  if (table === undefined) return step(state);
  if (table.doubt === doubt && withheldOf(table).every((amendment) => amendment.missed)) return step(state);
  const amendments = table.amendments.map((amendment) =>
    amendment.gate.kind === "withheld" ? { ...amendment, missed: true } : amendment,
  );
  return step(withTable(state, { ...table, amendments, doubt }));
}

/** Recorded once people were really told, so that a restart repeats nothing. */
export function onTold(state: State, { id, text, time, reminders }: Told): Step {
  const found = findAmendment(state, id);
  if (found === undefined) return step(state);
  return step(withAmendment(state, { ...found.amendment, told: text, toldAt: time, reminders }));
}

/** A new amendment for a column that nobody has seen yet. */
export function newAmendment(topic: string, column: Column, gone: boolean, when: When): Amendment {
  const mapped = fieldOf(column);
  return {
    id: amendmentId(topic, column.attnum),
    topic,
    kind: "added",
    attnum: column.attnum,
    column,
    gone,
    unmapped: mapped.kind === "left-out" ? mapped.finding : undefined,
    answer: undefined,
    notTaken: undefined,
    verdicts: [],
    order: undefined,
    gate: { kind: "withheld", since: when.position, time: when.time, why: "not judged yet" },
    missed: false,
    told: undefined,
  };
}

/** After a restart nothing is taken for granted: what the registry said may be another today. */
export function onAsk(rules: Rules, state: State, id: string): Step {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  return ask(rules, withAmendment(state, { ...found.amendment, answer: undefined, notTaken: undefined }), id);
}

function ask(rules: Rules, state: State, id: string): Step {
  const effect: Effect = { kind: "judge", id };
  return andThen(settle(rules, state, id), (next) => {
    const amendment = findAmendment(next, id)?.amendment;
    const open = amendment?.gate.kind === "withheld" && amendment.answer === undefined;
    return open && !amendment.gone && !amendment.unmapped ? step(next, effect) : step(next);
  });
}

function sureColumns(relation: Relation, columns: readonly (Attnum | undefined)[]): readonly SureColumn[] {
  return relation.columns.flatMap((seen, index) => {
    const column = columns[index];
    return column === undefined ? [] : [{ attnum: column, seen }];
  });
}

function knownOf({ attnum, seen }: SureColumn): KnownColumn {
  return { attnum, name: seen.name, type: { oid: seen.typeOid, typmod: seen.typmod } };
}

/** The table's amendments after this Relation. A withheld column that is dropped was never in the shape: it goes. */
function revise(
  table: TableState,
  sure: readonly SureColumn[],
  catalog: Table,
  proven: boolean,
  when: When,
): readonly Amendment[] {
  const there = new Set(sure.map((column) => column.attnum));
  const kept = table.amendments.filter(
    (amendment) => amendment.gate.kind === "released" || !proven || there.has(amendment.attnum),
  );
  const revised = kept.map((amendment) => {
    const seen = sure.find((column) => column.attnum === amendment.attnum);
    return seen === undefined || amendment.gate.kind === "released"
      ? amendment
      : restate(amendment, seen, catalog, when);
  });
  const isNew = ({ attnum }: SureColumn) =>
    !table.known.some((column) => column.attnum === attnum) &&
    !table.shape.fields.some((field) => field.attnum === attnum) &&
    !table.amendments.some((amendment) => amendment.attnum === attnum);
  const added = sure.filter(isNew).map((column) => {
    const live = liveColumn(column, catalog);
    const amendment = newAmendment(table.shape.topic, live ?? goneColumn(column), live === undefined, when);
    return { ...amendment, missed: table.doubt };
  });
  return [...revised, ...added];
}

/** The same amendment when nothing about its column changed, else one to be judged anew. */
function restate(amendment: Amendment, seen: SureColumn, catalog: Table, when: When): Amendment {
  const live = liveColumn(seen, catalog);
  const column = live ?? goneColumn(seen);
  if (JSON.stringify(column) === JSON.stringify(amendment.column) && amendment.gone === (live === undefined)) {
    return amendment;
  }
  const fresh = newAmendment(amendment.topic, column, live === undefined, when);
  // A release was said of the column as it was; a withhold stands.
  const order = amendment.order?.kind === "withhold" ? amendment.order : undefined;
  return { ...fresh, gate: amendment.gate, missed: amendment.missed, order };
}

/** The catalog's column with the name and type it had at this place in the log. */
function liveColumn({ attnum, seen }: SureColumn, catalog: Table): Column | undefined {
  const live = catalog.columns.find((column) => column.attnum === attnum);
  return live && { ...live, name: seen.name, type: { oid: seen.typeOid, typmod: seen.typmod } };
}

function goneColumn({ attnum, seen }: SureColumn): Column {
  const type = { oid: seen.typeOid, typmod: seen.typmod };
  const unknown = { typeName: "dropped", notNull: false, defaultExpr: undefined, identity: false, generated: false };
  return { attnum, name: seen.name, type, ...unknown };
}
