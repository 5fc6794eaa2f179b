import { type Model, present, valueOf } from "./model.ts";
import { KEYS, type RowStep } from "./story.ts";

/** The statements of steps that write rows. */

/** What the stories' connector has its publication called. */
export const PUBLICATION = "law";

export function rowSql(model: Model, step: RowStep): readonly string[] | undefined {
  const { table } = model;
  switch (step.kind) {
    case "truncate":
      return [`truncate ${table}`];
    case "move": {
      // The event of the new key has a placeholder for a value outside the row, as Debezium's has.
      if (model.live.some(({ type }) => type === "big") || step.to === step.key) return undefined;
      const free = `not exists (select from ${table} where id = ${step.to})`;
      return [`update ${table} set id = ${step.to} where id = ${step.key} and ${free}`];
    }
    case "gap": {
      const { key, nulls, how } = step;
      // PostgreSQL would reject the application's UPDATE.
      if (how !== "out" && model.full) return undefined;
      // Until the service has seen that all columns are sent again, it makes no events.
      if (how === "columns") model.passedOver = true;
      const rows = [0, 1, 2].map((more) => writeSql(model, { kind: "insert", key: keyAfter(key, more), nulls }));
      const part = { out: undefined, filter: "where (id < 0)", columns: "(id)" }[how];
      const partly = part === undefined ? [] : [publish("add", `${table} ${part}`)];
      const whole = part === undefined ? [] : [publish("drop", table)];
      const all = [publish("drop", table), ...partly, ...rows, ...whole, publish("add", table)];
      // Where an unreported DDL leaves a doubt, the key may seem to be all that a row has.
      return [how === "columns" ? `begin; ${all.join("; ")}; commit` : unsent(all)];
    }
    case "delete":
      return [`delete from ${table} where id = ${step.key}`];
    case "insert":
    case "update":
      return [writeSql(model, step)];
    default:
      return step satisfies never;
  }
}

/** One transaction, whose rows no event has. */
export function unsent(statements: readonly string[]): string {
  return `begin; set local law.gap = 'on'; ${statements.join("; ")}; commit`;
}

/** The service may have done the same. */
export function publish(how: "add" | "drop", table: string): string {
  const done = how === "add" ? "duplicate_object or unique_violation" : "undefined_object";
  return `do $$ begin alter publication ${PUBLICATION} ${how} table ${table}; exception when ${done} then null; end $$`;
}

export function keyAfter(key: number, more: number): number {
  return ((key + more - 1) % KEYS) + 1;
}

/** `into`: the name that the table has at the moment. */
export function writeSql(
  model: Model,
  step: { readonly kind: "insert" | "update"; readonly key: number; readonly nulls: number },
  into = model.table,
): string {
  const values = model.live
    .filter(({ generated }) => !generated)
    .map((column, index) => {
      const isNull = !column.notNull && ((step.nulls >> (index % 3)) & 1) === 1;
      return { name: present(column), text: isNull ? "null" : `'${valueOf(model, column)}'` };
    });
  if (step.kind === "update") {
    // Some columns only: the others keep what they have.
    const set = values.filter((_, index) => (step.key + index + step.nulls) % 3 !== 0);
    if (set.length === 0) return `update ${into} set id = id where id = ${step.key}`;
    return `update ${into} set ${set.map(({ name, text }) => `${name} = ${text}`).join(", ")} where id = ${step.key}`;
  }
  const names = ["id", ...values.map(({ name }) => name)].join(", ");
  const texts = [step.key, ...values.map(({ text }) => text)].join(", ");
  const set = values.map(({ name }) => `${name} = excluded.${name}`).join(", ");
  return `insert into ${into} (${names}) values (${texts}) on conflict (id) do ${set === "" ? "nothing" : `update set ${set}`}`;
}
