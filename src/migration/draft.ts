import type { Rules, State, TableState } from "../gate/state.ts";
import { attnum, type Attnum, type Column, type Table } from "../table/column.ts";
import type { Catalog, CatalogRelation, NamedType, RowSecurity, TableConstraint, TableIndex } from "./catalog.ts";
import type { Constants, Literal } from "./constant.ts";
import type { DdlStep, TableName } from "./ddl-step.ts";
import { namedTypesIn } from "./type.ts";

/**
 * A copy of the captured tables, and of what else the migration names, to which its steps are applied. It is made from
 * the catalog where that was read, and from the connector's state otherwise.
 */
export interface Draft {
  readonly rules: Rules;
  readonly tables: DraftTable[];
  readonly others: OtherRelation[];
  types: NamedType[];
  /** undefined if the database was not asked. */
  readonly catalog: Catalog | undefined;
  readonly constants: Constants;
  /** Literals that the server still has to be asked about. */
  readonly asks: Literal[];
  /** By the number of a condition of an IF: whether what it asks for existed then; undefined if that is not known. */
  readonly decided: Map<number, boolean | undefined>;
  /** The OID that the next created type gets. It differs from every OID in the database. */
  nextOid: number;
}

/** A captured table. */
export interface DraftTable {
  readonly before: TableState;
  /** The table before the migration. */
  readonly base: Table;
  readonly ancestors: readonly number[];
  schema: string;
  name: string;
  columns: readonly Column[];
  next: number;
  indexes: readonly TableIndex[];
  constraints: readonly TableConstraint[];
  replicaIdentity: Table["replicaIdentity"];
  /** The steps that changed a column or the key. */
  readonly steps: Map<Attnum | "key", DdlStep[]>;
  moved: DdlStep | undefined;
  dropped: DdlStep | undefined;
  readonly securityBefore: RowSecurity;
  security: RowSecurity;
  /** The last step that changed its row level security. */
  secured: DdlStep | undefined;
}

/** A relation that is not captured. */
export interface OtherRelation {
  schema: string;
  name: string;
  readonly oid: number | undefined;
  readonly ancestors: readonly number[];
  /** The step that created it, or gave it its name. */
  arrived: DdlStep | undefined;
  dropped: boolean;
}

export function draftOf(rules: Rules, state: State, catalog: Catalog | undefined, constants: Constants): Draft {
  const tables = [...state.tables.values()].flatMap((table) => draftTable(table, catalog));
  const captured = new Set(tables.map(({ base }) => Number(base.oid)));
  const others = (catalog?.relations ?? []).filter(({ oid }) => !captured.has(oid)).map(otherOf);
  const inColumns = tables.flatMap(({ columns }) => columns.flatMap(({ type }) => namedTypesIn(type)));
  const types = [...(catalog?.types ?? []), ...inColumns];
  const first = types.filter((one, index) => types.findIndex(({ type }) => type.oid === one.type.oid) === index);
  return { rules, tables, others, types: first, catalog, constants, asks: [], decided: new Map(), nextOid: 2 ** 32 };
}

function otherOf({ schema, name, oid, ancestors }: CatalogRelation): OtherRelation {
  return { schema, name, oid, ancestors, arrived: undefined, dropped: false };
}

/** Without the catalog: the role is not known to be exempt. */
const NO_SECURITY: RowSecurity = { enabled: false, forced: false, owned: false, exempt: false };

function draftTable(before: TableState, catalog: Catalog | undefined): readonly DraftTable[] {
  const { oid } = before.shape.table;
  const base = catalog === undefined ? tableOfState(before) : catalog.tables.get(oid);
  // A table that no longer exists cannot be changed.
  if (base === undefined) return [];
  const relation = catalog?.relations.find((one) => one.oid === Number(oid));
  const { schema, name, columns, maxAttnum, replicaIdentity } = base;
  const security = relation?.security ?? NO_SECURITY;
  return [
    {
      before,
      base,
      ancestors: relation?.ancestors ?? [],
      schema,
      name,
      columns,
      next: maxAttnum + 1,
      indexes: catalog?.indexes.get(oid) ?? primaryKeyOf(base),
      constraints: catalog?.constraints.get(oid) ?? [],
      replicaIdentity,
      steps: new Map(),
      moved: undefined,
      dropped: undefined,
      securityBefore: security,
      security,
      secured: undefined,
    },
  ];
}

/** Without the catalog: the key that is known is taken to be the primary key, with the name that PostgreSQL gives it. */
function primaryKeyOf({ name, key }: Table): readonly TableIndex[] {
  if (key.length === 0) return [];
  return [{ name: `${name}_pkey`, columns: key, usable: true, primary: true, identifies: false }];
}

