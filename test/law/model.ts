import type { ColumnType } from "./story.ts";

/**
 * A table as the steps of a story have made it. Every value that is written carries the number of the column it is
 * written to, in the text itself, so that a value in an event tells which column it came from, whatever the field is
 * called.
 */
export interface Model {
  readonly table: string;
  readonly live: ModelColumn[];
  readonly gone: ModelColumn[];
  /** Texts that were a column's default once. */
  readonly defaults: Set<string>;
  next: number;
  values: number;
  /** Added to the column numbers of the table that has the name now. */
  base: number;
}

export interface ModelColumn {
  /** The column's number, counted on from table to table when another one takes the name. */
  readonly attnum: number;
  /** All that it has been called, the present name last. */
  readonly names: string[];
  type: ColumnType;
  notNull: boolean;
  generated: boolean;
  /** Of an enum, in the order they were added. */
  readonly labels: string[];
  /** It was created with its table. */
  readonly initial: boolean;
}

/** No table of a story has more columns. */
export const MOST_COLUMNS = 50;

/** `id` is column 1, and no step is about it. */
export function openModel(table: string): Model {
  return { table, live: firstColumns(0), gone: [], defaults: new Set(), next: 5, values: 0, base: 0 };
}

/** Another table with the first columns takes the name. */
export function recreate(model: Model): void {
  model.base += MOST_COLUMNS;
  model.gone.push(...model.live.splice(0, model.live.length, ...firstColumns(model.base)));
  model.next = model.base + 5;
}

/** Whether the column belongs to the table that the story began with. */
export function isOfFirst({ attnum }: Pick<ModelColumn, "attnum">): boolean {
  return attnum <= MOST_COLUMNS;
}

function firstColumns(base: number): ModelColumn[] {
  const column = (attnum: number, name: string, type: ColumnType): ModelColumn => {
    return { attnum: base + attnum, names: [name], type, notNull: false, generated: false, labels: [], initial: true };
  };
  return [column(2, "a", "text"), column(3, "b", "integer"), column(4, "c", "text")];
}

export function createTable({ table }: Model): string {
  return `create table ${table} (id integer primary key, a text, b integer, c text)`;
}

/** The attnum that a written value names, in whatever type it stands now; undefined: it was not written by a story. */
export function columnOf(text: string): number | undefined {
  const tag = /^(\d{3})\d{5}x*$/.exec(text)?.[1];
  return tag === undefined ? undefined : Number(tag) - 100;
}

/** Eight digits, of which the first three name the column: the same in every type of a story. */
export function tagOf(model: Model, { attnum }: Pick<ModelColumn, "attnum">): string {
  model.values += 1;
  return `${attnum + 100}${String(model.values).padStart(5, "0")}`;
}

/** More bytes than a row keeps of one value. */
const BIG = "x".repeat(2500);

/** A value for a row: an enum has one of its labels. */
export function valueOf(model: Model, column: ModelColumn): string {
  const tag = tagOf(model, column);
  if (column.type === "enum") return column.labels[model.values % column.labels.length] ?? tag;
  return column.type === "big" ? `${tag}${BIG}` : tag;
}

/** Its type in SQL. Enums and domains are types of one column only. */
export function typeOf({ table }: Model, { attnum, type }: Pick<ModelColumn, "attnum" | "type">): string {
  if (type === "big") return "text";
  return type === "enum" || type === "domain" ? `${table}_${type}${attnum}` : type;
}

export function present({ names }: Pick<ModelColumn, "names">): string {
  return names.at(-1) ?? "";
}

export function isNameOfLive({ live }: Model, name: string): boolean {
  return live.some((column) => present(column) === name);
}

export function remove(model: Model, column: ModelColumn): void {
  model.live.splice(model.live.indexOf(column), 1);
  model.gone.push(column);
}

export function defaultOf(model: Model, column: ModelColumn): string {
  const value = column.type === "big" ? tagOf(model, column) : valueOf(model, column);
  model.defaults.add(value);
  return `'${value}'`;
}
