import type { Random } from "../kill/random.ts";

/**
 * A story is what happens to one table: rows and DDL, in rounds. Steps say what is meant and not which SQL it is, so
 * that a story with some steps left out is a story too: what has become impossible is skipped (`sqlOf`). Every value
 * that is written carries the number of the column it is written to, in the text itself, so that a value in an event
 * tells which column it came from, whatever the field is called.
 */
export interface Story {
  readonly policy: "observe" | "contracts" | "manual";
  readonly rounds: readonly (readonly Step[])[];
}

type ColumnType = "text" | "integer" | "bigint" | "varchar(60)";

/** How a default comes with a new column, or goes again: each leaves other values in the rows that exist. */
const ADD_FORMS = [
  "plain",
  "default",
  "not-null-default",
  "default-dropped",
  "default-replaced",
  "default-later",
  "volatile",
  "volatile-dropped",
] as const;

export type Step =
  | { readonly kind: "insert" | "update" | "delete"; readonly key: number; readonly nulls: number }
  | {
      readonly kind: "add";
      readonly name: string;
      readonly type: ColumnType;
      readonly form: (typeof ADD_FORMS)[number];
    }
  | { readonly kind: "drop" | "set-default" | "drop-default" | "drop-not-null"; readonly column: number }
  | { readonly kind: "rename"; readonly column: number; readonly name: string }
  | { readonly kind: "retype"; readonly column: number }
  /** The column is dropped, and one of the same name and type is added. */
  | { readonly kind: "replace"; readonly column: number; readonly atOnce: boolean }
  /** Two columns take each other's names. */
  | { readonly kind: "swap"; readonly left: number; readonly right: number }
  /** The column takes the name of another, which is dropped. */
  | { readonly kind: "supplant"; readonly left: number; readonly right: number };

const NAMES = ["a", "b", "c", "d", "e", "f"];
const KEYS = 6;

export function drawStory(random: Random, rounds: number): Story {
  return {
    policy: random.pick(["observe", "contracts", "contracts", "manual"] as const),
    rounds: Array.from({ length: rounds }, () => Array.from({ length: random.between(1, 5) }, () => drawStep(random))),
  };
}

function drawStep(random: Random): Step {
  const column = random.between(0, 9);
  const other = random.between(0, 9);
  const name = random.pick(NAMES);
  if (random.chance(0.55)) {
    const kind = random.pick(["insert", "insert", "update", "update", "update", "delete"] as const);
    return { kind, key: random.between(1, KEYS), nulls: random.between(0, 7) };
  }
  switch (random.between(0, 9)) {
    case 0:
      return { kind: "drop", column };
    case 1:
      return { kind: "rename", column, name };
    case 2:
      return { kind: "retype", column };
    case 3:
      return { kind: "replace", column, atOnce: random.chance(0.5) };
    case 4:
      return { kind: random.pick(["set-default", "drop-default", "drop-not-null"] as const), column };
    case 5:
      return random.chance(0.5)
        ? { kind: "swap", left: column, right: other }
        : { kind: "supplant", left: column, right: other };
    default:
      return {
        kind: "add",
        name,
        type: random.pick(["text", "integer", "bigint", "varchar(60)"] as const),
        form: random.pick(ADD_FORMS),
      };
  }
}

export interface ModelColumn {
  readonly attnum: number;
  /** All that it has been called, the present name last. */
  readonly names: string[];
  type: ColumnType;
  notNull: boolean;
  readonly initial: boolean;
}

/** The table as the steps so far have made it. */
export interface Model {
  readonly table: string;
  readonly live: ModelColumn[];
  readonly gone: ModelColumn[];
  /** Texts that were a column's default once. */
  readonly defaults: Set<string>;
  next: number;
  values: number;
}

/** `id` is column 1, and no step is about it. */
export function openModel(table: string): Model {
  const column = (attnum: number, name: string, type: ColumnType): ModelColumn => {
    return { attnum, names: [name], type, notNull: false, initial: true };
  };
  const live = [column(2, "a", "text"), column(3, "b", "integer"), column(4, "c", "text")];
  return { table, live, gone: [], defaults: new Set(), next: 5, values: 0 };
}

export function createTable({ table }: Model): string {
  return `create table ${table} (id integer primary key, a text, b integer, c text)`;
}

/** The attnum that a written value names, in whatever type it stands now; undefined: it was not written by a story. */
export function columnOf(text: string): number | undefined {
  const tag = /^(\d{3})\d{5}$/.exec(text)?.[1];
  return tag === undefined ? undefined : Number(tag) - 100;
}

/** Eight digits, of which the first three name the column: the same in every type of a story. */
function valueOf(model: Model, { attnum }: ModelColumn): string {
  model.values += 1;
  return `${attnum + 100}${String(model.values).padStart(5, "0")}`;
}