/** The table as the state knows it: the columns that flow, and those that are withheld. */
function tableOfState(table: TableState): Table {
  const { shape, amendments } = table;
  const all = new Map<Attnum, Column>();
  for (const { attnum: at, name, type } of table.known) {
    const field = shape.fields.findLast((one) => one.attnum === at);
    const notNull = field?.made?.notNull ?? (field !== undefined && !field.optional);
    const defaultExpr = field?.made?.defaultExpr;
    all.set(at, { attnum: at, name, type, typeName: "", notNull, defaultExpr, identity: false, generated: false });
  }
  for (const { attnum: at, column, kind, gone, gate } of amendments) {
    if (at === undefined || gate.kind === "released") continue;
    if (kind === "dropped" || gone) all.delete(at);
    else if (column !== undefined) all.set(at, column);
  }
  const key = table.rowKey ?? shape.key.map((field) => field.attnum);
  const used = [...all.keys(), ...shape.fields.map((field) => field.attnum), table.assigned ?? 0];
  return {
    ...shape.table,
    columns: [...all.values()].toSorted((left, right) => left.attnum - right.attnum),
    maxAttnum: Math.max(0, ...used),
    key,
    otherKeys: [],
    identified: key,
    replicaIdentity: "default",
    filenode: table.filenode ?? 0,
    estimatedRows: -1,
  };
}

/** The table as the catalog would have it after the steps so far. */
export function tableNow(draft: DraftTable): Table {
  const { base, schema, name, columns, next, replicaIdentity, indexes } = draft;
  const [key = [], ...otherKeys] = keysOf(draft).map((index) => index.columns);
  const identity = indexes.find((index) => identifies(draft, index));
  const identified = identity !== undefined && isKey(draft, identity) ? identity.columns : [];
  return { ...base, schema, name, columns, maxAttnum: next - 1, key, otherKeys, identified, replicaIdentity };
}

/** The indexes that can be the key, the best first, as table-json.ts orders them. */
function keysOf(draft: DraftTable): readonly TableIndex[] {
  const rank = (index: TableIndex) => (identifies(draft, index) ? 0 : index.primary ? 1 : 2);
  return draft.indexes
    .filter((index) => isKey(draft, index))
    .toSorted((left, right) => rank(left) - rank(right) || (left.name < right.name ? -1 : 1));
}

function isKey({ columns }: DraftTable, index: TableIndex): boolean {
  const isSure = (at: Attnum) => columns.some((column) => column.attnum === at && column.notNull);
  return index.usable && index.columns.every(isSure);
}

function identifies({ replicaIdentity }: DraftTable, index: TableIndex): boolean {
  if (replicaIdentity === "index") return index.identifies;
  return replicaIdentity === "default" && index.primary;
}

export type Found =
  | { readonly kind: "captured"; readonly table: DraftTable }
  | { readonly kind: "other"; readonly other: OtherRelation }
  | { readonly kind: "several" }
  | { readonly kind: "none" };

/** What a name in the migration means. Without a schema or a search path, a captured table is preferred. */
export function find({ tables, others }: Draft, { schema, name, path }: TableName): Found {
  const captured = tables.filter((table) => table.dropped === undefined && table.name === name);
  const rest = others.filter((other) => !other.dropped && other.name === name);
  if (schema === undefined && path === undefined) return findAnywhere(captured, rest);
  for (const one of schema === undefined ? (path ?? []) : [schema]) {
    const [table, other] = [captured.find((of) => of.schema === one), rest.find((of) => of.schema === one)];
    if (table !== undefined) return { kind: "captured", table };
    if (other !== undefined) return { kind: "other", other };
  }
  return { kind: "none" };
}

function findAnywhere(captured: readonly DraftTable[], rest: readonly OtherRelation[]): Found {
  const [table, ...more] = captured;
  const [other] = [...rest.filter((one) => one.schema === "public"), ...rest];
  if (table === undefined) return other === undefined ? { kind: "none" } : { kind: "other", other };
  const hidden = table.schema !== "public" && other?.schema === "public";
  return more.length > 0 || hidden ? { kind: "several" } : { kind: "captured", table };
}

/** The captured tables that inherit from this one, or are its partitions, and therefore change with it. */
export function below({ tables }: Draft, found: Found, { only }: TableName): readonly DraftTable[] {
  const oid =
    found.kind === "captured" ? Number(found.table.base.oid) : found.kind === "other" ? found.other.oid : undefined;
  if (oid === undefined || only === true) return [];
  return tables.filter(({ ancestors, dropped }) => dropped === undefined && ancestors.includes(oid));
}

export function nextAttnum(table: DraftTable): Attnum {
  return attnum(table.next++);
}

/** True if the table is a partition of a captured table, or inherits from one. */
export function isPartOfCaptured({ tables }: Draft, { ancestors }: DraftTable | OtherRelation): boolean {
  return tables.some(({ base }) => ancestors.includes(Number(base.oid)));
}
