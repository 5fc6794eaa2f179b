import { describe, expect, test } from "vitest";
import { parseSchema } from "../../src/avro/parse.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { checkFlowing, judge } from "../../src/contract/judge.ts";
import { judgeKey } from "../../src/contract/judge-key.ts";
import { type SeverityChange, whyNotChangeable } from "../../src/contract/severity.ts";
import { type Columns, envelopeOf, writerContract } from "./rows.ts";

const DAY = "2026-11-23";
const timestamp = (unit: string) => ({ type: "long", "connect.name": `io.debezium.time.${unit}` });
const NOW: Columns = { id: "int", at: timestamp("MicroTimestamp") };
const NEXT: Columns = { id: "int", at: timestamp("Timestamp") };
const CHANGED = {
  topic: "inventory.public.customers",
  envelope: parseSchema(envelopeOf(NEXT)),
  flowing: parseSchema(envelopeOf(NOW)),
  added: [],
};
const LOWERED: SeverityChange = {
  rule: "meaning/time-unit",
  severity: "warning",
  reason: "reads both",
  until: "2026-11-23",
};
const reading = (severity: readonly SeverityChange[], more: Partial<Contract> = {}) =>
  writerContract({ fields: ["at"], severity, ...more });

describe("an override of a severity", () => {
  test.each<[string, Contract, readonly SeverityChange[], "ready" | "not-ready", string, RegExp]>([
    ["none", reading([]), [], "not-ready", "error", /\w$/],
    ["on its last day", reading([LOWERED]), [], "ready", "warning", / \(a warning until 2026-11-23: reads both\)$/],
    ["the day after", reading([{ ...LOWERED, until: "2026-11-22" }]), [], "not-ready", "error", /\w$/],
    ["for another rule", reading([{ ...LOWERED, rule: "meaning/decimal-scale" }]), [], "not-ready", "error", /\w$/],
    ["for the field", reading([{ ...LOWERED, field: "at" }]), [], "ready", "warning", /reads both/],
    ["for the field by its path", reading([{ ...LOWERED, field: "after.at" }]), [], "ready", "warning", /reads both/],
    ["for another field", reading([{ ...LOWERED, field: "id" }]), [], "not-ready", "error", /\w$/],
    [
      "for the field takes precedence over one for all fields",
      reading([
        { ...LOWERED, severity: "error" },
        { ...LOWERED, field: "at" },
      ]),
      [],
      "ready",
      "warning",
      /reads both/,
    ],
    [
      "for a field with view row",
      reading([{ ...LOWERED, field: "at" }], { view: "row" }),
      [],
      "ready",
      "warning",
      /reads both/,
    ],
    [
      "in the connector's file",
      reading([]),
      [LOWERED],
      "ready",
      "warning",
      /until 2026-11-23 by the connector's file: reads/,
    ],
    [
      "in the connector's file, expired",
      reading([]),
      [{ ...LOWERED, until: "2026-11-22" }],
      "not-ready",
      "error",
      /\w$/,
    ],
    [
      "in the contract takes precedence",
      reading([{ ...LOWERED, severity: "error" }]),
      [LOWERED],
      "not-ready",
      "error",
      /\w$/,
    ],
  ])("%s", (_, contract, changes, verdict, severity, message) => {
    const judged = judge(contract, CHANGED, { day: DAY, changes });
    expect(judged.verdict).toBe(verdict);
    expect(judged.findings).toMatchObject([{ rule: "meaning/time-unit", severity }]);
    expect(judged.findings[0]?.message).toMatch(message);
  });

  test("can turn a warning into an error that withholds a field, but not on a field that is not read", () => {
    const zip = { type: ["null", "string"], default: null };
    const added = {
      ...CHANGED,
      envelope: parseSchema(envelopeOf({ ...NOW, zip })),
      added: [{ name: "zip" }],
    };
    const raised: SeverityChange = { ...LOWERED, rule: "meaning/null-not-handled", severity: "error" };
    const weights = { day: DAY, changes: [] };
    expect(judge(reading([raised], { fields: ["zip"] }), added, weights)).toMatchObject({
      verdict: "not-ready",
      findings: [{ severity: "error", message: expect.stringContaining("(an error until 2026-11-23: reads both)") }],
    });
    const unread = reading([{ ...LOWERED, severity: "error" }], { fields: ["id"] });
    expect(judge(unread, CHANGED, weights)).toMatchObject({ verdict: "ready", findings: [{ severity: "warning" }] });
  });

  test("does not apply to findings of Avro's rules, even if a contract contains it", () => {
    const schema = envelopeOf({ ...NOW, phone: "string" });
    const rule = "avro/reader-field-missing-default";
    const contract = reading([{ ...LOWERED, rule }], { decodesWith: "reader", schema, fields: undefined });
    const same = { ...CHANGED, envelope: CHANGED.flowing };
    expect(judge(contract, same, { day: DAY, changes: [{ ...LOWERED, rule }] })).toMatchObject({
      verdict: "not-ready",
      findings: [{ rule, severity: "error" }],
    });
  });

  test("also applies to the current events", () => {
    const contract = reading([LOWERED], { decodesWith: "reader", schema: envelopeOf(NEXT), fields: undefined });
    const on = (day: string) => checkFlowing(contract, parseSchema(envelopeOf(NOW)), [], { day, changes: [] }).verdict;
    expect([on("2026-11-23"), on("2026-11-24")]).toEqual(["ready", "not-ready"]);
  });
});

