import {
  defaultOf,
  isNameOfLive,
  type Model,
  type ModelColumn,
  present,
  remove,
  tagOf,
  typeOf,
  valueOf,
} from "./model.ts";
import { rowSql, writeSql } from "./rows.ts";
import { type AddStep, type ColumnStep, type ColumnType, KEYS, type Step } from "./story.ts";
import { tableSql } from "./tables.ts";

/**
 * The step's statements, each sent by itself, with the model brought up to them; undefined when the table gives no
 * occasion for it.
 */
export function sqlOf(model: Model, step: Step): readonly string[] | undefined {
  const { live } = model;
  const at = (index: number, among = live) => (among.length === 0 ? undefined : among[index % among.length]);
  switch (step.kind) {
    case "insert":
    case "update":
    case "delete":
    case "move":
    case "truncate":
    case "gap":
      return rowSql(model, step);
    case "add":
      // PostgreSQL 18 refuses to update a table whose identity has a generated column.
      return isNameOfLive(model, step.name) || (step.form === "generated" && model.full)
        ? undefined
        : addSql(model, step);
    case "rename":
    case "retype":
    case "rewrite":
    case "replace": {
      const column = at(step.column);
      return column && changeSql(model, step, column);
    }
    case "shift":
      return shiftSql(model, step);
    case "recreate":
    case "swap-back":
    case "away":
    case "identity":
    case "detach":
      return tableSql(model, step);
    case "swap":
    case "supplant": {
      const [left, right] = [at(step.left), at(step.right)];
      return left === undefined || right === undefined || left === right
        ? undefined
        : twoColumnsSql(model, step.kind, left, right);
    }
    case "add-label":
    case "rename-label": {
      const enums = live.filter(({ type }) => type === "enum");
      const column = at(step.column, enums);
      return column && columnSql(model, step.kind, column);
    }
    default: {
      const column = at(step.column);
      return column && columnSql(model, step.kind, column);
    }
  }
}

function changeSql(
  model: Model,
  step: Extract<ColumnStep, { readonly kind: "rename" | "retype" | "rewrite" | "replace" }>,
  column: ModelColumn,
): readonly string[] | undefined {
  const name = present(column);
  const alter = `alter table ${model.table}`;
  switch (step.kind) {
    case "rename": {
      if (isNameOfLive(model, step.name)) return undefined;
      column.names.push(step.name);
      return [`${alter} rename ${name} to ${step.name}`];
    }
    case "retype": {
      if (column.generated) return undefined;
      column.type = WIDER[column.type];
      return [`${alter} alter ${name} ${retypeTo(model, column, step.values)}`];
    }
    case "rewrite":
      return column.generated ? undefined : [`${alter} alter ${name} ${retypeTo(model, column, "other")}`];
    case "replace": {
      const other = step.name === undefined || isNameOfLive(model, step.name) ? name : step.name;
      if (model.live.length < 2) return undefined;
      const row = writeSql(model, { kind: "insert", key: (step.column % KEYS) + 1, nulls: 0 });
      const drop = `${alter} drop ${name}`;
      remove(model, column);
      const add = addSql(model, { kind: "add", name: other, type: column.type, form: "plain" });
      return step.atOnce ? [row, `begin; ${[drop, ...add].join("; ")}; commit`] : [row, drop, ...add];
    }
    default:
      return step satisfies never;
  }
}

/** Statistics change nothing for readers, but the catalog no longer shows what the column was like before. */
function shiftSql(
  model: Model,
  { key, nulls, name }: Extract<ColumnStep, { readonly kind: "shift" }>,
): readonly string[] | undefined {
  const [first, ...others] = model.live;
  if (first === undefined || others.length === 0 || isNameOfLive(model, name)) return undefined;
  const alter = `alter table ${model.table}`;
  const row = writeSql(model, { kind: "insert", key, nulls });
  const redefined = others.map((column) => `${alter} alter ${present(column)} set statistics ${100 + model.values}`);
  remove(model, first);
  const add = addSql(model, { kind: "add", name, type: "text", form: "plain" });
  return [row, `begin; ${[...redefined, `${alter} drop ${present(first)}`, ...add].join("; ")}; commit`];
}

function retypeTo(model: Model, column: ModelColumn, values: "kept" | "other"): string {
  const [name, type] = [present(column), typeOf(model, column)];
  const using =
    values === "kept"
      ? `${name}::text::${type}`
      : `case when ${name} is not null then '${valueOf(model, column)}'::${type} end`;
  return `type ${type} using ${using}`;
}

/** What every value of the left type can become: a number stays readable as the same digits. */
const WIDER: Readonly<Record<ColumnType, ColumnType>> = {
  integer: "bigint",
  bigint: "text",
  text: "varchar(60)",
  "varchar(60)": "text",
  big: "big",
  enum: "text",
  domain: "text",
};

