import { schemaHash } from "../../src/avro/hash.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { fieldOf } from "../../src/event/field.ts";
import { envelopeSchema, keySchema } from "../../src/event/schema.ts";
import type { Answer, Candidate } from "../../src/gate/amendment.ts";
import { candidateOf } from "../../src/gate/candidate.ts";
import type { Input, OperatorCommand, Rules, State, Step, TableState, When } from "../../src/gate/state.ts";
import { findAmendment } from "../../src/gate/update.ts";
import { decide } from "../../src/decide.ts";
import { attnum, type Attnum, type Column, type Table, tableOid } from "../../src/table/column.ts";
import { type Field, type Json, schemaId } from "../../src/table/shape.ts";
import type { Relation } from "../../src/wal/message.ts";

export const TOPIC = "inventory.public.customers";
export const RULES: Rules = {
  environment: "default",
  policy: "contracts",
  policyOf: new Map(),
  backfillMaxRows: 1000,
};
export const WHEN: When = { position: "0/100", time: "2026-01-01T00:00:00.000Z" };

export const OIDS = { int: 23, text: 25, pg_lsn: 3220 } as const;

export function column(at: number, name: string, type: keyof typeof OIDS, more: Partial<Column> = {}): Column {
  return {
    attnum: attnum(at),
    name,
    type: { oid: OIDS[type], typmod: -1 },
    typeName: type,
    notNull: false,
    defaultExpr: undefined,
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
  const mapped = fieldOf(of);
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
    replicaIdentity: "default",
    filenode: 1,
    estimatedRows: 10,
  };
}

/** A table that publishes these columns, and nothing else is known of it. */
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
    contracts: new Map(contracts.map((contract) => [contract.consumer, contract])),
    outcomes: new Map(),
  };
}

export function relationOf(columns: readonly Column[], keyed = true): Relation {
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
      key: keyed && at === 1,
    })),
  };
}

/** The first row of a table with these columns; `doubtful` ones could not be identified. */
export function seen(
  columns: readonly Column[],
  more: { readonly catalog?: Table; readonly doubtful?: readonly Attnum[]; readonly keyed?: boolean } = {},
): Extract<Input, { kind: "seen" }> {
  const keyed = more.keyed ?? true;
  return {
    kind: "seen",
    topic: TOPIC,
    relation: relationOf(columns, keyed),
    columns: columns.map((one) => (more.doubtful?.includes(one.attnum) ? undefined : one.attnum)),
    table: more.catalog ?? tableOf(columns, keyed),
  };
}

/** The candidate of a withheld column as its table is now. */
export function candidateFor(state: State, id: string): Candidate {
  const found = findAmendment(state, id);
  const candidate = found && candidateOf(found.table.shape, found.amendment.column);
  if (candidate === undefined) throw new Error(`no candidate of ${id}`);
  return candidate;
}

export function fits(state: State, id: string): Input {
  const answer: Answer = { kind: "fits", candidate: candidateFor(state, id) };
  return { kind: "judged", id, answer };
}

/** The registry took what waits to be released. */
export function registered(state: State, id: string, more: { readonly estimatedRows?: number } = {}): Input {
  const { text } = candidateFor(state, id);
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

/** Runs inputs one after the other; each may depend on the state before it. The last step. */
export function play(rules: Rules, state: State, ...inputs: readonly (Input | ((state: State) => Input))[]): Step {
  let step: Step = { state, effects: [] };
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

/** `register/…/3` and the like, in order. */
export function effectsOf(step: Step): readonly string[] {
  return step.effects.map((effect) =>
    effect.kind === "stop" ? `stop ${effect.error.code}` : `${effect.kind} ${effect.id}`,
  );
}
