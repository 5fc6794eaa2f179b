import { type Difference, differences, type SeenColumn } from "../gate/amendment/differ.ts";
import type { Amendment } from "../gate/amendment/amendment.ts";
import type { Rules, State, TableState, When } from "../gate/state.ts";
import { attnum, type Attnum, type Column, type ColumnType } from "../table/column.ts";
import type { DdlStep, TableName, TypeName } from "./ddl-step.ts";
import { columnTypeOf } from "./type.ts";
import { newAmendment } from "../gate/amendment/revise.ts";

/**
 * Predicts what a migration would change in the events. Each captured table is copied into a draft, and the steps are
 * applied to the drafts. The differences between a draft and what is published now become amendments, created by the
 * same code that creates them from the log. Nothing is executed. Whatever cannot be decided here becomes a note;
 * nothing is silently ignored.
 */

/** Something that cannot be judged here, or that a person should know, with its line and table. */
export interface Note {
  readonly line: number;
  readonly table: string | undefined;
  readonly message: string;
  /** `unknown`: the effect on the events is unknown. `fine`: for information only. */
  readonly kind: "unknown" | "fine";
}

/** A table after the migration, with its amendments. `fresh` are the amendments that the migration itself causes. */
export interface PlannedTable {
  readonly table: TableState;
  readonly fresh: readonly { readonly amendment: Amendment; readonly lines: readonly number[] }[];
}

export interface Applied {
  readonly tables: readonly PlannedTable[];
  readonly notes: readonly Note[];
}

/** A copy of a captured table, to which the statements are applied. */
interface Draft {
  readonly before: TableState;
  schema: string;
  name: string;
  columns: Column[];
  next: number;
  key: readonly Attnum[];
  /** The lines that changed a column or the key. */
  readonly lines: Map<Attnum | "key", number[]>;
  dropped: boolean;
}

/**
 * Applies the steps to what the connector publishes, and returns each table's net difference, as the log would show it
 * after the migration. Assumes that the migration succeeds; a step that PostgreSQL would reject becomes a note.
 */
export function applyDdlSteps(rules: Rules, state: State, steps: readonly DdlStep[], when: When): Applied {
  const drafts = [...state.tables.values()].map(draftOf);
  const known = drafts.flatMap(({ columns }) => columns.map(({ type }) => type));
  const notes = steps.flatMap((step) => applyStep(rules, drafts, known, step));
  const changed = drafts.filter(({ lines }) => lines.size > 0);
  return { tables: changed.map((draft) => planned(rules, draft, when)), notes };
}

function draftOf(table: TableState): Draft {
  const { schema, name } = table.shape.table;
  const columns = columnsOf(table);
  const used = [...columns.map((column) => column.attnum), ...table.shape.fields.map((field) => field.attnum)];
  const key = table.rowKey ?? table.shape.key.map((field) => field.attnum);
  return {
    before: table,
    schema,
    name,
    columns,
    next: Math.max(0, ...used) + 1,
    key,
    lines: new Map(),
    dropped: false,
  };
}

/** The table's current columns: those that flow, and those that are withheld. */
function columnsOf({ known, shape, amendments }: TableState): Column[] {
  const all = new Map<Attnum, Column>();
  for (const { attnum: at, name, type } of known) {
    const field = shape.fields.findLast((one) => one.attnum === at);
    const notNull = field?.made?.notNull ?? (field !== undefined && !field.optional);
    const defaultExpr = field?.made?.defaultExpr;
    all.set(at, { attnum: at, name, type, typeName: "", notNull, defaultExpr, identity: false, generated: false });
  }
  for (const { attnum: at, column, kind, gone, gate } of amendments) {
    if (at === undefined || gate.kind === "released") continue;
    if (kind === "dropped" || gone) all.delete(at);
    else if (column !== undefined) all.set(at, column);
  }
  return [...all.values()].toSorted((left, right) => left.attnum - right.attnum);
}

