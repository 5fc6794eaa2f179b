import type { ExcludedColumn } from "../../capture/lists.ts";
import type { Attnum } from "../../table/column.ts";
import { repairJob } from "./backfill.ts";
import type { Rules, State, TableState } from "../state.ts";
import { withheldOf } from "../update.ts";

/**
 * Which columns the file's column lists keep out of the events. The lists name columns, and names move: what they once
 * kept out of a table stays out by its attnum, under whatever name it has later. It comes in again only when the lists
 * take the name that they kept out. Where another Debezium publishes, names alone decide, as they do for Debezium.
 */

/** A column's identity and its name at some place in the log. */
export interface NamedColumn {
  readonly attnum: Attnum;
  readonly name: string;
}

/** Do the lists keep this column out of the events? A key column remains in the key in any case. */
export function isExcluded(rules: Pick<Rules, "filter">, table: TableState, { attnum, name }: NamedColumn): boolean {
  return table.excluded?.some((one) => one.attnum === attnum) === true || !takesName(rules, table, name);
}

function takesName({ filter }: Pick<Rules, "filter">, { shape, capturedAs }: TableState, column: string): boolean {
  const { schema, name } = capturedAs ?? shape.table;
  return filter.column(schema, name, column);
}

/** Remembers those of the columns that the lists keep out, for good. */
export function withExcluded(rules: Rules, table: TableState, columns: readonly NamedColumn[]): TableState {
  if (rules.mode === "watch") return table;
  const { excluded = [] } = table;
  const isNew = ({ attnum, name }: NamedColumn) =>
    !excluded.some((one) => one.attnum === attnum) && !takesName(rules, table, name);
  const more = columns.filter(isNew).map(({ attnum, name }) => ({ attnum, as: name }));
  return more.length === 0 ? table : { ...table, excluded: [...excluded, ...more] };
}

/**
 * What is kept out of a table that takes the place of this one: by the lists, and by the name that a column which was
 * kept out had last. It may be the same data under another identity.
 */
export function excludedFromReplacement(
  rules: Rules,
  table: TableState,
  columns: readonly NamedColumn[],
): TableState["excluded"] {
  const { excluded = [], known } = table;
  const inherited = excluded.flatMap(({ attnum, as }) => {
    const names = [as, ...known.filter((one) => one.attnum === attnum).map(({ name }) => name)];
    return columns.filter(({ name }) => names.includes(name)).map((column) => ({ attnum: column.attnum, as }));
  });
  return withExcluded(rules, { ...table, excluded: inherited }, columns).excluded;
}

/**
 * The state with the lists as the file has them now. A column that they keep out no longer comes in as an amendment, and
 * one that they keep out now leaves as one, with the next look at the table. `columns`: those of a table whose state is of
 * a version that did not remember what is kept out, as the catalog has them.
 */
export function followLists(
  rules: Rules,
  state: Pick<State, "tables" | "jobs">,
  columns: (topic: string) => readonly NamedColumn[],
): Pick<State, "tables" | "jobs"> {
  let { tables, jobs } = state;
  for (const [topic, table] of state.tables) {
    const next = asTheListsAre(rules, table, columns(topic));
    if (next === table) continue;
    tables = new Map([...tables, [topic, next]]);
    // While it was excluded its field was empty, so rows published in that time lack its value.
    const isBack = ({ attnum }: ExcludedColumn) => next.excluded?.some((one) => one.attnum === attnum) === false;
    const emptied = table.excluded?.filter(isBack) ?? [];
    if (!emptied.some(({ attnum }) => table.shape.fields.some((field) => field.attnum === attnum))) continue;
    const repair = repairJob(table.shape);
    jobs = new Map([...jobs, [repair.id, repair]]);
  }
  return tables === state.tables ? state : { tables, jobs };
}

function asTheListsAre(rules: Rules, table: TableState, catalog: readonly NamedColumn[]): TableState {
  const unknown = catalog.filter(({ attnum }) => !table.known.some((one) => one.attnum === attnum));
  if (table.excluded === undefined) {
    return withExcluded(rules, { ...table, excluded: [] }, [...table.known, ...unknown]);
  }
  const kept = table.excluded.flatMap((one) => {
    if (!takesName(rules, table, one.as)) return [one];
    const now = table.known.find(({ attnum }) => attnum === one.attnum)?.name ?? one.as;
    return takesName(rules, table, now) ? [] : [{ ...one, as: now }];
  });
  const isSame = kept.length === table.excluded.length && kept.every((one) => table.excluded?.includes(one));
  return withExcluded(rules, isSame ? table : { ...table, excluded: kept }, table.known);
}

/** Whether the column lists disagree with the shape and no amendment shows it, so that the table has to be compared. */
export function isListsNews(rules: Rules, table: TableState): boolean {
  return table.known.some((column) => {
    const flows = table.shape.fields.some(({ attnum }) => attnum === column.attnum);
    const isWithheld = withheldOf(table).some(({ attnum }) => attnum === column.attnum);
    return !isWithheld && flows === isExcluded(rules, table, column);
  });
}
