import type { Attnum, Column } from "../table/column.ts";
import { storedDefault } from "./constant.ts";
import type { DdlStep } from "./ddl-step.ts";
import { type Draft, type DraftTable, nextAttnum } from "./draft.ts";
import type { MakeNote, Note } from "./note.ts";
import { columnTypeOf, typeText } from "./type.ts";

/** Applies the steps that change one captured table's columns, indexes and constraints. */

type Of<Kind extends DdlStep["kind"]> = Extract<DdlStep, { kind: Kind }>;

export type ColumnStep = Of<
  | "add"
  | "drop"
  | "rename"
  | "retype"
  | "null"
  | "default"
  | "identity"
  | "not-generated"
  | "key"
  | "unique"
  | "constraint"
  | "drop-constraint"
  | "rename-constraint"
  | "replica-identity"
>;

export function applyColumnStep(draft: Draft, table: DraftTable, step: ColumnStep, note: MakeNote): readonly Note[] {
  switch (step.kind) {
    case "add":
      return add(draft, table, step, note);
    case "drop":
      return withColumn(table, step.column, step.ifThere, note, (column) => dropColumn(table, column, step));
    case "retype": {
      const type = columnTypeOf(step.type, draft.types);
      if (type === undefined) return unknownType(draft, step.column, step.type, note);
      return edit(table, step, note, { type, typeName: typeText(step.type) });
    }
    case "rename":
      return edit(table, step, note, { name: step.to });
    case "null":
      return edit(table, step, note, { notNull: step.notNull });
    case "default":
      return withColumn(table, step.column, false, note, (column) => {
        const stored = defaultOf(draft, column, step.defaultExpr, note);
        return [...edit(table, step, note, { defaultExpr: stored.text }), ...stored.notes];
      });
    case "identity":
      return edit(table, step, note, { identity: step.identity, ...(step.identity ? { defaultExpr: undefined } : {}) });
    case "not-generated":
      return edit(table, step, note, { generated: false });
    case "key":
      return setKey(table, step, note);
    case "unique":
      return addUnique(table, step, note);
    case "constraint":
      table.constraints = [...table.constraints, { name: step.name, notNull: [] }];
      return [];
    case "drop-constraint":
      return dropConstraint(draft, table, step, note);
    case "rename-constraint":
      table.indexes = table.indexes.map((one) => (one.name === step.name ? { ...one, name: step.to } : one));
      table.constraints = table.constraints.map((one) => (one.name === step.name ? { ...one, name: step.to } : one));
      return mark(table, "key", step);
    case "replica-identity":
      return setIdentity(table, step, note);
    default:
      return step satisfies never;
  }
}

/** Notes which step changed a column or the key. */
export function mark(table: DraftTable, of: Attnum | "key", step: DdlStep): readonly Note[] {
  table.steps.set(of, [...(table.steps.get(of) ?? []), step]);
  return [];
}

function withColumn(
  table: DraftTable,
  name: string,
  lenient: boolean,
  note: MakeNote,
  act: (column: Column) => readonly Note[],
): readonly Note[] {
  const column = table.columns.find((one) => one.name === name);
  if (column !== undefined) return act(column);
  return lenient ? [] : note(`the table has no column ${name}`);
}

function edit(
  table: DraftTable,
  step: ColumnStep & { readonly column: string },
  note: MakeNote,
  change: Partial<Column>,
): readonly Note[] {
  return withColumn(table, step.column, false, note, (column) => {
    table.columns = table.columns.map((one) => (one === column ? { ...one, ...change } : one));
    mark(table, column.attnum, step);
    if (change.notNull !== undefined) mark(table, "key", step);
    const moves = change.name !== undefined || change.type !== undefined;
    return moves && table.base.key.includes(column.attnum)
      ? note(
          `${step.column} is a key column: once the field is released, the events' key changes too, and waits for an operator`,
          { kind: "fine" },
        )
      : [];
  });
}

/** With a column go the indexes that contain it. */
export function dropColumn(table: DraftTable, column: Column, step: DdlStep): readonly Note[] {
  table.columns = table.columns.filter((one) => one !== column);
  table.indexes = table.indexes.filter((index) => !index.columns.includes(column.attnum));
  mark(table, "key", step);
  return mark(table, column.attnum, step);
}

function add(draft: Draft, table: DraftTable, step: Of<"add">, note: MakeNote): readonly Note[] {
  const { column, unlessThere } = step;
  if (table.columns.some(({ name }) => name === column.name)) {
    return unlessThere ? [] : note(`the table already has a column ${column.name}`);
  }
  const type = columnTypeOf(column.type, draft.types);
  if (type === undefined) return unknownType(draft, column.name, column.type, note);
  const at = nextAttnum(table);
  const { name, notNull, defaultExpr, identity, generated } = column;
  const made: Column = {
    attnum: at,
    name,
    type,
    typeName: typeText(column.type),
    notNull,
    defaultExpr: undefined,
    identity,
    generated,
  };
  const stored = generated ? { text: undefined, notes: [] } : defaultOf(draft, made, defaultExpr, note);
  table.columns = [...table.columns, { ...made, defaultExpr: stored.text }];
  mark(table, at, step);
  if (column.key) setKey(table, { ...step, kind: "key", columns: [name], name: undefined, index: undefined }, note);
  return stored.notes;
}

