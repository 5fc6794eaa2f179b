/** 200 contracts on a table of 30 columns and 50 alterations of it, to measure how long the verdicts take. */
import { known } from "../contract/known.ts";
import { parseSchemaText } from "../../src/avro/schema-text.ts";
import type { Contract } from "../../src/contract/contract.ts";
import type { Amendment } from "../../src/gate/amendment/amendment.ts";
import { weigh } from "../../src/gate/decision/settle.ts";
import type { State, TableState } from "../../src/gate/state.ts";
import { type Column, attnum } from "../../src/table/column.ts";
import { candidateFor, play, publishing, RULES, seen, stateOf, tableIn, TOPIC, WHEN } from "../gate/customers.ts";
import type { Json } from "../../src/json.ts";

const CONTRACTS = 200;

/** OIDs of types: int, bigint, text, bool, numeric(10,2), timestamp, timestamptz, date, uuid, jsonb, float8. */
const TYPES = [23, 20, 25, 16, 1700, 1114, 1184, 1082, 2950, 3802, 701];

function column(at: number, more: Partial<Column> = {}): Column {
  const oid = TYPES[(at - 1) % TYPES.length] ?? 25;
  const type = { oid, typmod: oid === 1700 ? ((10 << 16) | 2) + 4 : -1 };
  const none = { typeName: "", defaultExpr: undefined, identity: false, generated: false };
  return { attnum: attnum(at), name: `column_${at}`, type, notNull: at === 1 || at % 4 === 0, ...none, ...more };
}

const COLUMNS = Array.from({ length: 30 }, (_, index) => column(index + 1));
const INT = COLUMNS.filter(({ type }) => type.oid === 23);
const TABLE = publishing(COLUMNS);
const TEXT = { oid: 25, typmod: -1 };

/** 30 columns are added, 8 retyped and 12 dropped. */
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
  const { state } = play(RULES, stateOf(TABLE), seen(columns));
  const table = tableIn(state);
  const [amendment] = table.amendments;
  if (amendment === undefined) throw new Error("the alteration is none");
  const answer = { kind: "fits", candidate: candidateFor(state, amendment.id) } as const;
  return { state, table, amendment: { ...amendment, answer } };
}

/** What kind of contracts they are. */
export interface Crowd {
  /** Used in turn; undefined: the contract names none. */
  readonly runtimes: readonly (string | undefined)[];
  /** Every how many contracts one has its own schema, each a different one; the others list fields. */
  readonly readers: number;
}

/** A name for each known runtime, and an unknown one. */
const RUNTIMES = ["java", "kafkajs", "fastavro", "python-avro", "ruby", "rust", "go"];

export const CROWDS = {
  "no runtimes": { runtimes: [undefined], readers: 3 },
  "all runtimes": { runtimes: RUNTIMES, readers: 3 },
  "all runtimes, 200 readers' schemas": { runtimes: RUNTIMES, readers: 1 },
} as const satisfies Readonly<Record<string, Crowd>>;

/** Every fifth contract has view row; each reads some of the columns. */
function contracts({ runtimes, readers }: Crowd): readonly Contract[] {
  const envelope = JSON.parse(TABLE.shape.valueSchema.text) as Envelope; // Debezium's
  return Array.from({ length: CONTRACTS }, (_, index) => {
    const base = {
      version: 1,
      environment: RULES["fieldgate.environment"],
      consumer: `consumer-${index}`,
      topic: TOPIC,
    } as const;
    const unknownFields = index % 2 === 0 ? "reject" : "accept";
    const runtime = runtimes[index % runtimes.length];
    const view = index % 5 === 0 ? "row" : "envelope";
    const more = { ...base, unknownFields, runtime, view } as const;
    if (index % readers === 0) return { ...more, decodesWith: "reader", schema: readerOf(envelope, index, view) };
    const fields = COLUMNS.filter((_column, at) => (at + index) % 3 !== 0).map(({ name }) => name);
    return { ...more, decodesWith: "writer", fields };
  });
}

interface Envelope {
  readonly [key: string]: Json;
  readonly fields: readonly Json[];
}

/** Each lacks one or two columns and has a field of its own, so all differ. Some are plain Avro, as if written by hand. */
function readerOf(envelope: Envelope, index: number, view: "row" | "envelope"): Json {
  const [before, ...rest] = envelope.fields as readonly [{ readonly type: readonly [Json, Envelope] }, ...Json[]]; // so are Debezium's
  const [none, row] = before.type;
  const left = row.fields.filter((_field, at) => at === 0 || (at !== 1 + (index % 29) && at !== 1 + (index % 7)));
  const own = { name: `own_${index}`, type: ["null", "string"], default: null };
  const read = { ...row, fields: [...left, own] };
  const schema = view === "row" ? read : { ...envelope, fields: [{ ...before, type: [none, read] }, ...rest] };
  return index % 4 < 2 ? schema : plain(schema);
}

/** The same schema without Connect's properties. */
function plain(schema: Json): Json {
  const text = JSON.stringify(schema, (key, value: Json) => (key.startsWith("connect.") ? undefined : value));
  return JSON.parse(text) as Json; // JSON.stringify wrote it
}

/** Processor time and elapsed time. */
interface Times {
  readonly cpuMs: number;
  readonly wallMs: number;
}

export interface Judged extends Times {
  readonly verdicts: Readonly<Record<string, number>>;
}

/** Judges every contract on every candidate once, without cached results; returns the time and the number of verdicts. */
export function judgeAll(crowd: Crowd): Judged {
  const all = alterations().map(altered);
  const asked = known(...contracts(crowd));
  const verdicts: Record<string, number> = {};
  const times = timed(() => {
    for (const { state, table, amendment } of all) {
      const given = weigh(RULES, { ...state, contracts: asked }, table, amendment, WHEN);
      for (const { verdict } of given) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    }
  });
  return { ...times, verdicts };
}

/** How long it takes to parse the table's schema this often, which shows how busy the machine is. */
export function parseTimes(count: number): Times {
  return timed(() => {
    for (let time = 0; time < count; time++) parseSchemaText(TABLE.shape.valueSchema.text);
  });
}

function timed(work: () => void): Times {
  const begun = performance.now();
  const used = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(used);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - begun };
}