function applyStep(
  rules: Rules,
  drafts: readonly Draft[],
  known: readonly ColumnType[],
  step: DdlStep,
): readonly Note[] {
  const { line } = step;
  if (step.kind === "unread") {
    if (step.table !== undefined && find(drafts, step.table) === undefined) return [];
    return [{ line, table: step.table && written(step.table), message: `not analysed: ${step.what}`, kind: "unknown" }];
  }
  const note = (message: string, kind: Note["kind"] = "unknown"): readonly Note[] => [
    { line, table: written(step.table), message, kind },
  ];
  const draft = find(drafts, step.table);
  if (step.kind === "create-table") return created(rules, step.table, drafts, draft, note);
  if (draft === "several") return note("several captured tables have this name: qualify it, as in schema.table");
  if (draft === undefined) return [];
  switch (step.kind) {
    case "add":
      return add(draft, known, step, note);
    case "drop":
      return withColumn(draft, step.column, step.ifThere, note, (column) => {
        draft.columns = draft.columns.filter((one) => one !== column);
        if (draft.key.includes(column.attnum)) {
          draft.key = [];
          mark(draft, "key", line);
        }
        return mark(draft, column.attnum, line);
      });
    case "retype": {
      const type = columnTypeOf(step.type, known);
      if (type === undefined)
        return note(`column ${step.column}: no captured column has the type ${typeText(step.type)} yet`);
      return edit(draft, step.column, line, note, { type, typeName: typeText(step.type) });
    }
    case "rename":
      return edit(draft, step.column, line, note, { name: step.to });
    case "null":
      return edit(draft, step.column, line, note, { notNull: step.notNull });
    case "default":
      return edit(draft, step.column, line, note, { defaultExpr: step.defaultExpr });
    case "key":
      return setKey(draft, step.columns, line, note);
    case "drop-table":
      draft.dropped = true;
      return note(`the table is dropped: its topic ${draft.before.shape.topic} gets no more events`);
    case "rename-table":
      draft.name = step.to;
      return movedNote(draft, note);
    case "move-table":
      draft.schema = step.schema;
      return movedNote(draft, note);
    default:
      return step satisfies never;
  }
}

type MakeNote = (message: string, kind?: Note["kind"]) => readonly Note[];

function movedNote({ before }: Draft, note: MakeNote): readonly Note[] {
  return note(`the table is still captured under its old name, and its events stay on ${before.shape.topic}`, "fine");
}

function find(drafts: readonly Draft[], { schema, name }: TableName): Draft | "several" | undefined {
  const called = drafts.filter((draft) => !draft.dropped && draft.name === name);
  const fits = schema === undefined ? called : called.filter((draft) => draft.schema === schema);
  return fits.length > 1 ? "several" : fits[0];
}

function written({ schema, name }: TableName): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

function created(
  rules: Rules,
  { schema = "public", name }: TableName,
  drafts: readonly Draft[],
  draft: unknown,
  note: MakeNote,
): readonly Note[] {
  if (draft !== undefined) return [];
  const had = drafts.find(({ before }) =>
    [before.shape.table, before.capturedAs].some((one) => one?.schema === schema && one.name === name),
  );
  if (had !== undefined) {
    const { topic } = had.before.shape;
    return note(
      `a new table takes the name under which ${topic} is captured: none of its rows are published until an operator releases it`,
    );
  }
  if (!rules.filter.table(schema, name)) return [];
  return note("a new table that the connector captures: its topic starts when the connector sees the table", "fine");
}

function mark(draft: Draft, of: Attnum | "key", line: number): readonly Note[] {
  draft.lines.set(of, [...(draft.lines.get(of) ?? []), line]);
  return [];
}

function withColumn(
  draft: Draft,
  name: string,
  lenient: boolean,
  note: MakeNote,
  act: (column: Column) => readonly Note[],
): readonly Note[] {
  const column = draft.columns.find((one) => one.name === name);
  if (column !== undefined) return act(column);
  return lenient ? [] : note(`the table has no column ${name}`);
}