function twoColumnsSql(
  model: Model,
  kind: "swap" | "supplant",
  left: ModelColumn,
  right: ModelColumn,
): readonly string[] | undefined {
  const alter = `alter table ${model.table}`;
  const [one, two] = [present(left), present(right)];
  left.names.push(two);
  if (kind === "supplant") {
    remove(model, right);
    return [`begin; ${alter} drop ${two}; ${alter} rename ${one} to ${two}; commit`];
  }
  right.names.push(one);
  return [
    `begin; ${alter} rename ${one} to swapping; ${alter} rename ${two} to ${one}; ${alter} rename swapping to ${two}; commit`,
  ];
}

type ColumnKind = Exclude<ColumnStep["kind"], "rename" | "retype" | "rewrite" | "replace" | "shift">;

function columnSql(model: Model, kind: ColumnKind, column: ModelColumn): readonly string[] | undefined {
  const name = present(column);
  const alter = `alter table ${model.table}`;
  switch (kind) {
    case "drop":
      if (model.live.length < 2) return undefined;
      remove(model, column);
      return [`${alter} drop ${name}`];
    case "set-default":
      return column.generated ? undefined : [`${alter} alter ${name} set default ${defaultOf(model, column)}`];
    case "drop-default":
      return column.generated ? undefined : [`${alter} alter ${name} drop default`];
    case "drop-not-null":
      column.notNull = false;
      return [`${alter} alter ${name} drop not null`];
    case "add-label": {
      if (column.type !== "enum") return undefined;
      const label = tagOf(model, column);
      column.labels.push(label);
      return [`alter type ${typeOf(model, column)} add value '${label}'`];
    }
    case "rename-label": {
      if (column.type !== "enum") return undefined;
      const row = writeSql(model, { kind: "insert", key: (column.attnum % KEYS) + 1, nulls: 0 });
      const before = [...column.labels];
      column.labels.splice(0, before.length, ...before.map(() => tagOf(model, column)));
      const renamed = before.map((label, index) => `rename value '${label}' to '${column.labels[index]}'`);
      return [row, ...renamed.map((change) => `alter type ${typeOf(model, column)} ${change}`)];
    }
    case "ordinary":
      if (!column.generated) return undefined;
      column.generated = false;
      return [`${alter} alter ${name} drop expression`];
    default:
      return kind satisfies never;
  }
}

function addSql(model: Model, { name, type, form }: AddStep): readonly string[] {
  const plain = { attnum: model.next, names: [name], notNull: false, generated: false, labels: [], initial: false };
  const column: ModelColumn = { ...plain, type: form === "generated" ? "text" : type };
  model.next += 1;
  model.live.push(column);
  column.notNull = form === "not-null-default";
  column.generated = form === "generated";
  const alter = `alter table ${model.table}`;
  const made = createType(model, column);
  const stored = type === "big" ? [`${alter} alter ${name} set storage external`] : [];
  const add = `${alter} add ${name} ${typeOf(model, column)}`;
  const literal = () => defaultOf(model, column);
  // An expression that PostgreSQL must evaluate for each row, and whose value names the column as every other does.
  const each = () => `(case when random() < 2 then '${valueOf(model, column)}' end)::${typeOf(model, column)}`;
  const sql = {
    plain: () => [add],
    default: () => [`${add} default ${literal()}`],
    "not-null-default": () => [`${add} not null default ${literal()}`],
    "default-dropped": () => [`begin; ${add} default ${literal()}; ${alter} alter ${name} drop default; commit`],
    "default-replaced": () => [
      `begin; ${add} default ${literal()}; ${alter} alter ${name} set default ${literal()}; commit`,
    ],
    "default-later": () => [add, `${alter} alter ${name} set default ${literal()}`],
    volatile: () => [`${add} default ${each()}`],
    "volatile-dropped": () => [`begin; ${add} default ${each()}; ${alter} alter ${name} drop default; commit`],
    generated: () => [`${add} generated always as ('${tagOf(model, column)}'::text) stored`],
  }[form]();
  return [...made, ...sql, ...(form === "generated" ? [] : stored)];
}

/** The type that a new column needs first. A domain has a default of its own, which rows get as they would a column's. */
function createType(model: Model, column: ModelColumn): readonly string[] {
  const type = typeOf(model, column);
  if (column.type === "enum") {
    column.labels.push(tagOf(model, column), tagOf(model, column));
    return [`create type ${type} as enum (${column.labels.map((label) => `'${label}'`).join(", ")})`];
  }
  return column.type === "domain" ? [`create domain ${type} as text default ${defaultOf(model, column)}`] : [];
}
