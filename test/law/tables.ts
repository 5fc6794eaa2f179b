import { createTable, type Model, MOST_COLUMNS, recreate, takeBack } from "./model.ts";
import { keyAfter, publish, unsent, writeSql } from "./rows.ts";
import { KEYS, type TableStep } from "./story.ts";
import { noteVersionsOf } from "./truth.ts";

/** The statements of steps that are about a whole table. */

/** A value's first three digits name its column. */
const LAST_BASE = 850 - MOST_COLUMNS;

export function tableSql(model: Model, step: TableStep): readonly string[] | undefined {
  const { table, partitioned } = model;
  switch (step.kind) {
    case "recreate":
      return partitioned || model.highest >= LAST_BASE ? undefined : recreateSql(model, step);
    case "swap-back":
      return partitioned || model.highest >= LAST_BASE ? undefined : swapBackSql(model, step);
    case "away": {
      if (partitioned) return undefined;
      const rows = [0, 1].map((more) =>
        writeSql(model, { ...step, kind: "insert", key: keyAfter(step.key, more) }, AWAY),
      );
      const all = [`alter table ${table} rename to ${AWAY}`, ...rows, `alter table ${AWAY} rename to ${table}`];
      const own = all.map((sql) => sql.replaceAll(AWAY, `${table}_away`));
      return step.atOnce ? [`begin; ${own.join("; ")}; commit`] : own;
    }
    case "identity":
      // PostgreSQL 18 refuses to update a table whose identity has a generated column.
      if (partitioned || (step.full && model.live.some(({ generated }) => generated))) return undefined;
      model.full = step.full;
      return [`alter table ${table} replica identity ${step.full ? "full" : "default"}`];
    case "detach":
      return partitioned ? detachSql(model, step) : undefined;
    default:
      return step satisfies never;
  }
}

const AWAY = "{away}";

/** The table that takes the name, with its triggers. `name`: what it is called until then. */
function createSql(model: Model, name = model.table): readonly string[] {
  return [
    createTable(model, name),
    `insert into law.bases values ('${name}'::regclass, ${model.base})`,
    noteVersionsOf(name, model.table),
  ];
}

function recreateSql(
  model: Model,
  { how, published }: Extract<TableStep, { readonly kind: "recreate" }>,
): readonly string[] {
  const { table } = model;
  const away = how === "rename" ? `alter table ${table} rename to ${table}_${model.base}` : `drop table ${table}`;
  recreate(model);
  const named = published ? [publish("add", table)] : [];
  const all = (...statements: readonly string[]) => `begin; ${[...statements, ...named].join("; ")}; commit`;
  if (how === "filled") {
    const name = `${table}_new`;
    const rows = [1, 2].map((key) => writeSql(model, { kind: "insert", key, nulls: 0 }, name));
    return [unsent([...createSql(model, name), ...rows]), all(away, `alter table ${name} rename to ${table}`)];
  }
  const create = createSql(model);
  return how === "drop-apart" ? [away, all(...create)] : [all(away, ...create)];
}

function swapBackSql(
  model: Model,
  { key, nulls }: Extract<TableStep, { readonly kind: "swap-back" }>,
): readonly string[] {
  const { table } = model;
  const own = `${table}_own`;
  const back = takeBack(model);
  const there = [`alter table ${table} rename to ${own}`, ...createSql(model)];
  const rows = [0, 1].map((more) => writeSql(model, { kind: "insert", key: keyAfter(key, more), nulls }));
  const gone = `alter table ${table} rename to ${table}_${model.base}`;
  back();
  return [
    `begin; ${there.join("; ")}; commit`,
    ...rows,
    `begin; ${gone}; alter table ${own} rename to ${table}; commit`,
  ];
}

/** Rows of a table that is no partition are in no event. Once it is one again, they are published. */
function detachSql(model: Model, { key, nulls }: Extract<TableStep, { readonly kind: "detach" }>): readonly string[] {
  const { table } = model;
  const one = `${table}_high`;
  const keys = [key, key + 1].map((each) => KEYS / 2 + 1 + (each % (KEYS / 2)));
  const rows = keys.map((each) => writeSql(model, { kind: "insert", key: each, nulls }, one));
  return [
    `alter table ${table} detach partition ${one}`,
    unsent([
      noteVersionsOf(one, table),
      ...rows,
      ...["note", "note_truncate"].map((name) => `drop trigger ${name} on ${one}`),
    ]),
    `alter table ${table} attach partition ${one} for values from (${KEYS / 2 + 1}) to (maxvalue)`,
  ];
}
