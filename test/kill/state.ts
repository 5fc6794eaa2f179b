import { setTimeout as sleep } from "node:timers/promises";
import type { Collected, Collector } from "../stack/collect.ts";

/** The parts of the state topic's records that this test reads (src/store/records.ts writes them). */
export interface PositionRecord {
  readonly endLsn: string;
  readonly tx?: { readonly commitLsn: string; readonly index: number };
}

export interface TableRecord {
  readonly shape: {
    readonly topic: string;
    readonly table: { readonly name: string };
    readonly fields: readonly { readonly name: string }[];
    /** The schema is in the record schema/<topic>/<id>. */
    readonly valueSchema: number;
  };
  readonly known: readonly { readonly attnum: number; readonly name: string }[];
  readonly amendments: readonly AmendmentRecord[];
}

/** The table's own record names its amendments by what follows the topic in their ids. */
interface WrittenTable extends Omit<TableRecord, "amendments"> {
  readonly amendments: readonly string[];
}

export interface AmendmentRecord {
  readonly id: string;
  readonly column: { readonly name: string };
  readonly gate: { readonly kind: "withheld" | "released" };
  readonly order?: { readonly kind: string };
  readonly alerted?: { readonly key: string };
}

export interface JobRecord {
  readonly id: string;
  readonly kind: "snapshot" | "backfill";
  readonly state: string;
  readonly scanned: number;
}

export interface State {
  /** A schema that flows, or did so earlier. */
  readonly schemaText: (topic: string, id: number) => string;
  readonly position: PositionRecord | undefined;
  readonly tables: readonly TableRecord[];
  readonly jobs: readonly JobRecord[];
}

/** A committed position, and when its record was created. */
export interface Committed {
  readonly endLsn: bigint;
  readonly at: bigint;
}

export interface StateTopic {
  /** The state after the last processed record. */
  now(): State;
  readonly positions: readonly Committed[];
  /** What each session found after its fence: the state that the previous one left. The first is empty. */
  readonly found: readonly State[];
  /** Processes records one by one until the predicate holds. Throws an error with `what` after the deadline. */
  until(predicate: (state: State) => boolean, what: string, deadline?: number): Promise<void>;
  /** Called between the attempts of `until`; may throw to end it. */
  watch: () => void;
}

export function stateTopic(collector: Collector): StateTopic {
  const values = new Map<string, unknown>();
  const positions: Committed[] = [];
  const found: State[] = [];
  let at = 0;
  let cached: State | undefined;
  const now = (): State => (cached ??= stateOf(values));
  const take = (record: Collected): void => {
    const key = record.key?.toString() ?? "";
    if (key === "started") found.push(now());
    cached = undefined;
    const value: unknown = record.value === null ? undefined : JSON.parse(record.value.toString());
    if (value === undefined) values.delete(key);
    else values.set(key, value);
    if (key !== "position") return;
    const { endLsn } = value as PositionRecord; // its key says so
    positions.push({ endLsn: lsnOf(endLsn), at: record.timestamp });
  };
  const topic: StateTopic = {
    now,
    positions,
    found,
    watch: () => {},
    async until(predicate, what, deadline = 60_000) {
      const end = performance.now() + deadline;
      for (;;) {
        if (predicate(now())) return;
        const record = collector.records[at];
        if (record !== undefined) {
          take(record);
          at += 1;
          continue;
        }
        topic.watch();
        if (performance.now() > end) throw new Error(`waited ${deadline} ms in vain until ${what}`);
        await sleep(2);
      }
    },
  };
  return topic;
}

function stateOf(values: ReadonlyMap<string, unknown>): State {
  const all = <T>(prefix: string) =>
    [...values].flatMap(([key, value]) => (key.startsWith(prefix) ? [value as T] : [])); // the key says what it is
  return {
    schemaText: (topic, id) => (values.get(`schema/${topic}/${id}`) as { text: string }).text, // the key says what it is
    position: values.get("position") as PositionRecord | undefined, // the key says what it is
    tables: all<WrittenTable>("table/").map((table) => ({
      ...table,
      // Between two records of one commit, a table may name an amendment that is gone already.
      amendments: table.amendments.flatMap((suffix) => {
        const amendment = values.get(`amendment/${table.shape.topic}/${suffix}`);
        return amendment === undefined ? [] : [amendment as AmendmentRecord]; // the key says what it is
      }),
    })),
    jobs: all<JobRecord>("job/"),
  };
}

export function lsnOf(text: string): bigint {
  const [high, low] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
