import { nearestName } from "../mistake.ts";
import { contractsOf } from "../gate/evidence/readers.ts";
import type { Rules, State } from "../gate/state.ts";
import type { DdlStep, TableName } from "./ddl-step.ts";
import { below, type Draft, type DraftTable, find, type Found, isPartOfCaptured, type OtherRelation } from "./draft.ts";
import { type MakeNote, type Note, noteOf } from "./note.ts";
import { dropColumn, mark } from "./apply-column.ts";
import { usesType } from "./type.ts";

/** Applies the steps that create, rename, move and drop tables, schemas and indexes. */

export type TableStep = Extract<
  DdlStep,
  {
    readonly kind:
      | "rename-table"
      | "move-table"
      | "create-table"
      | "drop-table"
      | "attach"
      | "detach"
      | "drop-index"
      | "rename-index"
      | "drop-schema"
      | "rename-schema";
  }
>;

export function applyTableStep(draft: Draft, step: TableStep, note: MakeNote): readonly Note[] {
  switch (step.kind) {
    case "create-table":
      return create(draft, step, note);
    case "drop-index":
    case "rename-index":
      return changeIndex(draft, step);
    case "drop-schema":
      return dropSchema(draft, step);
    case "rename-schema":
      for (const one of [...draft.tables, ...draft.others])
        if (one.schema === step.schema) move(one, step, { schema: step.to });
      return [];
    case "rename-table":
    case "move-table":
    case "drop-table":
    case "attach":
    case "detach":
      return onTable(draft, step, note);
    default:
      return step satisfies never;
  }
}

type OnTable = Extract<
  TableStep,
  { readonly kind: "rename-table" | "move-table" | "drop-table" | "attach" | "detach" }
>;

function onTable(draft: Draft, step: OnTable, note: MakeNote): readonly Note[] {
  const found = find(draft, step.table);
  if (found.kind === "several" || found.kind === "none") {
    const lenient = step.kind === "drop-table" && step.ifThere;
    if (found.kind === "none") arriveUnseen(draft, step);
    return lenient && found.kind === "none" ? [] : notFound(draft, step.table, found, note);
  }
  const one = found.kind === "captured" ? found.table : found.other;
  switch (step.kind) {
    case "rename-table":
      return move(one, step, { name: step.to });
    case "move-table":
      return move(one, step, { schema: step.schema });
    case "drop-table":
      drop(one, step);
      below(draft, found, step.table).forEach((table) => drop(table, step));
      return isPartOfCaptured(draft, one) && found.kind === "other"
        ? note("this is a partition of a captured table: its rows are gone, without an event", { kind: "fine" })
        : [];
    case "attach":
      return found.kind === "captured"
        ? note("the rows that the partition already has are published once Fieldgate has read the table again", {
            kind: "fine",
          })
        : [];
    case "detach":
      return found.kind === "captured"
        ? note("changes of the detached partition are no longer published", { kind: "fine" })
        : [];
    default:
      return step satisfies never;
  }
}

/** A table that is not known here may still take a captured table's name. */
function arriveUnseen({ others, catalog }: Draft, step: OnTable): void {
  if (catalog !== undefined && step.table.ifThere === true) return;
  const { schema = step.table.path?.[0] ?? "public", name } = step.table;
  const place = { schema, name, oid: undefined, ancestors: [], arrived: step, dropped: false };
  if (step.kind === "rename-table") others.push({ ...place, name: step.to });
  if (step.kind === "move-table") others.push({ ...place, schema: step.schema });
}

/** The notes for a name that the database does not have, or that may mean several tables. */
export function notFound(
  { catalog, tables, others }: Draft,
  table: TableName,
  { kind }: Extract<Found, { readonly kind: "several" | "none" }>,
  note: MakeNote,
): readonly Note[] {
  if (kind === "several") return note("several tables of the database have this name: qualify it, as in schema.table");
  // Without the catalog only captured tables are known, and a name that none of them has is not captured.
  if (catalog === undefined || table.ifThere === true) return [];
  const known = [...tables, ...others].map(({ schema, name }) =>
    table.schema === undefined ? name : `${schema}.${name}`,
  );
  const name = table.schema === undefined ? table.name : `${table.schema}.${table.name}`;
  const nearest = nearestName(
    name.toLowerCase(),
    known.map((one) => one.toLowerCase()),
  );
  const meant = known.find((one) => one.toLowerCase() === nearest);
  return note(`there is no such table${meant === undefined ? "" : `; did you mean ${meant}?`}`, { missing: true });
}

function move(
  one: DraftTable | OtherRelation,
  step: DdlStep,
  to: { readonly schema?: string; readonly name?: string },
): readonly Note[] {
  Object.assign(one, to);
  if ("before" in one) one.moved = step;
  else one.arrived = step;
  return [];
}

function drop(one: DraftTable | OtherRelation, step: DdlStep): void {
  if ("before" in one) one.dropped = step;
  else one.dropped = true;
}

