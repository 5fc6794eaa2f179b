import { known } from "../contract/known.ts";
import { schemaHash } from "../../src/avro/hash.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { fieldOf } from "../../src/event/field.ts";
import { DEFAULT_MODES } from "../../src/event/types/modes.ts";
import { envelopeSchema, keySchema } from "../../src/event/envelope/schema.ts";
import type { Amendment, Candidate, RegistryAnswer, Explanation } from "../../src/gate/amendment/amendment.ts";
import { candidateOf, type Made } from "../../src/gate/amendment/candidate.ts";
import type { Difference } from "../../src/gate/amendment/differ.ts";
import { NO_EVIDENCE } from "../../src/gate/evidence/evidence.ts";
import type { Input, OperatorCommand, Rules, State, Decided, TableState, When } from "../../src/gate/state.ts";
import { findAmendment } from "../../src/gate/update.ts";
import { decide } from "../../src/gate/decide.ts";
import { attnum, type Attnum, type Column, type Table, tableOid } from "../../src/table/column.ts";
import { type Field, schemaId } from "../../src/table/shape.ts";
import type { Relation } from "../../src/wal/message.ts";
import type { Json } from "../../src/json.ts";
import type { CaptureFilter } from "../../src/capture/lists.ts";
import { newAmendment } from "../../src/gate/amendment/revise.ts";

export const TOPIC = "inventory.public.customers";
const EVERYTHING: CaptureFilter = { table: () => true, column: () => true, keyColumns: () => undefined };
export const RULES: Rules = {
  mode: "guard",
  "fieldgate.environment": "default",
  "fieldgate.release.policy": "contracts",
  policyOf: new Map(),
  "fieldgate.groups.seen": 7 * 86_400_000,
  "fieldgate.contracts.stale": 14 * 86_400_000,
  "fieldgate.backfill.max.rows": 1000,
  modes: DEFAULT_MODES,
  filter: EVERYTHING,
};

/** The rules with this release policy. */
export function withPolicy(policy: Rules["fieldgate.release.policy"], rules: Rules = RULES): Rules {
  return { ...rules, "fieldgate.release.policy": policy };
}
export const MANUAL = withPolicy("manual");
export const OBSERVE = withPolicy("observe");

export const WHEN: When = { position: "0/100", time: "2026-01-01T00:00:00.000Z" };

/** `tid`, a row's place on disk, is a type that Fieldgate will never map. */
export const OIDS = { int: 23, bigint: 20, text: 25, tid: 27 } as const;

export function column(at: number, name: string, type: keyof typeof OIDS, more: Partial<Column> = {}): Column {
  return {
    attnum: attnum(at),
    name,
    type: { oid: OIDS[type], typmod: -1 },
    typeName: type,
    notNull: false,
    defaultExpr: undefined,
    missing: null,
    identity: false,
    generated: false,
    ...more,
  };
}

export const ID = column(1, "id", "int", { notNull: true });
export const NAME = column(2, "name", "text");
export const NICK = column(3, "nick", "text");
export const ZIP = column(4, "zip", "text");

/** The field of a column whose type is mapped. */
export function fieldFor(of: Column): Field {
  const mapped = fieldOf(of, RULES.modes);
  if (mapped.kind !== "field") throw new Error(`${of.name} is not mapped`);
  return mapped.field;
}

export function tableOf(columns: readonly Column[], keyed = true): Table {
  return {
    oid: tableOid(5000),
    schema: "public",
    name: "customers",
    columns,
    maxAttnum: Math.max(...columns.map((one) => one.attnum)),
    key: keyed ? [attnum(1)] : [],
    otherKeys: [],
    identified: keyed ? [attnum(1)] : [],
    replicaIdentity: "default",
    filenode: 1,
    estimatedRows: 10,
  };
}

/** A table that publishes these columns; nothing else is known about it. */
export function publishing(columns: readonly Column[] = [ID, NAME], keyed = true): TableState {
  const fields = columns.map(fieldFor);
  const key = keyed ? fields.slice(0, 1) : [];
  const keyJson = keySchema(TOPIC, key);
  const valueSchema = { id: schemaId(1), text: JSON.stringify(envelopeSchema(TOPIC, fields)) };
  return {
    shape: {
      topic: TOPIC,
      table: { oid: tableOid(5000), schema: "public", name: "customers" },
      fields,
      key,
      valueSchema,
      keySchema: keyJson === undefined ? undefined : { id: schemaId(2), text: JSON.stringify(keyJson) },
    },
    known: columns.map(({ attnum: at, name, type }) => ({ attnum: at, name, type })),
    assigned: lastOf(columns),
    filenode: 1,
    amendments: [],
    leftOut: [],
    doubt: false,
    flowed: [valueSchema],
  };
}

export function stateOf(table: TableState = publishing(), ...contracts: readonly Contract[]): State {
  return {
    tables: new Map([[table.shape.topic, table]]),
    jobs: new Map(),
    contracts: known(...contracts),
    outcomes: new Map(),
    evidence: NO_EVIDENCE,
  };
}

function lastOf(columns: readonly Column[]): number {
  return Math.max(0, ...columns.map((one) => Number(one.attnum)));
}

