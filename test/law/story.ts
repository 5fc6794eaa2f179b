import type { Random } from "../kill/random.ts";

/**
 * A story is what happens to one table: rows and DDL, in rounds. Steps say what is meant and not which SQL it is, so
 * that a story with some steps left out is a story too: what has become impossible is skipped (sql.ts). Each story has
 * some kinds of steps only: many steps have all rows published again, and would hide what another step has lost.
 */
export interface Story {
  readonly policy: (typeof POLICIES)[number];
  /** The types of two columns that the table begins with. Columns of one type are the easiest to mistake. */
  readonly second: (typeof SECONDS)[number];
  readonly third: (typeof THIRDS)[number];
  readonly partitioned: boolean;
  /** What the operator asks for with a release; `decided`: Fieldgate decides which rows are published again. */
  readonly backfill: (typeof BACKFILLS)[number];
  /** Rows are written while backfills read the table, which publishes rows again that were wrong before. */
  readonly stirred: boolean;
  readonly rounds: readonly (readonly Step[])[];
}

const POLICIES = ["observe", "contracts", "contracts", "manual"] as const;
const SECONDS = ["integer", "text", "text"] as const;
const THIRDS = ["text", "enum", "enum", "big"] as const;

const BACKFILLS = ["all", "decided"] as const;

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

export type Step = RowStep | AddStep | ColumnStep | TwoColumnsStep | TableStep;

export type RowStep =
  | { readonly kind: "insert" | "update"; readonly key: number; readonly nulls: number }
  | { readonly kind: "delete"; readonly key: number }
  /** A row gets another key. */
  | { readonly kind: "move"; readonly key: number; readonly to: number }
  | { readonly kind: "truncate" }
  /** Rows are written while the publication does not have the table, or not all of it. */
  | { readonly kind: "gap"; readonly key: number; readonly nulls: number; readonly how: (typeof GAPS)[number] };

/** `filter`: a row filter that no row passes. `columns`: a column list with the key only. */
const GAPS = ["out", "out", "filter", "columns"] as const;

export interface AddStep {
  readonly kind: "add";
  readonly name: string;
  readonly type: ColumnType;
  readonly form: (typeof ADD_FORMS)[number];
}

export type ColumnStep =
  /** `rename-label`: a row is written, and all labels of its enum are renamed. */
  | { readonly kind: (typeof COLUMN_STEPS)[number]; readonly column: number }
  | { readonly kind: "rename"; readonly column: number; readonly name: string }
  /** Another type with the same values, or with other values, or other values in the same type. */
  | { readonly kind: "retype"; readonly column: number; readonly values: "kept" | "other" }
  | { readonly kind: "rewrite"; readonly column: number }
  /** A row is written, the column is dropped, and one of the same type is added, under the same name or another. */
  | { readonly kind: "replace"; readonly column: number; readonly name: string | undefined; readonly atOnce: boolean }
  /** A row is written; then the first column goes, one comes after the last, and all others get another definition. */
  | { readonly kind: "shift"; readonly key: number; readonly nulls: number; readonly name: string };

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

/** Two columns take each other's names, or the column takes the name of another, which is dropped. */
export interface TwoColumnsStep {
  readonly kind: "swap" | "supplant";
  readonly left: number;
  readonly right: number;
}

export type TableStep =
  /** Another table takes the table's name. `rename`: the table itself is kept, under a different name. */
  | { readonly kind: "recreate"; readonly how: (typeof RECREATIONS)[number]; readonly published: boolean }
  /** Another table has the name for some rows; then the table has it again. */
  | { readonly kind: "swap-back"; readonly key: number; readonly nulls: number }
  /** Rows are written while the table has a name that the connector's file does not list. */
  | { readonly kind: "away"; readonly key: number; readonly nulls: number; readonly atOnce: boolean }
  | { readonly kind: "identity"; readonly full: boolean }
  /** Rows are written to a partition while it is detached. */
  | { readonly kind: "detach"; readonly key: number; readonly nulls: number };

/** `apart`: in two transactions. `filled`: the other table has rows before it takes the name. */
const RECREATIONS = ["drop", "drop-apart", "rename", "filled"] as const;

const NAMES = ["a", "b", "c", "d", "e", "f"];
/** No other step gives these names: where consumers have never had a field of the name, fewer rows are published again. */
const FRESH_NAMES = ["g", "h"];
/** The keys of the first partition are less than the middle. */
export const KEYS = 6;

