/** 200 contracts on one table of 30 columns, and 50 alterations of it: who is ready for each is what is timed. */
import type { Contract } from "../../src/contract/contract.ts";
import type { Amendment } from "../../src/gate/amendment.ts";
import { weigh } from "../../src/gate/settle.ts";
import type { State, TableState } from "../../src/gate/state.ts";
import { type Column, attnum } from "../../src/table/column.ts";
import type { Json } from "../../src/table/shape.ts";
import { candidateFor, play, publishing, RULES, seen, stateOf, tableIn, TOPIC, WHEN } from "../gate/customers.ts";

const CONTRACTS = 200;

/** pg_type's numbers: int, bigint, text, bool, numeric(10,2), timestamp, timestamptz, date, uuid, jsonb, float8. */
const TYPES = [23, 20, 25, 16, 1700, 1114, 1184, 1082, 2950, 3802, 701];

function column(at: number, more: Partial<Column> = {}): Column {
  const oid = TYPES[(at - 1) % TYPES.length] ?? 25;
  const type = { oid, typmod: oid === 1700 ? ((10 << 16) | 2) + 4 : -1 };
  const none = { typeName: "", defaultExpr: undefined, identity: false, generated: false };
  return { attnum: attnum(at), name: `column_${at}`, type, notNull: at === 1 || at % 4 === 0, ...none, ...more };
}

const COLUMNS = Array.from({ length: 30 }, (_, index) => column(index + 1));
const INT = COLUMNS.filter(({ type }) => type.oid === 23);
const TEXT = { oid: 25, typmod: -1 };

/** 30 added, 8 retyped, 12 dropped. */
function alterations(): readonly (readonly Column[])[] {
  const rest = COLUMNS.slice(1);
  const without = (gone: Column) => COLUMNS.filter((one) => one !== gone);
  const retyped = (changed: Column, type: Column["type"]) =>
    COLUMNS.map((one) => (one === changed ? { ...one, type } : one));
  return [
    ...Array.from({ length: 30 }, (_, index) => [...COLUMNS, column(31, { name: `added_${index}`, notNull: false })]),
    ...INT.slice(1, 3).map((one) => retyped(one, { oid: 20, typmod: -1 })),
    ...rest.slice(1, 7).map((one) => retyped(one, one.type.oid === 25 ? { oid: 17, typmod: -1 } : TEXT)),
    ...rest.slice(7, 19).map(without),
  ];
}

interface Altered {
  readonly state: State;
  readonly table: TableState;
  readonly amendment: Amendment;
}

function altered(columns: readonly Column[]): Altered {
  const { state } = play(RULES, stateOf(publishing(COLUMNS)), seen(columns));
  const table = tableIn(state);
  const [amendment] = table.amendments;
  if (amendment === undefined) throw new Error("the alteration is none");
  const answer = { kind: "fits", candidate: candidateFor(state, amendment.id) } as const;
  return { state, table, amendment: { ...amendment, answer } };
}

/** A third decodes with its own schema, every fifth gets the row alone; each reads some columns and not others. */
function contracts(): readonly Contract[] {
  const envelope = publishing(COLUMNS).shape.valueSchema.text;
  return Array.from({ length: CONTRACTS }, (_, index) => {
    const base = { version: 1, environment: RULES.environment, consumer: `consumer-${index}`, topic: TOPIC } as const;
    const unknownFields = index % 2 === 0 ? "reject" : "accept";
    const runtime = ["java", "kafkajs", "python"][index % 3];
    const view = index % 5 === 0 ? "row" : "envelope";
    const more = { ...base, unknownFields, runtime, view } as const;
    if (index % 3 === 0) {
      const json = JSON.parse(envelope) as Json; // as the registry gave it
      return { ...more, decodesWith: "reader", schema: view === "row" ? rowIn(json) : json };
    }
    const fields = COLUMNS.filter((_column, at) => (at + index) % 3 !== 0).map(({ name }) => name);
    return { ...more, decodesWith: "writer", fields };
  });
}

/** The record of `before`, spelled out there. */
function rowIn(envelope: Json): Json {
  const { fields } = envelope as { fields: { type: Json[] }[] }; // Debezium's envelope
  return fields[0]?.type[1] ?? null;
}

/**
 * Judges all on all once, from contracts nothing is known of; how many verdicts were what, and how long it took: `ms` by
 * the clock or as time of the processor, whichever is less, so that a machine that does other work changes nothing.
 */
export function judgeAll(): { readonly ms: number; readonly verdicts: Readonly<Record<string, number>> } {
  const all = alterations().map(altered);
  const asked = new Map(contracts().map((contract) => [contract.consumer, contract]));
  const begun = performance.now();
  const used = process.cpuUsage();
  const given = all.flatMap(({ state, table, amendment }) =>
    weigh(RULES, { ...state, contracts: asked }, table, amendment, WHEN),
  );
  const clock = performance.now() - begun;
  const { user, system } = process.cpuUsage(used);
  const ms = Math.min(clock, (user + system) / 1000);
  const verdicts: Record<string, number> = {};
  for (const { verdict } of given) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  return { ms, verdicts };
}