test.each([
  ["meaning/time-unit", undefined],
  ["meaning/key-changed", undefined],
  ["runtime/avsc-namespace", undefined],
  ["meaning/time-units", /did you mean meaning\/time-unit\?/],
  ["time-unit", /did you mean meaning\/time-unit\?/],
  ["meaning/nothing-of-the-kind", /`fieldgate rules` lists them/],
  ["avro/type-mismatch", /^has a fixed severity: only meaning/],
  ["contract/unknown-field", /remain errors$/],
])("the severity of %s can be changed, or the reason is given", (rule, why) => {
  const said = whyNotChangeable(rule);
  if (why === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(why);
});

describe("a changed key", () => {
  const key = (columns: Columns) => {
    const fields = Object.entries(columns).map(([name, type]) => ({ name, type }));
    const schema = parseSchema({ type: "record", name: "Key", fields });
    if (schema.kind !== "record") throw new Error("a key is a record");
    return schema;
  };
  const to = { before: key({ id: "int" }), after: key({ id: "int", email: "string" }) };

  test.each<[string, Contract, Parameters<typeof judgeKey>[1], string, string, RegExp]>([
    [
      "a contract that reads a column of the old key",
      writerContract({ fields: ["id"] }),
      to,
      "not-ready",
      "error",
      /\(id\) .* \(id, email\)/,
    ],
    [
      "a contract that reads a column of the new key",
      writerContract({ fields: ["email"] }),
      to,
      "not-ready",
      "error",
      /tombstones/,
    ],
    ["a contract that reads neither", writerContract({ fields: ["zip"] }), to, "ready", "warning", /partitions/],
    ["a contract without fields", writerContract(), to, "not-ready", "error", /caches/],
    [
      "a contract with its own schema",
      writerContract({ decodesWith: "reader", schema: envelopeOf({ zip: "string" }) }),
      to,
      "ready",
      "warning",
      /partitions/,
    ],
    [
      "a table that had no key",
      writerContract({ fields: ["id"] }),
      { before: undefined, after: key({ id: "int" }) },
      "not-ready",
      "error",
      /the events have no key now and would become \(id\)/,
    ],
    [
      "the same columns with a different type",
      writerContract({ fields: ["id"] }),
      { before: key({ id: "int" }), after: key({ id: "long" }) },
      "not-ready",
      "error",
      /\(id "int"\) .* \(id "long"\)/,
    ],
    [
      "a contract with an override for it",
      writerContract({ severity: [{ ...LOWERED, rule: "meaning/key-changed" }] }),
      to,
      "ready",
      "warning",
      /\(a warning until 2026-11-23: reads both\)$/,
    ],
  ])("%s", (_, contract, candidate, verdict, severity, message) => {
    const judged = judgeKey(contract, candidate, { day: DAY, changes: [] });
    expect(judged).toMatchObject({ verdict, findings: [{ rule: "meaning/key-changed", severity }] });
    expect(judged.findings[0]?.message).toMatch(message);
  });
});