function edit(draft: Draft, name: string, line: number, note: MakeNote, change: Partial<Column>): readonly Note[] {
  return withColumn(draft, name, false, note, (column) => {
    draft.columns = draft.columns.map((one) => (one === column ? { ...one, ...change } : one));
    mark(draft, column.attnum, line);
    const moves = change.name !== undefined || change.type !== undefined;
    return moves && draft.key.includes(column.attnum)
      ? note(`${name} is a key column: this also changes the key of the events`)
      : [];
  });
}

function add(
  draft: Draft,
  known: readonly ColumnType[],
  { column, line, unlessThere }: Extract<DdlStep, { kind: "add" }>,
  note: MakeNote,
): readonly Note[] {
  if (draft.columns.some(({ name }) => name === column.name)) {
    return unlessThere ? [] : note(`the table already has a column ${column.name}`);
  }
  const type = columnTypeOf(column.type, known);
  if (type === undefined)
    return note(`column ${column.name}: no captured column has the type ${typeText(column.type)} yet`);
  const at = attnum(draft.next++);
  const { name, notNull, defaultExpr, identity, generated } = column;
  const typeName = typeText(column.type);
  draft.columns.push({ attnum: at, name, type, typeName, notNull, defaultExpr, identity, generated });
  mark(draft, at, line);
  return column.key ? setKey(draft, [column.name], line, note) : [];
}

function setKey(draft: Draft, names: readonly string[], line: number, note: MakeNote): readonly Note[] {
  const found = names.flatMap((name) => draft.columns.filter((column) => column.name === name));
  if (found.length !== names.length) return note(`not all columns of the key exist: ${names.join(", ")}`);
  draft.key = found.map((column) => column.attnum);
  draft.columns = draft.columns.map((column) => (found.includes(column) ? { ...column, notNull: true } : column));
  found.forEach((column) => mark(draft, column.attnum, line));
  return mark(draft, "key", line);
}

function planned(rules: Rules, draft: Draft, when: When): PlannedTable {
  const { before } = draft;
  const now = differences(rules, before, draft.columns.map(live), true);
  const old = new Set(differences(rules, before, columnsOf(before).map(live), true).map(same));
  const keyed = isPinned(rules, draft) ? undefined : keyOf(before, draft);
  const all = keyed === undefined ? now : [...now, keyed];
  const waiting = new Map(before.amendments.map((one) => [one.id, one]));
  const amendments = all.map((difference) => {
    const made = newAmendment(before.shape.topic, difference, when);
    const kept = old.has(same(difference)) ? waiting.get(made.id) : undefined;
    return { amendment: kept ?? made, fresh: !old.has(same(difference)), of: difference.attnum ?? ("key" as const) };
  });
  return {
    table: { ...before, amendments: amendments.map(({ amendment }) => amendment) },
    fresh: amendments
      .filter(({ fresh }) => fresh)
      .map(({ amendment, of }) => ({ amendment, lines: [...new Set(draft.lines.get(of) ?? [])] })),
  };
}

function live(column: Column): SeenColumn {
  return { column, gone: false };
}

function same(difference: Difference): string {
  return JSON.stringify(difference);
}

/** True if the connector's file determines the key columns (message.key.columns). */
function isPinned({ filter }: Rules, { before, columns }: Draft): boolean {
  const { schema, name } = before.capturedAs ?? before.shape.table;
  const names = columns.map((column) => column.name);
  return filter.keyColumns(schema, name, names) !== undefined;
}

function keyOf({ shape }: TableState, { key, lines }: Draft): Difference | undefined {
  if (!lines.has("key") || key.join() === shape.key.map((field) => field.attnum).join()) return undefined;
  const none = { attnum: undefined, column: undefined, changes: [], gone: false, unmapped: undefined } as const;
  return { kind: "key", name: "key", key, ...none };
}

/** The type as people write it, e.g. `numeric(10,2)`. */
function typeText({ name, modifiers, array }: TypeName): string {
  return `${name}${modifiers.length === 0 ? "" : `(${modifiers.join(",")})`}${array ? "[]" : ""}`;
}