function relationOf(columns: readonly Column[], keyed = true, key: readonly number[] = [1]): Relation {
  return {
    kind: "relation",
    oid: 5000,
    schema: "public",
    name: "customers",
    identity: "default",
    columns: columns.map(({ attnum: at, name, type }) => ({
      name,
      typeOid: type.oid,
      typmod: type.typmod,
      key: keyed && key.includes(at),
    })),
  };
}

/** The first row of a table with these columns; `doubtful` ones could not be identified. */
export function seen(
  columns: readonly Column[],
  more: {
    readonly catalog?: Table;
    readonly doubtful?: readonly Attnum[];
    readonly keyed?: boolean;
    readonly key?: readonly number[];
    readonly explained?: Explanation;
    readonly rewritten?: boolean;
    readonly as?: string;
  } = {},
): Extract<Input, { kind: "seen" }> {
  const keyed = more.keyed ?? true;
  const key = (more.key ?? [1]).map(attnum);
  const live = keyed ? { ...tableOf(columns), key } : tableOf(columns, false);
  const relation = relationOf(columns, keyed, key);
  return {
    kind: "seen",
    assigned: lastOf(columns),
    topic: TOPIC,
    relation: { ...relation, name: more.as ?? relation.name },
    columns: columns.map((one) => (more.doubtful?.includes(one.attnum) ? undefined : one.attnum)),
    table: more.catalog ?? live,
    explained: more.explained,
    rewritten: more.rewritten,
  };
}

/** The amendment for a column that the topic lacks. */
function addedOf(of: Column, more: Partial<Difference> = {}): Difference {
  const mapped = fieldOf(of, RULES.modes);
  const unmapped = mapped.kind === "left-out" ? mapped.finding : undefined;
  const none = { changes: [], key: undefined, gone: false } as const;
  return { kind: "added", attnum: of.attnum, name: of.name, column: of, ...none, unmapped, ...more };
}

export function added(of: Column, more: Partial<Difference> = {}): Amendment {
  return newAmendment(TOPIC, addedOf(of, more), WHEN);
}

/** The amendment that a table leads to; throws if there is none. */
export function madeOf(table: TableState, amendment: Amendment, wide = false, rules = RULES): Made {
  const making = candidateOf(rules, table, amendment, wide);
  if (making.kind === "none") throw new Error(making.why.kind);
  return making.made;
}

/** The candidate of an amendment for the table's present state. */
export function candidateFor(state: State, id: string, wide = false, rules = RULES): Candidate {
  const found = findAmendment(state, id);
  if (found === undefined) throw new Error(`no amendment ${id}`);
  return madeOf(found.table, found.amendment, wide, rules).candidate;
}

export function fits(state: State, id: string, rules = RULES): Input {
  const answer: RegistryAnswer = { kind: "fits", candidate: candidateFor(state, id, false, rules) };
  return { kind: "judged", id, answer };
}

/** The registry accepted an amendment that waits to be released. */
export function registered(
  state: State,
  id: string,
  more: { readonly estimatedRows?: number; readonly wide?: boolean } = {},
): Input {
  const { text } = candidateFor(state, id, more.wide);
  const hash = schemaHash(JSON.parse(text) as Json); // the candidate's own text
  return { kind: "registered", id, hash, schema: { id: schemaId(7), text }, estimatedRows: more.estimatedRows ?? 10 };
}

export const idOf = (one: Column): string => `${TOPIC}/${one.attnum}`;

export const REPLICA: Contract = {
  version: 1,
  environment: "default",
  consumer: "replica",
  topic: TOPIC,
  decodesWith: "writer",
  unknownFields: "reject",
  fields: ["id", "name"],
};

/** Rows were published without what is withheld. */
export const PASSED: Extract<Input, { kind: "passed" }> = { kind: "passed", topic: TOPIC, doubt: false };

export const release = (ids: readonly string[], more: Partial<OperatorCommand> = {}): Input => ({
  kind: "command",
  command: {
    id: "c1",
    kind: "release",
    ids,
    reason: undefined,
    force: false,
    backfill: undefined,
    actor: "anna",
    ...more,
  },
});

/** Runs inputs one after the other and returns the last step. Each input may depend on the state before it. */
export function play(rules: Rules, state: State, ...inputs: readonly (Input | ((state: State) => Input))[]): Decided {
  let step: Decided = { state, effects: [] };
  for (const input of inputs) {
    step = decide(rules, step.state, typeof input === "function" ? input(step.state) : input, WHEN);
  }
  return step;
}

export function tableIn(state: State): TableState {
  const table = state.tables.get(TOPIC);
  if (table === undefined) throw new Error("no table");
  return table;
}

export function fieldNames(state: State): readonly string[] {
  return tableIn(state).shape.fields.map((field) => field.name);
}

/** The effects as text, in order, such as `register/…/3`. */
export function effectsOf(step: Decided): readonly string[] {
  return step.effects.map((effect) =>
    effect.kind === "stop"
      ? `stop ${effect.error.code}`
      : `${effect.kind} ${"topic" in effect ? effect.topic : effect.id}`,
  );
}
