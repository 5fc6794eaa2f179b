import type { Random } from "./random.ts";

/** Values of these columns are never published: no record in any topic may have their bytes. */
export const HUSH = "HUSH~";

/** A text in all values of a column that is added later, so that a leaked value is found in any bytes. */
export function markerOf(column: string): string {
  return `~${column}~`;
}

export type Kind = "text" | "big" | "defaulted" | "volatile" | "number" | "flag" | "hush";

export interface Added {
  readonly name: string;
  readonly kind: Kind;
}

/** A captured table. A writer owns the keys whose first column, modulo the number of writers, is its own number. */
export interface KillTable {
  readonly name: string;
  readonly key: readonly string[];
  readonly create: string;
  readonly fill: string;
  /** The columns other than key and counter. */
  readonly columns: readonly Added[];
  /** The keys that `fill` inserts. */
  readonly keys: () => readonly (readonly string[])[];
  /** A random key of this owner, whether its row exists or not. */
  readonly draw: (random: Random, owner: number, owners: number) => readonly string[];
}

function numbers(count: number): readonly (readonly string[])[] {
  return Array.from({ length: count }, (_, index) => [String(index + 1)]);
}

function owned(most: number) {
  return (random: Random, owner: number, owners: number): readonly string[] => [
    String(random.between(1, Math.floor(most / owners) - 1) * owners + owner),
  ];
}

export const BULK = "bulk";
export const BULK_ROWS = 12_000;

export const TABLES: readonly KillTable[] = [
  {
    name: "accounts",
    key: ["id"],
    create: "create table accounts (id int primary key, n bigint not null, note text, flag boolean)",
    fill: "insert into accounts select i, 1, 'note ' || i, i % 2 = 0 from generate_series(1, 1500) i",
    columns: [
      { name: "note", kind: "text" },
      { name: "flag", kind: "flag" },
    ],
    keys: () => numbers(1500),
    draw: owned(3000),
  },
  {
    name: "lines",
    key: ["a", "b"],
    create:
      "create table lines (a int, b text, n bigint not null, note text, primary key (a, b));" +
      "alter table lines replica identity full",
    fill: "insert into lines select i, 'b1', 1, 'line ' || i from generate_series(1, 400) i",
    columns: [{ name: "note", kind: "text" }],
    keys: () => numbers(400).map(([a]) => [a ?? "", "b1"]),
    draw: (random, owner, owners) => [
      String(random.between(1, Math.floor(500 / owners) - 1) * owners + owner),
      `b${random.between(1, 3)}`,
    ],
  },
  {
    name: "documents",
    key: ["id"],
    create:
      "create table documents (id int primary key, n bigint not null, title text, body text);" +
      "alter table documents alter body set storage external",
    fill: "insert into documents select i, 1, 'title ' || i, repeat('body ' || i, 500) from generate_series(1, 2000) i",
    columns: [
      { name: "title", kind: "text" },
      { name: "body", kind: "big" },
    ],
    keys: () => numbers(2000),
    draw: owned(4000),
  },
  {
    name: BULK,
    key: ["id"],
    create: `create table ${BULK} (id int primary key, n bigint not null, note text)`,
    fill: `insert into ${BULK} select i, 1, 'bulk' from generate_series(1, ${BULK_ROWS}) i`,
    columns: [{ name: "note", kind: "text" }],
    keys: () => numbers(BULK_ROWS),
    draw: owned(BULK_ROWS),
  },
];

/** Defaults such as `random()` rewrite the table with values that are in no row event. */
export function addColumn(table: string, { name, kind }: Added): string {
  const add = `alter table ${table} add column ${name}`;
  switch (kind) {
    case "text":
    case "hush":
      return `${add} text`;
    case "big":
      return `${add} text; alter table ${table} alter ${name} set storage external`;
    case "defaulted":
      return `${add} text default 'as ever'`;
    case "volatile":
      return `${add} text not null default ('${markerOf(name)}' || (random() * 1000000)::int)`;
    case "number":
      return `${add} int not null default 5`;
    case "flag":
      return `${add} boolean`;
    default:
      return kind satisfies never;
  }
}

export function valueOf(column: Added, random: Random): string | null {
  const text = `${markerOf(column.name)}${random.between(0, 999_999)}`;
  switch (column.kind) {
    case "text":
    case "defaulted":
      return random.chance(0.15) ? null : text;
    case "volatile":
      return text;
    case "big":
      return random.chance(0.1) ? null : text + "x".repeat(random.between(2500, 3500));
    case "number":
      return String(random.between(0, 9));
    case "flag":
      return random.chance(0.5) ? "true" : "false";
    case "hush":
      return `${HUSH}${random.between(0, 999_999)}`;
    default:
      return column.kind satisfies never;
  }
}
