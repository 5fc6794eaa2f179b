import type { Random } from "../kill/random.ts";

/**
 * A story is what happens to one table: rows and DDL, in rounds. Steps say what is meant and not which SQL it is, so
 * that a story with some steps left out is a story too: what has become impossible is skipped (sql.ts).
 */
export interface Story {
  readonly policy: (typeof POLICIES)[number];
  readonly rounds: readonly (readonly Step[])[];
}

const POLICIES = ["observe", "contracts", "contracts", "manual"] as const;

/** `big`: a text that is stored outside the row, so that an UPDATE of other columns does not have it in the log. */
const TYPES = ["text", "text", "integer", "bigint", "varchar(60)", "big", "enum", "domain"] as const;
export type ColumnType = (typeof TYPES)[number];

/** How a default comes with a new column, or goes again: each leaves other values in the rows that exist. */
const ADD_FORMS = [
  "plain",
  "plain",
  "default",
  "not-null-default",
  "default-dropped",
  "default-replaced",
  "default-later",
  "volatile",
  "volatile-dropped",
  "generated",
] as const;

export type Step =
  | { readonly kind: "insert" | "update" | "delete"; readonly key: number; readonly nulls: number }
  /** A row gets another key. */
  | { readonly kind: "move"; readonly key: number; readonly to: number }
  | { readonly kind: "truncate" }
  /** Rows are written while the publication does not have the table. */
  | { readonly kind: "gap"; readonly key: number; readonly nulls: number }
  | AddStep
  | { readonly kind: (typeof COLUMN_STEPS)[number]; readonly column: number }
  | { readonly kind: "rename"; readonly column: number; readonly name: string }
  /** Another type with the same values, or with other values, or other values in the same type. */
  | { readonly kind: "retype"; readonly column: number; readonly values: "kept" | "other" }
  | { readonly kind: "rewrite"; readonly column: number }
  /** The column is dropped, and one of the same name and type is added. */
  | { readonly kind: "replace"; readonly column: number; readonly atOnce: boolean }
  /** Another table takes the table's name. `rename`: the table itself is kept, under a different name. */
  | { readonly kind: "recreate"; readonly how: (typeof RECREATIONS)[number]; readonly published: boolean }
  /** Two columns take each other's names. */
  | { readonly kind: "swap"; readonly left: number; readonly right: number }
  /** The column takes the name of another, which is dropped. */
  | { readonly kind: "supplant"; readonly left: number; readonly right: number };

/** `apart`: in two transactions. */
const RECREATIONS = ["drop", "drop-apart", "rename"] as const;

export interface AddStep {
  readonly kind: "add";
  readonly name: string;
  readonly type: ColumnType;
  readonly form: (typeof ADD_FORMS)[number];
}

/** `ordinary`: a generated column keeps its values and is written like any other from then on. */
const COLUMN_STEPS = [
  "drop",
  "set-default",
  "drop-default",
  "drop-not-null",
  "add-label",
  "rename-label",
  "ordinary",
] as const;

const NAMES = ["a", "b", "c", "d", "e", "f"];
const KEYS = 6;

export function drawStory(random: Random, rounds: number): Story {
  return {
    policy: random.pick(POLICIES),
    rounds: Array.from({ length: rounds }, () => Array.from({ length: random.between(1, 5) }, () => drawStep(random))),
  };
}

function drawStep(random: Random): Step {
  return random.chance(0.55) ? drawRow(random) : drawDdl(random);
}

function drawRow(random: Random): Step {
  const key = random.between(1, KEYS);
  if (random.chance(0.04)) return { kind: "truncate" };
  if (random.chance(0.07)) return { kind: "gap", key, nulls: random.between(0, 7) };
  if (random.chance(0.06)) return { kind: "move", key, to: random.between(1, KEYS) };
  const kind = random.pick(["insert", "insert", "update", "update", "update", "delete"] as const);
  return { kind, key, nulls: random.between(0, 7) };
}

function drawDdl(random: Random): Step {
  const column = random.between(0, 9);
  const other = random.between(0, 9);
  const name = random.pick(NAMES);
  switch (random.between(0, 12)) {
    case 0:
      return { kind: "drop", column };
    case 1:
      return { kind: "rename", column, name };
    case 2:
      return { kind: "retype", column, values: random.pick(["kept", "other"] as const) };
    case 3:
      return { kind: "replace", column, atOnce: random.chance(0.5) };
    case 4:
      return { kind: random.pick(["set-default", "drop-default", "drop-not-null"] as const), column };
    case 5:
      return random.chance(0.5)
        ? { kind: "swap", left: column, right: other }
        : { kind: "supplant", left: column, right: other };
    case 6:
      return {
        kind: random.pick(["add-label", "rename-label", "rename-label", "ordinary", "ordinary"] as const),
        column,
      };
    case 7:
      return { kind: "rewrite", column };
    case 8:
      return { kind: "recreate", how: random.pick(RECREATIONS), published: random.chance(0.5) };
    default:
      return { kind: "add", name, type: random.pick(TYPES), form: random.pick(ADD_FORMS) };
  }
}