/** What a kind of step looks like; each story has some of them. A kind that is listed twice is twice as frequent. */
const DDL: readonly ((random: Random, column: number) => Step)[] = [
  (_, column) => ({ kind: "drop", column }),
  (random, column) => ({ kind: "rename", column, name: random.pick(NAMES) }),
  (random, column) => ({ kind: "retype", column, values: random.pick(["kept", "other"] as const) }),
  drawReplace,
  drawReplace,
  (random) => ({ kind: "shift", ...drawKey(random), name: random.pick(FRESH_NAMES) }),
  (random, column) => ({
    kind: random.pick(["set-default", "drop-default", "drop-not-null"] as const),
    column,
  }),
  (random, left) => ({ kind: "swap", left, right: random.between(0, 9) }),
  (random, left) => ({ kind: "supplant", left, right: random.between(0, 9) }),
  (random, column) => ({ kind: random.pick(["add-label", "rename-label", "rename-label"] as const), column }),
  (_, column) => ({ kind: "ordinary", column }),
  (_, column) => ({ kind: "rewrite", column }),
  (_, column) => ({ kind: "rewrite", column }),
  drawAdd,
  drawAdd,
  (random) => ({ kind: "recreate", how: random.pick(RECREATIONS), published: random.chance(0.5) }),
  (random) => ({ kind: "swap-back", ...drawKey(random) }),
  (random) => ({ kind: "away", ...drawKey(random), atOnce: random.chance(0.5) }),
  (random) => ({ kind: "identity", full: random.chance(0.6) }),
  (random) => ({ kind: "detach", ...drawKey(random) }),
];

const RARE_ROWS: readonly ((random: Random) => Step)[] = [
  () => ({ kind: "truncate" }),
  (random) => ({ kind: "gap", ...drawKey(random), how: random.pick(GAPS) }),
  (random) => ({ kind: "move", key: random.between(1, KEYS), to: random.between(1, KEYS) }),
];

function drawAdd(random: Random): Step {
  return { kind: "add", name: random.pick(NAMES), type: random.pick(TYPES), form: random.pick(ADD_FORMS) };
}

function drawReplace(random: Random, column: number): Step {
  const name = random.chance(0.5) ? random.pick(NAMES) : undefined;
  return { kind: "replace", column, name, atOnce: random.chance(0.5) };
}

function drawKey(random: Random): { readonly key: number; readonly nulls: number } {
  return { key: random.between(1, KEYS), nulls: random.between(0, 7) };
}

/** Steps after which all rows are published again. */
const LOUD: ReadonlySet<Step["kind"]> = new Set(["gap", "recreate", "swap-back", "away", "detach"] as const);
/** Changes of values without an event. At the end of a story without loud steps, nothing else publishes them. */
const SILENT: readonly ((random: Random, column: number) => Step)[] = [
  (_, column) => ({ kind: "rename-label", column }),
  (_, column) => ({ kind: "rename-label", column }),
  (_, column) => ({ kind: "retype", column, values: "other" }),
  (_, column) => ({ kind: "rewrite", column }),
];

/** `rounds`: at least one. */
export function drawStory(random: Random, rounds: number): Story {
  const ddl = DDL.filter(() => random.chance(0.4));
  const rare = RARE_ROWS.filter(() => random.chance(0.5));
  const rows = random.pick([0.45, 0.55, 0.7]);
  const isQuiet = random.chance(0.3);
  const step = (): Step => {
    const drawn = random.chance(rows) || ddl.length === 0 ? drawRow(random, rare) : drawDdl(random, ddl);
    return isQuiet && LOUD.has(drawn.kind) ? drawRow(random, []) : drawn;
  };
  const settings = {
    policy: random.pick(POLICIES),
    second: random.pick(SECONDS),
    third: random.pick(THIRDS),
    partitioned: random.chance(0.15),
    backfill: random.pick(BACKFILLS),
    stirred: random.chance(0.5),
  };
  const drawn = Array.from({ length: rounds }, () => Array.from({ length: random.between(1, 5) }, step));
  const end = isQuiet ? [drawDdl(random, SILENT)] : [];
  return { ...settings, rounds: [...drawn.slice(0, -1), [...(drawn.at(-1) ?? []), ...end]] };
}

function drawRow(random: Random, rare: typeof RARE_ROWS): Step {
  if (rare.length > 0 && random.chance(0.15)) return random.pick(rare)(random);
  if (random.chance(1 / 6)) return { kind: "delete", key: random.between(1, KEYS) };
  return { kind: random.pick(["insert", "insert", "update", "update", "update"] as const), ...drawKey(random) };
}

function drawDdl(random: Random, ddl: typeof DDL): Step {
  return random.pick(ddl)(random, random.between(0, 9));
}