type NamedTypeText = Parameters<typeof typeText>[0];

function unknownType({ catalog }: Draft, column: string, type: NamedTypeText, note: MakeNote): readonly Note[] {
  return catalog === undefined
    ? note(`column ${column}: no captured column has the type ${typeText(type)} yet`)
    : note(`column ${column}: there is no type ${typeText(type)}`, { missing: true });
}

/** The default as PostgreSQL would store it. */
function defaultOf(
  { asks, constants }: Draft,
  { name, type }: Column,
  expression: string | undefined,
  note: MakeNote,
): { readonly text: string | undefined; readonly notes: readonly Note[] } {
  const stored = storedDefault(type, expression, constants);
  switch (stored.kind) {
    case "known":
      return { text: stored.text, notes: [] };
    case "asks":
      asks.push(stored.literal);
      return {
        text: stored.text,
        notes: note(`column ${name}: how PostgreSQL stores the default is not known, as the database was not asked`),
      };
    case "rejected":
      return { text: undefined, notes: note(`column ${name}: the default is not a value of its type`) };
    case "then":
      return { text: undefined, notes: note(`column ${name}: the default is the time at which the migration runs`) };
    default:
      return stored satisfies never;
  }
}

function setKey(table: DraftTable, step: Of<"key">, note: MakeNote): readonly Note[] {
  const index = step.index === undefined ? undefined : table.indexes.find(({ name }) => name === step.index);
  if (step.index !== undefined && index === undefined) return note(`the table has no index ${step.index}`);
  const found =
    index === undefined
      ? step.columns.flatMap((name) => table.columns.filter((column) => column.name === name))
      : index.columns.flatMap((at) => table.columns.filter((column) => column.attnum === at));
  if (index === undefined && found.length !== step.columns.length)
    return note(`not all columns of the key exist: ${step.columns.join(", ")}`);
  const columns = found.map((column) => column.attnum);
  const name = step.name ?? step.index ?? `${table.name}_pkey`;
  const key = { name, columns, usable: true, primary: true, identifies: index?.identifies === true };
  // The migration would fail if the table still had a different primary key here.
  table.indexes = [...table.indexes.filter((one) => one !== index && !one.primary), key];
  table.columns = table.columns.map((column) => (found.includes(column) ? { ...column, notNull: true } : column));
  found.forEach((column) => mark(table, column.attnum, step));
  return mark(table, "key", step);
}

function addUnique(table: DraftTable, step: Of<"unique">, note: MakeNote): readonly Note[] {
  const name = step.name ?? `${table.name}_${step.columns.join("_")}_key`;
  if (step.unlessThere && table.indexes.some((index) => index.name === name)) return [];
  const found = step.columns.flatMap((column) => table.columns.filter((one) => one.name === column));
  if (found.length !== step.columns.length)
    return note(`not all columns of the index exist: ${step.columns.join(", ")}`);
  const columns = found.map((column) => column.attnum);
  table.indexes = [...table.indexes, { name, columns, usable: step.usable, primary: false, identifies: false }];
  return mark(table, "key", step);
}

function dropConstraint(
  { catalog }: Draft,
  table: DraftTable,
  step: Of<"drop-constraint">,
  note: MakeNote,
): readonly Note[] {
  const index = table.indexes.find(({ name }) => name === step.name);
  const named = table.constraints.find(({ name }) => name === step.name);
  // The name may be the one that PostgreSQL has given to a constraint of this migration.
  const constraint =
    named ?? (index === undefined ? table.constraints.find(({ name }) => name === undefined) : undefined);
  table.indexes = table.indexes.filter((one) => one !== index);
  table.constraints = table.constraints.filter((one) => one !== constraint);
  for (const at of constraint?.notNull ?? []) {
    table.columns = table.columns.map((column) => (column.attnum === at ? { ...column, notNull: false } : column));
    mark(table, at, step);
  }
  if (index !== undefined || constraint !== undefined) return mark(table, "key", step);
  if (step.ifThere && catalog !== undefined) return [];
  return catalog === undefined
    ? note(`DROP CONSTRAINT ${step.name} changes the events' key if it is the primary key`)
    : note(`the table has no constraint ${step.name}`);
}

function setIdentity(table: DraftTable, step: Of<"replica-identity">, note: MakeNote): readonly Note[] {
  const { identity, index } = step;
  if (identity === "index" && !table.indexes.some(({ name }) => name === index))
    return note(`the table has no index ${index ?? ""}`);
  table.replicaIdentity = identity;
  table.indexes = table.indexes.map((one) => ({ ...one, identifies: identity === "index" && one.name === index }));
  mark(table, "key", step);
  return identity === "nothing"
    ? note("with REPLICA IDENTITY NOTHING, PostgreSQL refuses every UPDATE and DELETE of a published table")
    : [];
}