function create(draft: Draft, step: Extract<TableStep, { kind: "create-table" }>, note: MakeNote): readonly Note[] {
  const { table, parent, unlessThere } = step;
  const schema = table.schema ?? table.path?.[0] ?? "public";
  const found = find(draft, { schema, name: table.name });
  if (found.kind !== "none") {
    return unlessThere === true || found.kind !== "captured"
      ? []
      : note("there is a captured table of this name already");
  }
  const above = parent === undefined ? undefined : find(draft, parent);
  const ancestors = above?.kind === "captured" ? [Number(above.table.base.oid)] : [];
  draft.others.push({ schema, name: table.name, oid: undefined, ancestors, arrived: step, dropped: false });
  return [];
}

function changeIndex(draft: Draft, step: Extract<TableStep, { kind: "drop-index" | "rename-index" }>): readonly Note[] {
  const { schema, name } = step.index;
  for (const table of draft.tables) {
    const isHere = schema === undefined || schema === table.schema;
    if (!isHere || !table.indexes.some((index) => index.name === name)) continue;
    mark(table, "key", step);
    table.indexes =
      step.kind === "drop-index"
        ? table.indexes.filter((index) => index.name !== name)
        : table.indexes.map((index) => (index.name === name ? { ...index, name: step.to } : index));
  }
  return [];
}

/** DROP SCHEMA … CASCADE drops its tables, and the columns whose types it has. */
function dropSchema(draft: Draft, step: Extract<TableStep, { kind: "drop-schema" }>): readonly Note[] {
  for (const one of [...draft.tables, ...draft.others]) if (one.schema === step.schema) drop(one, step);
  const gone = draft.types.filter(({ schema }) => schema === step.schema);
  draft.types = draft.types.filter((type) => !gone.includes(type));
  for (const table of draft.tables) {
    const columns = table.columns.filter(({ type }) => gone.some((one) => usesType(type, one.type.oid)));
    columns.forEach((column) => dropColumn(table, column, step));
  }
  const isSure = draft.catalog !== undefined && draft.types.every(({ schema }) => schema !== undefined);
  return isSure ? [] : noteOf(step)(`a column may have a type of the schema ${step.schema}`);
}

/** What has become of the captured tables and their names, once all steps are applied. */
export function tableNotes(rules: Rules, state: State, draft: Draft): readonly Note[] {
  const gone = draft.tables.flatMap((table) => {
    const { before, name, schema, base, moved, dropped } = table;
    const { topic } = before.shape;
    if (dropped !== undefined) return noteOf(dropped)(droppedText(state, topic), { stops: true });
    if (moved === undefined || (name === base.name && schema === base.schema)) return [];
    const had = draft.tables.find((other) => other !== table && hadName(other, { schema, name }));
    if (had !== undefined) {
      const other = had.before.shape.topic;
      return noteOf(moved)(
        `the table takes the name under which ${other} is captured, but its events stay on ${topic}: readers of ${other} do not get its rows`,
        { stops: true },
      );
    }
    return noteOf(moved)(`the table is still captured under its old name, and its events stay on ${topic}`, {
      kind: "fine",
    });
  });
  const fresh = draft.others.flatMap((other) => arrived(rules, draft, other));
  return [...gone, ...fresh, ...draft.tables.flatMap(generatedNotes)];
}

function droppedText(state: State, topic: string): string {
  const readers = [...new Set(contractsOf(state, topic).map(({ consumer }) => consumer))];
  const lost = `the table is dropped: its topic ${topic} gets no more events`;
  return readers.length === 0
    ? lost
    : `${lost}, and ${readers.join(", ")} ${readers.length === 1 ? "reads" : "read"} it`;
}

/** Columns that are in no event after the migration because they are generated. */
function generatedNotes({ base, columns, steps, dropped }: DraftTable): readonly Note[] {
  if (dropped !== undefined) return [];
  const before = base.columns.filter(({ generated }) => generated).map(({ attnum }) => attnum);
  return columns.flatMap(({ attnum, name, generated }) => {
    const step = steps.get(attnum)?.at(-1);
    if (!generated || before.includes(attnum) || step === undefined) return [];
    const message = `column ${name} is generated and therefore in no event, because the log has no generated values`;
    return noteOf(step)(message, { kind: "fine" });
  });
}

/** Whether the table had this name before the migration, or has it in the connector's file. */
function hadName({ before, base }: DraftTable, { schema, name }: { readonly schema: string; readonly name: string }) {
  return [before.shape.table, before.capturedAs, base].some((one) => one?.schema === schema && one.name === name);
}

function arrived(rules: Rules, draft: Draft, other: OtherRelation): readonly Note[] {
  const { arrived: step, schema, name, dropped } = other;
  if (step === undefined || dropped) return [];
  const had = draft.tables.find((table) => hadName(table, { schema, name }));
  if (had !== undefined) {
    const { topic } = had.before.shape;
    const what = step.kind === "create-table" ? "a new table" : "another table";
    return noteOf(step)(
      `${what} takes the name under which ${topic} is captured: none of its rows are published until an operator releases it`,
      { stops: true },
    );
  }
  if (isPartOfCaptured(draft, other) || !rules.filter.table(schema, name)) return [];
  return noteOf(step)("a new table that the connector captures: its topic starts when the connector sees the table", {
    kind: "fine",
  });
}
