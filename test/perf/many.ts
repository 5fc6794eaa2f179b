/** A connector with 2,000 tables, 6,000 withheld amendments and 10,000 contracts, to measure what one input costs. */
import { contractKey } from "../../src/contract/contract.ts";
import { known } from "../contract/known.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { candidateOf } from "../../src/gate/amendment/candidate.ts";
import { decide } from "../../src/gate/decide.ts";
import type { Input, State, TableState } from "../../src/gate/state.ts";
import { changes, EMPTY } from "../../src/store/records.ts";
import { tableOid } from "../../src/table/column.ts";
import { column, ID, NAME, NICK, publishing, RULES, stateOf, TOPIC, WHEN, ZIP } from "../gate/customers.ts";
import { newAmendment } from "../../src/gate/amendment/revise.ts";

const TABLES = 2000;
const CONTRACTS = 10_000;
const CITY = column(5, "city", "text");

function topicOf(index: number): string {
  return `${TOPIC}_${index}`;
}

function tableAt(index: number): TableState {
  const table = publishing([ID, NAME]);
  const topic = topicOf(index);
  const { shape } = table;
  const name = `customers_${index}`;
  const added = [NICK, ZIP, CITY].map((one) =>
    newAmendment(
      topic,
      {
        kind: "added",
        attnum: one.attnum,
        name: one.name,
        column: one,
        changes: [],
        key: undefined,
        gone: false,
        unmapped: undefined,
      },
      WHEN,
    ),
  );
  return {
    ...table,
    shape: { ...shape, topic, table: { oid: tableOid(10_000 + index), schema: "public", name } },
    amendments: added,
  };
}

function contractAt(index: number): Contract {
  return {
    version: 1,
    environment: RULES["fieldgate.environment"],
    consumer: `consumer-${index}`,
    topic: topicOf(index % TABLES),
    decodesWith: "writer",
    unknownFields: "reject",
    fields: ["id", "name"],
  };
}

export function manyTables(): State {
  const tables = Array.from({ length: TABLES }, (_, index) => tableAt(index));
  const contracts = Array.from({ length: CONTRACTS }, (_, index) => contractAt(index));
  return {
    ...stateOf(),
    tables: new Map(tables.map((table) => [table.shape.topic, table])),
    contracts: known(...contracts),
  };
}

export const INPUTS: Readonly<Record<string, (state: State, index: number) => Input>> = {
  ask: (_, index) => ({ kind: "ask", id: `${topicOf(index)}/3` }),
  judged: (state, index) => {
    const table = state.tables.get(topicOf(index));
    const amendment = table?.amendments[0];
    if (table === undefined || amendment === undefined) throw new Error("no such table");
    const making = candidateOf(RULES, table, amendment);
    if (making.kind === "none") throw new Error(making.why.kind);
    return { kind: "judged", id: amendment.id, answer: { kind: "fits", candidate: making.made.candidate } };
  },
  contract: (_, index) => {
    const contract = { ...contractAt(index), consumer: `new-${index}` };
    return { kind: "contract", key: contractKey(contract), contract };
  },
  "a release by id": (_, index) => ({
    kind: "command",
    command: { id: `c-${index}`, kind: "release", ids: [`${topicOf(index)}/4`], actor: "a", force: true, reason: "r" },
  }),
  "a withhold by name": (_, index) => ({
    kind: "command",
    command: { id: `w-${index}`, kind: "withhold", ids: [`${topicOf(index)}.city`], actor: "a" },
  }),
  passed: (_, index) => ({ kind: "passed", topic: topicOf(index), doubt: false }),
  settle: (_, index) => ({ kind: "settle", topic: topicOf(index) }),
};

/** The registry has accepted the first field of this many tables, so a contract for one of them is judged at once. */
export function withAccepted(start: State, count: number): State {
  const { judged } = INPUTS;
  if (judged === undefined) throw new Error("there is no such input");
  let state = start;
  for (let index = 0; index < count; index++) state = decide(RULES, state, judged(state, index), WHEN).state;
  return state;
}

/** Decides on `count` inputs of a kind; the processor time of one in milliseconds, its records included. */
export function cpuOfOne(start: State, make: (state: State, index: number) => Input, count: number): number {
  let state = start;
  let used = 0;
  for (let index = 0; index < count; index++) {
    const input = make(state, index);
    const begun = process.cpuUsage();
    const next = decide(RULES, state, input, WHEN).state;
    changes({ ...EMPTY, ...state, evidence: new Map() }, { ...EMPTY, ...next, evidence: new Map() });
    const { user, system } = process.cpuUsage(begun);
    used += (user + system) / 1000;
    state = next;
  }
  return used / count;
}

/** The first look at the consumer groups of all topics. */
export function cpuOfFirstLook(state: State): number {
  const seen = (index: number) => ({ group: `consumer-${index}`, members: 1, offsets: new Map(), readers: new Map() });
  const byTopic = new Map([...state.tables.keys()].map((topic, index) => [topic, [seen(index)]]));
  const begun = process.cpuUsage();
  decide(RULES, state, { kind: "groups", poll: { kind: "seen", at: 1, byTopic } }, WHEN);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}
