import type { Amendment } from "../gate/amendment/amendment.ts";
import { relationOf } from "../gate/amendment/seen.ts";
import { decide } from "../gate/decide.ts";
import type { Rules, State, TableState, When } from "../gate/state.ts";
import type { Table } from "../table/column.ts";
import { applyColumnStep, type ColumnStep } from "./apply-column.ts";
import { applyTableStep, notFound, tableNotes, type TableStep } from "./apply-table.ts";
import { applyRowStep, type RowStep, securityNotes } from "./apply-rows.ts";
import { addExtensionTypes, applyTypeStep, type TypeStep } from "./apply-type.ts";
import type { Catalog } from "./catalog.ts";
import type { Constants, Literal } from "./constant.ts";
import type { Condition, DdlStep } from "./ddl-step.ts";
import { below, type Draft, draftOf, type DraftTable, find, tableNow } from "./draft.ts";
import { type Note, noteOf } from "./note.ts";
import { namedType } from "./type.ts";

/**
 * Predicts what a migration would change in the events. The captured tables are copied into a draft, and the steps are
 * applied to it. Each changed table is then handed to `decide` as if the connector had seen it, so the amendments are
 * those that the migration would cause. Nothing is executed. Whatever cannot be decided here becomes a note; nothing is
 * silently ignored.
 */

/** A table after the migration, with its amendments. `fresh` are the amendments that the migration itself causes. */
export interface PlannedTable {
  readonly table: TableState;
  readonly fresh: readonly { readonly amendment: Amendment; readonly steps: readonly DdlStep[] }[];
}

export interface Applied {
  readonly tables: readonly PlannedTable[];
  readonly notes: readonly Note[];
  /** Literals whose stored text has to be asked of the server, and then passed as `constants`. */
  readonly asks: readonly Literal[];
}

/** What the database says about the migration's names; nothing if it cannot be asked. */
export interface Facts {
  readonly catalog?: Catalog | undefined;
  readonly constants?: Constants | undefined;
}

/**
 * Applies the steps to what the connector publishes, and returns each table's net difference, as the log would show it
 * after the migration. Assumes that the migration succeeds; a step that PostgreSQL would reject becomes a note.
 */
export function applyDdlSteps(
  rules: Rules,
  state: State,
  steps: readonly DdlStep[],
  when: When,
  { catalog, constants = new Map() }: Facts = {},
): Applied {
  const draft = draftOf(rules, state, catalog, constants);
  const notes = steps.flatMap((step) => applyStep(draft, step));
  const changed = draft.tables.filter((table) => table.steps.size > 0 && table.dropped === undefined);
  return {
    tables: changed.map((table) => planned(rules, state, table, when)),
    notes: [...notes, ...tableNotes(rules, state, draft), ...securityNotes(draft)],
    asks: draft.asks,
  };
}

function applyStep(draft: Draft, step: DdlStep): readonly Note[] {
  const note = noteOf(step);
  const isDue = decided(draft, step);
  if (isDue === undefined) return concerns(draft, step) ? note("not analysed: it depends on an IF") : [];
  if (!isDue) return [];
  switch (step.kind) {
    case "unread":
      return concerns(draft, step) ? note(`not analysed: ${step.what}`) : [];
    case "call": {
      const { schema, name } = step.function;
      const isOwn = (schema === undefined || schema === "pg_catalog") && isOwnFunction(draft, name);
      return isOwn ? [] : note(`not analysed: what the function ${name} does`);
    }
    case "truncate":
    case "row-security":
      return applyRowStep(draft, step satisfies RowStep, note);
    case "create-extension":
      return addExtensionTypes(draft);
    case "create-enum":
    case "create-domain":
    case "create-type":
    case "add-label":
    case "rename-label":
    case "rename-type":
    case "move-type":
    case "drop-type":
      return applyTypeStep(draft, step satisfies TypeStep, note);
    case "rename-table":
    case "move-table":
    case "create-table":
    case "drop-table":
    case "attach":
    case "detach":
    case "drop-index":
    case "rename-index":
    case "drop-schema":
    case "rename-schema":
      return applyTableStep(draft, step satisfies TableStep, note);
    default:
      return applyToColumns(draft, step);
  }
}

