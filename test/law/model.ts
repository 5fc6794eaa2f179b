import { type ColumnType, KEYS } from "./story.ts";

/**
 * A table as the steps of a story have made it. Every value that is written carries the number of the column it is
 * written to, in the text itself, so that a value in an event tells which column it came from, whatever the field is
 * called.
 */
export interface Model {
  /** The name that its topic has. */
  readonly table: string;
  readonly second: ColumnType;
  readonly third: ColumnType;
  readonly partitioned: boolean;
  readonly live: ModelColumn[];
  readonly gone: ModelColumn[];
  /** Texts that were a column's default once. */
  readonly defaults: Set<string>;
  next: number;
  values: number;
  /** Added to the column numbers of the table that has the name now. */
  base: number;
  /** The highest base that a table has. */
  highest: number;
  /** Rows may have been passed over, even deletes: another table had the name, or columns were missing. */
  passedOver: boolean;
  /** A table had its name again after another one had it. */
  swappedBack: boolean;
  /** REPLICA IDENTITY FULL. */
  full: boolean;
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
export function openModel(
  table: string,
  { second, third, partitioned }: Pick<Model, "second" | "third" | "partitioned">,
): Model {
  const model: Model = {
    table,
    second,
    third,
    partitioned,
    live: [],
    gone: [],
    defaults: new Set(),
    next: 5,
    values: 0,
    base: 0,
    highest: 0,
    passedOver: false,
    swappedBack: false,
    full: false,
  };
  model.live.push(...firstColumns(model));
  return model;
}

/** Another table with the first columns takes the name. */
export function recreate(model: Model): void {
  model.highest += MOST_COLUMNS;
  model.base = model.highest;
  model.passedOver = true;
  model.gone.push(...model.live.splice(0, model.live.length, ...firstColumns(model)));
  model.next = model.base + 5;
  model.full = false;
}

/** Another table takes the name, until the returned function gives it back. */
export function takeBack(model: Model): () => void {
  const { base, next, full, live, gone } = model;
  const own = [...live];
  recreate(model);
  return () => {
    gone.splice(0, gone.length, ...gone.filter((column) => !own.includes(column)), ...live);
    live.splice(0, live.length, ...own);
    Object.assign(model, { base, next, full, swappedBack: true });
  };
}

/** Whether the column belongs to the table that the story began with. */
export function isOfFirst({ attnum }: Pick<ModelColumn, "attnum">): boolean {
  return attnum <= MOST_COLUMNS;
}

function firstColumns(model: Model): ModelColumn[] {
  const column = (attnum: number, name: string, type: ColumnType): ModelColumn => {
    const one = { attnum: model.base + attnum, names: [name], type, notNull: false, generated: false, initial: true };
    return { ...one, labels: type === "enum" ? [tagOf(model, one), tagOf(model, one)] : [] };
  };
  return [column(2, "a", "text"), column(3, "b", model.second), column(4, "c", model.third)];
}

export function createTable(model: Model, name = model.table): string {
  const { partitioned } = model;
  const third = model.live.find(({ attnum }) => attnum === model.base + 4);
  const type = third === undefined ? "text" : typeOf(model, third);
  const labels = third?.labels.map((label) => `'${label}'`).join(", ");
  const partition = (which: string, from: string, to: string) =>
    `; create table ${name}_${which} partition of ${name} for values from (${from}) to (${to})`;
  return [
    third?.type === "enum" ? `create type ${type} as enum (${labels}); ` : "",
    `create table ${name} (id integer primary key, a text, b ${model.second}, c ${type})`,
    partitioned ? ` partition by range (id)` : "",
    partitioned ? partition("low", "minvalue", String(KEYS / 2 + 1)) : "",
    partitioned ? partition("high", String(KEYS / 2 + 1), "maxvalue") : "",
    third?.type === "big" ? `; alter table ${name} alter c set storage external` : "",
  ].join("");
}

/** The attnum that a written value names, in whatever type it stands now; undefined: it was not written by a story. */
export function columnOf(text: string): number | undefined {
  const tag = /^(\d{3})\d{5}x*$/.exec(text)?.[1];
  return tag === undefined ? undefined : Number(tag) - 100;
}

/** Tables that have had the name one after the other may have rows of the same id; `attnum` is any of the row's. */
export function rowKey(attnum: number, id: number): string {
  return `${Math.floor(attnum / MOST_COLUMNS)} ${id}`;
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
