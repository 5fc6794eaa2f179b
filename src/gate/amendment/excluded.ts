import type { ExcludedColumn } from "../../capture/lists.ts";
import type { Attnum } from "../../table/column.ts";
import { repairJob } from "./backfill.ts";
import type { Rules, State, TableState } from "../state.ts";
import { withheldOf } from "../update.ts";

/**
 * Decides which columns the file's column lists keep out of the events. The lists name columns, but a column can be
 * renamed. So a column that was once excluded remains excluded by its attnum, whatever it is called later, until the
 * lists include the name under which it was excluded. In watch mode only names count, as they do for Debezium.
 */

/** A column's attnum, and its name at some position in the log. */
export interface NamedColumn {
  readonly attnum: Attnum;
  readonly name: string;
}

/** True if the lists keep this column out of the events. A key column remains in the key in any case. */
export function isExcluded(rules: Pick<Rules, "filter">, table: TableState, { attnum, name }: NamedColumn): boolean {
  return table.excluded?.some((one) => one.attnum === attnum) === true || !takesName(rules, table, name);
}

function takesName({ filter }: Pick<Rules, "filter">, { shape, capturedAs }: TableState, column: string): boolean {
  const { schema, name } = capturedAs ?? shape.table;
  return filter.column(schema, name, column);
}

/** Permanently remembers which of these columns the lists exclude. */
export function withExcluded(rules: Rules, table: TableState, columns: readonly NamedColumn[]): TableState {
  if (rules.mode === "watch") return table;
  const { excluded = [] } = table;
  const isNew = ({ attnum, name }: NamedColumn) =>
    !excluded.some((one) => one.attnum === attnum) && !takesName(rules, table, name);
  const more = columns.filter(isNew).map(({ attnum, name }) => ({ attnum, as: name }));
  return more.length === 0 ? table : { ...table, excluded: [...excluded, ...more] };
}

/**
 * The excluded columns of a table that replaces this one: those that the lists exclude, and those that have the last
 * known name of an excluded column, because they may hold the same data.
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
 * Applies the file's current lists to the state. At the next look at the table, a column that is no longer excluded is
 * added by an amendment, and one that is now excluded is removed by an amendment. `columns` returns a table's columns
 * from the catalog; it is needed for states written by versions that did not remember exclusions.
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
    // A field was empty while its column was excluded, so rows published in that time lack its value.
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

/** True if the column lists disagree with the shape and no amendment shows it, so that the table has to be compared. */
export function isListsNews(rules: Rules, table: TableState): boolean {
  return table.known.some((column) => {
    const flows = table.shape.fields.some(({ attnum }) => attnum === column.attnum);
    const isWithheld = withheldOf(table).some(({ attnum }) => attnum === column.attnum);
    return !isWithheld && flows === isExcluded(rules, table, column);
  });
}
