import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Amendment, Verdict } from "../../src/gate/amendment/amendment.ts";
import type { TableState } from "../../src/gate/state.ts";
import { changes, EMPTY, replay, type Stored } from "../../src/store/records.ts";
import type { StateRecord } from "../../src/store/record.ts";
import {
  candidateFor,
  column,
  idOf,
  NICK,
  play,
  publishing,
  RULES,
  seen,
  stateOf,
  tableIn,
  TOPIC,
} from "../gate/customers.ts";

/** Kafka's default for max.message.bytes, less what a batch itself needs. */
const MIB = 1_048_576 - 4096;

function largest(records: readonly StateRecord[]): number {
  return Math.max(...records.map(({ key, value }) => Buffer.byteLength(key) + Buffer.byteLength(value ?? "")));
}

function columns(count: number, prefix: string, from = 1) {
  return Array.from({ length: count }, (_, index) =>
    column(from + index, `${prefix}_${index}`, index === 0 && from === 1 ? "int" : "text"),
  );
}

function withTables(...tables: readonly TableState[]): Stored {
  return { ...EMPTY, tables: new Map(tables.map((table) => [table.shape.topic, table])) };
}

/** 300 columns, and as many further withheld ones as given. The candidates are real ones. */
function wide(added: number): TableState {
  const there = columns(300, "column_with_a_long_name");
  const table = publishing(there);
  const { state } = play(RULES, stateOf(table), seen([...there, ...columns(added, "added_with_a_long_name", 301)]));
  const amendments = tableIn(state).amendments.map((amendment): Amendment => ({
    ...amendment,
    answer: { kind: "fits", candidate: candidateFor(state, amendment.id) },
  }));
  expect(amendments).toHaveLength(added);
  return { ...tableIn(state), amendments };
}

function verdicts(count: number): readonly Verdict[] {
  const finding = {
    rule: "contract/field-missing",
    severity: "error",
    certainty: "always",
    message: "m".repeat(500),
  } as const;
  return Array.from({ length: count }, (_, index) => ({
    consumer: `consumer-with-a-long-name-${index}`,
    environment: "production",
    verdict: "not-ready",
    findings: [finding, finding],
  }));
}

it("no record is above Kafka's limit with 400 contracts, 100 amendments and 300 columns, withheld or released", () => {
  const table = wide(100);
  const waitedFor = verdicts(400).map(({ consumer }) => consumer);
  const reason = { kind: "not-ready", consumers: waitedFor } as const;
  const withheld = table.amendments.map((one): Amendment => ({
    ...one,
    verdicts: verdicts(400),
    gate: { kind: "withheld", since: "0/1", time: "t", reason },
    alerted: { key: JSON.stringify(reason), time: "t", reminders: 0 },
  }));
  const released = withheld.map((one): Amendment => ({
    ...one,
    gate: { kind: "released", since: "0/1", time: "t", reason, schemaId: 1, wouldHaveWaitedFor: waitedFor },
  }));
  const before = withTables({ ...table, amendments: withheld });
  const after = withTables({ ...table, amendments: released });
  const waiting = changes(EMPTY, before);
  expect(largest(waiting)).toBeLessThan(MIB / 4);
  // A verdict on a withheld amendment is never stored, because it is judged again at every start.
  expect(waiting).toHaveLength(102);
  const flowing = changes(before, after);
  expect(largest(flowing)).toBeLessThan(MIB / 4);
  const read = replay([...waiting, ...flowing]).tables.get(TOPIC);
  expect(read?.amendments.map((one) => one.verdicts)).toEqual(released.map((one) => one.verdicts));
});

it("a change of one amendment among 100 writes one record", () => {
  const table = wide(100);
  const next = table.amendments.map((one, index) => (index === 50 ? { ...one, missed: true } : one));
  const records = changes(withTables(table), withTables({ ...table, amendments: next }));
  expect(records.map(({ key }) => key)).toEqual([`amendment/${table.amendments[50]?.id}`]);
});