/** The step's SQL, with the model brought up to it; undefined when the table gives no occasion for it. */
export function sqlOf(model: Model, step: Step): string | undefined {
  const { table, live } = model;
  const at = (index: number) => (live.length === 0 ? undefined : live[index % live.length]);
  const alter = `alter table ${table}`;
  switch (step.kind) {
    case "insert":
    case "update":
    case "delete":
      return rowSql(model, step);
    case "add":
      return nameOfLive(model, step.name) ? undefined : addSql(model, step);
    case "rename": {
      const column = at(step.column);
      if (column === undefined || nameOfLive(model, step.name)) return undefined;
      const sql = `${alter} rename ${present(column)} to ${step.name}`;
      column.names.push(step.name);
      return sql;
    }
    case "retype": {
      const column = at(step.column);
      if (column === undefined) return undefined;
      column.type = WIDER[column.type];
      return `${alter} alter ${present(column)} type ${column.type} using ${present(column)}::${column.type}`;
    }
    case "replace": {
      const column = at(step.column);
      if (column === undefined || live.length < 2) return undefined;
      const drop = `${alter} drop ${present(column)}`;
      remove(model, column);
      const add = addSql(model, { kind: "add", name: present(column), type: column.type, form: "plain" });
      return step.atOnce ? `begin; ${drop}; ${add}; commit` : `${drop}; ${add}`;
    }
    case "swap": {
      const [left, right] = [at(step.left), at(step.right)];
      if (left === undefined || right === undefined || left === right) return undefined;
      const [one, two] = [present(left), present(right)];
      left.names.push(two);
      right.names.push(one);
      return `begin; ${alter} rename ${one} to swapping; ${alter} rename ${two} to ${one}; ${alter} rename swapping to ${two}; commit`;
    }
    case "supplant": {
      const [left, right] = [at(step.left), at(step.right)];
      if (left === undefined || right === undefined || left === right) return undefined;
      remove(model, right);
      const sql = `begin; ${alter} drop ${present(right)}; ${alter} rename ${present(left)} to ${present(right)}; commit`;
      left.names.push(present(right));
      return sql;
    }
    default:
      return columnSql(model, step, at(step.column));
  }
}

type ColumnStep = Extract<
  Step,
  { readonly column: number; readonly kind: "drop" | "set-default" | "drop-default" | "drop-not-null" }
>;

function columnSql(model: Model, { kind }: ColumnStep, column: ModelColumn | undefined): string | undefined {
  if (column === undefined) return undefined;
  const alter = `alter table ${model.table}`;
  switch (kind) {
    case "drop":
      if (model.live.length < 2) return undefined;
      remove(model, column);
      return `${alter} drop ${present(column)}`;
    case "set-default":
      return `${alter} alter ${present(column)} set default ${defaultOf(model, column)}`;
    case "drop-default":
      return `${alter} alter ${present(column)} drop default`;
    case "drop-not-null":
      column.notNull = false;
      return `${alter} alter ${present(column)} drop not null`;
    default:
      return kind satisfies never;
  }
}

/** What every value of the left type can become: a number stays readable as the same digits. */
const WIDER: Readonly<Record<ColumnType, ColumnType>> = {
  integer: "bigint",
  bigint: "text",
  text: "varchar(60)",
  "varchar(60)": "text",
};

export function present({ names }: ModelColumn): string {
  return names.at(-1) ?? "";
}

function nameOfLive({ live }: Model, name: string): boolean {
  return live.some((column) => present(column) === name);
}

function remove(model: Model, column: ModelColumn): void {
  model.live.splice(model.live.indexOf(column), 1);
  model.gone.push(column);
}

function defaultOf(model: Model, column: ModelColumn): string {
  const value = valueOf(model, column);
  model.defaults.add(value);
  return `'${value}'`;
}

function addSql(model: Model, { name, type, form }: Extract<Step, { kind: "add" }>): string {
  const column: ModelColumn = { attnum: model.next, names: [name], type, notNull: false, initial: false };
  model.next += 1;
  const alter = `alter table ${model.table}`;
  const add = `${alter} add ${name} ${type}`;
  const literal = () => defaultOf(model, column);
  // An expression that PostgreSQL must evaluate for each row, and whose value names the column as every other does.
  const each = () => `(${valueOf(model, column)} + (random() * 0)::integer)::text::${type}`;
  const sql = {
    plain: () => add,
    default: () => `${add} default ${literal()}`,
    "not-null-default": () => `${add} not null default ${literal()}`,
    "default-dropped": () => `begin; ${add} default ${literal()}; ${alter} alter ${name} drop default; commit`,
    "default-replaced": () =>
      `begin; ${add} default ${literal()}; ${alter} alter ${name} set default ${literal()}; commit`,
    "default-later": () => `${add}; ${alter} alter ${name} set default ${literal()}`,
    volatile: () => `${add} default ${each()}`,
    "volatile-dropped": () => `begin; ${add} default ${each()}; ${alter} alter ${name} drop default; commit`,
  }[form]();
  column.notNull = form === "not-null-default";
  model.live.push(column);
  return sql;
}

function rowSql(model: Model, step: Extract<Step, { key: number }>): string {
  const { table, live } = model;
  if (step.kind === "delete") return `delete from ${table} where id = ${step.key}`;
  const values = live.map((column, index) => {
    const isNull = !column.notNull && ((step.nulls >> (index % 3)) & 1) === 1;
    return { name: present(column), text: isNull ? "null" : `'${valueOf(model, column)}'` };
  });
  if (step.kind === "update") {
    // Some columns only: the others keep what they have.
    const set = values.filter((_, index) => (step.key + index + step.nulls) % 3 !== 0);
    if (set.length === 0) return `update ${table} set id = id where id = ${step.key}`;
    return `update ${table} set ${set.map(({ name, text }) => `${name} = ${text}`).join(", ")} where id = ${step.key}`;
  }
  const names = ["id", ...values.map(({ name }) => name)].join(", ");
  const texts = [step.key, ...values.map(({ text }) => text)].join(", ");
  const set = values.map(({ name }) => `${name} = excluded.${name}`).join(", ");
  return `insert into ${table} (${names}) values (${texts}) on conflict (id) do ${set === "" ? "nothing" : `update set ${set}`}`;
}