function applyToColumns(draft: Draft, step: ColumnStep): readonly Note[] {
  const note = noteOf(step);
  const found = find(draft, step.table);
  if (found.kind === "several" || found.kind === "none") return notFound(draft, step.table, found, note);
  const own = found.kind === "captured" ? [found.table] : [];
  return [...own, ...below(draft, found, step.table)].flatMap((table) => applyColumnStep(draft, table, step, note));
}

/** True unless the step is about a table that is not captured. */
function concerns(draft: Draft, step: DdlStep): boolean {
  if (!("table" in step) || step.table === undefined) return true;
  const found = find(draft, step.table);
  if (found.kind === "none") return draft.catalog !== undefined;
  return found.kind !== "other" || below(draft, found, step.table).length > 0;
}

/** Functions that migrations often call, for when the database is not asked. */
const OFTEN = new Set([
  "setval",
  "nextval",
  "set_config",
  "now",
  "current_setting",
  "pg_advisory_lock",
  "pg_advisory_unlock",
  "pg_advisory_xact_lock",
  "count",
  "max",
  "min",
  "coalesce",
  "version",
  "pg_sleep",
  "pg_get_serial_sequence",
]);

function isOwnFunction({ catalog }: Draft, name: string): boolean {
  return catalog?.ownFunctions.has(name) ?? OFTEN.has(name);
}

/** Whether all conditions of the step hold; undefined if one cannot be decided. */
function decided(draft: Draft, step: DdlStep): boolean | undefined {
  const answers = (step.only ?? []).map((condition) => {
    if (!draft.decided.has(condition.id)) draft.decided.set(condition.id, existsIn(draft, condition, step));
    const exists = draft.decided.get(condition.id);
    return exists === undefined ? undefined : exists === condition.exists;
  });
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

function existsIn(draft: Draft, { of, schema, table, name }: Condition, step: DdlStep): boolean | undefined {
  if (of === "type") {
    const found = namedType(schema === undefined ? name : `${schema}.${name}`, draft.types) !== undefined;
    return found || draft.catalog !== undefined ? found : undefined;
  }
  if (of === "table") {
    const found = find(draft, { schema, name }).kind;
    if (found === "several") return undefined;
    return found !== "none" || draft.catalog !== undefined ? found !== "none" : undefined;
  }
  const asked = table === undefined ? ("table" in step ? step.table : undefined) : { schema, name: table };
  if (asked === undefined) return undefined;
  const found = find(draft, asked);
  if (found.kind === "none") return draft.catalog === undefined ? undefined : false;
  if (found.kind !== "captured") return undefined;
  const { columns, indexes, constraints } = found.table;
  if (of === "column") return columns.some((column) => column.name === name);
  if (indexes.some((index) => index.name === name)) return true;
  if (draft.catalog === undefined) return undefined;
  return of === "constraint" && constraints.some((constraint) => constraint.name === name);
}

/** Hands the table to `decide` as it is now and as it would be, and compares the amendments. */
function planned(rules: Rules, state: State, draft: DraftTable, when: When): PlannedTable {
  const { before, base } = draft;
  const { topic } = before.shape;
  const seen = (table: Table): TableState => {
    const { state: next } = decide(rules, state, { kind: "seen", topic, ...relationOf(table) }, when);
    return next.tables.get(topic) ?? before;
  };
  const old = new Set(seen(base).amendments.map(about));
  const table = seen(tableNow(draft));
  const fresh = table.amendments.filter(
    (amendment) => amendment.gate.kind === "withheld" && !old.has(about(amendment)),
  );
  return {
    table,
    fresh: fresh.map((amendment) => ({ amendment, steps: draft.steps.get(amendment.attnum ?? "key") ?? [] })),
  };
}

/** What an amendment is about, without its judgement. */
function about({ id, kind, name, column, changes, key, gone }: Amendment): string {
  return JSON.stringify([id, kind, name, column, changes, key, gone]);
}
