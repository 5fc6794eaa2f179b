import type { Client } from "pg";
import type { Collector } from "../stack/collect.ts";
import type { Decoder } from "../stack/decode.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { AcknowledgedSampler } from "./acknowledged.ts";
import { eventReader, type Seen } from "./events.ts";
import { leakCheck, type LeakCheck } from "./leak.ts";
import { type Rebuilt, rebuild } from "./rebuild.ts";
import { type Sequences, sequences } from "./sequence.ts";
import type { StateTopic } from "./state.ts";
import { TABLES } from "./tables.ts";
import type { Truth } from "./truth.ts";

/** Thrown when something is observed that must never happen. */
export class CheckFailed extends Error {
  readonly details: readonly string[];

  constructor(what: string, details: readonly string[]) {
    super(what);
    this.details = details;
  }
}

export interface Checks {
  readonly leaks: LeakCheck;
  readonly compared: Sequences["compared"];
  /** Compares the events since the last call with the changes. Throws CheckFailed. */
  verify(): Promise<void>;
  /** Changes without an event so far. */
  missing(): readonly string[];
  /** Compares the tables rebuilt from events with the source, once nothing is in progress. Throws CheckFailed. */
  equal(client: Client): Promise<void>;
}

interface Parts {
  readonly truth: Truth;
  readonly events: Collector;
  readonly decoder: Decoder;
  readonly state: StateTopic;
  readonly acknowledged: AcknowledgedSampler;
}

export function openChecks({ truth, events, decoder, state, acknowledged }: Parts): Checks {
  const leaks = leakCheck();
  const all = sequences();
  const tables = new Map(TABLES.map(({ name }) => [name, rebuild(name)]));
  const read = eventReader(events, decoder);
  const tombstones = tombstoneCheck();
  return {
    leaks,
    compared: all.compared,
    missing: () => all.missing(),
    async verify() {
      const [first] = state.positions;
      if (first === undefined) return;
      const seen = await read().catch((error: unknown) => {
        throw new CheckFailed("an event cannot be read with the schema in its header", [String(error)]);
      });
      await truth.read(lsn(first.endLsn), (table, key, entry) => all.expect(table, key, entry));
      const leaked: string[] = [];
      for (const event of seen) {
        const leak = await leaks.leakOf(event, decoder);
        if (leak !== undefined) leaked.push(`${event.table}/${event.key}: ${leak}`);
        take(event, all, tables);
      }
      mustBeNone("a withheld value was published", leaked);
      mustBeNone("events differ from changes", all.problems());
      mustBeNone("a delete and its tombstone are not adjacent", seen.flatMap(tombstones));
      const ahead = acknowledged.ahead(state.positions);
      mustBeNone("acknowledged before it was committed", ahead === undefined ? [] : [ahead]);
    },
    async equal(client) {
      for (const [name, rebuilt] of tables) {
        const table = state.now().tables.find(({ shape }) => shape.table.name === name);
        if (table === undefined) throw new CheckFailed("a table has no state", [name]);
        const schema = state.now().schemaText(table.shape.topic, table.shape.valueSchema);
        mustBeNone(
          "a table rebuilt from events differs from the source",
          await rebuilt.differences(client, table, schema),
        );
      }
    },
  };
}

function take(event: Seen, all: Sequences, tables: ReadonlyMap<string, Rebuilt>): void {
  const { table, key, op, n, xid } = event;
  if (op === undefined) return;
  all.see(table, key, { op, n, xid: op === "r" ? undefined : xid });
  tables.get(table)?.apply(event);
}

/** A tombstone must follow directly after each d, in the same partition, and must not appear anywhere else. */
function tombstoneCheck(): (seen: Seen) => readonly string[] {
  const open = new Map<string, string>();
  return ({ table, key, op, record }) => {
    const partition = `${table}[${record.partition}]`;
    const due = open.get(partition);
    if (op === "d") open.set(partition, key);
    else open.delete(partition);
    if (op === undefined ? due === key : due === undefined) return [];
    return [`${partition} offset ${record.offset}: key ${key}, after a delete of ${due ?? "nothing"}`];
  };
}

export function mustBeNone(what: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new CheckFailed(`${what}: ${problems.length} times`, problems.slice(0, 12));
}