it("no record is above Kafka's limit for 8,000 groups, an enum of 40,000 labels, or keys of 2.5 KB to read again", () => {
  const groups = Array.from({ length: 8000 }, (_, index) => ({
    group: `${"g".repeat(240)}${index}`,
    first: 1,
    active: 1,
    moved: 1,
    members: 1,
    committed: { partitions: 1, sum: "1" },
    readers: {},
  }));
  const allowed = Array.from({ length: 40_000 }, (_, index) => `label_number_${index}_é"`).join(",");
  const type = { type: "string", "connect.parameters": { allowed } };
  const table = publishing();
  const fields = table.shape.fields.map((field) => ({ ...field, avro: { name: field.name, type } }));
  const job = {
    id: "snapshot/t",
    topic: TOPIC,
    kind: "snapshot",
    column: undefined,
    due: "all",
    cursor: undefined,
    again: Array.from({ length: 2000 }, (_, index) => [`${"k".repeat(2500)}${index}`]),
    rows: 0,
    scanned: 0,
    estimate: -1,
    state: "running",
    reason: undefined,
  } as const;
  const text = JSON.stringify({ type: "record", allowed });
  const shape = { ...table.shape, fields, valueSchema: { ...table.shape.valueSchema, text } };
  const stored: Stored = {
    ...withTables({ ...table, shape, flowed: [shape.valueSchema] }),
    jobs: new Map([["snapshot/t", job]]),
    evidence: new Map([[TOPIC, { began: 1, at: 1, groups, contracts: {} }]]),
  };
  const records = changes(EMPTY, stored);
  expect(largest(records)).toBeLessThan(MIB / 2);
  const read = replay(records);
  expect(read.evidence).toEqual(stored.evidence);
  expect(read.jobs.get("snapshot/t")?.again).toEqual(job.again);
  expect(read.tables.get(TOPIC)?.shape.valueSchema.text).toBe(text);
  // A value that later needs fewer records leaves none behind.
  const small: Stored = { ...EMPTY, jobs: new Map([["snapshot/t", { ...job, again: [] }]]) };
  const left = new Map<string, string>();
  for (const { key, value } of [...records, ...changes(stored, small)]) {
    if (value === null) left.delete(key);
    else left.set(key, value);
  }
  // The texts of schemas remain.
  expect([...left.keys()].filter((key) => !key.includes("schema/"))).toEqual(["job/snapshot/t"]);
});

/** Records as version 2 wrote them, with the registry's answers and verdicts in the table's record. */
const VERSION_2 = JSON.parse(readFileSync(new URL("state-2.json", import.meta.url), "utf8")) as Readonly<
  Record<"withheld" | "released", readonly { readonly key: string; readonly value: object }[]>
>; // ours

function recorded(which: keyof typeof VERSION_2): readonly StateRecord[] {
  return VERSION_2[which].map(({ key, value }) => ({ key, value: JSON.stringify(value) }));
}

it("state that version 2 wrote can be read, and is written in the present form once it changes", () => {
  const withheld = replay(recorded("withheld"));
  const [waiting] = withheld.tables.get(TOPIC)?.amendments ?? [];
  expect(waiting).toMatchObject({ id: idOf(NICK), answer: undefined, verdicts: [], missed: true });
  expect(waiting?.gate).toMatchObject({ kind: "withheld", reason: { kind: "policy-manual" } });
  const released = replay(recorded("released"));
  const table = released.tables.get(TOPIC);
  expect(table?.amendments[0]?.verdicts.map(({ consumer, verdict }) => `${consumer} ${verdict}`)).toEqual([
    "billing not-ready",
    "search ready",
  ]);
  expect(changes(released, released)).toEqual([]);
  if (table === undefined) throw new Error("the table is in it");
  const next = { ...released, tables: new Map([[TOPIC, { ...table, doubt: true }]]) };
  const records = changes(released, next);
  expect(records.map(({ key }) => key)).toContain(`verdict/${idOf(NICK)}/1`);
  const again = replay([...recorded("released"), ...records]);
  expect(JSON.stringify([...again.tables])).toBe(JSON.stringify([...next.tables]));
  expect(JSON.stringify([...again.jobs, ...again.outcomes])).toBe(JSON.stringify([...next.jobs, ...next.outcomes]));
});
