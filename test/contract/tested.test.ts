import { expect, test } from "vitest";
import { fieldHash } from "../../src/rules/meaning/field.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import type { Contract, TestedField } from "../../src/contract/contract.ts";
import { judge } from "../../src/contract/judge.ts";
import { rowOf } from "../../src/contract/row.ts";
import { type Columns, envelopeOf, writerContract } from "./rows.ts";

const NOW: Columns = { id: "int" };
const POINT = { type: "record", name: "Point", fields: [{ name: "x", type: "double" }] };
const ZIP = { type: ["null", "string"], default: null };

/** What `publish --tested` writes for this field of the row. */
function tried(columns: Columns, field: string): TestedField {
  const found = rowOf(parseSchema(envelopeOf(columns)))?.fields.find(({ name }) => name === field);
  if (found === undefined) throw new Error(`no field ${field}`);
  return { amendment: "inventory.public.customers/3", field, type: fieldHash(found) };
}

const strict = (tested: readonly TestedField[], more: Partial<Contract> = {}) =>
  writerContract({ unknownFields: "reject", fields: ["id"], tested, ...more });
const WITH_ZIP = tried({ ...NOW, zip: ZIP }, "zip");

test.each<[string, Contract, Columns, string, readonly string[]]>([
  ["nothing tested", strict([]), { ...NOW, zip: ZIP }, "not-ready", ["error contract/unknown-field"]],
  ["the field was tested", strict([WITH_ZIP]), { ...NOW, zip: ZIP }, "ready", ["warning contract/unknown-field"]],
  [
    "the field has a different type now",
    strict([WITH_ZIP]),
    { ...NOW, zip: { type: ["null", "int"], default: null } },
    "not-ready",
    ["error contract/unknown-field"],
  ],
  [
    "the field has a different default now",
    strict([WITH_ZIP]),
    { ...NOW, zip: { type: ["string", "null"], default: "-" } },
    "not-ready",
    ["error contract/unknown-field"],
  ],
  [
    "another field has been released since",
    strict([WITH_ZIP], { fields: ["id", "city"] }),
    { ...NOW, city: "string", zip: ZIP },
    "ready",
    ["warning contract/unknown-field"],
  ],
  [
    "there is another unknown field",
    strict([WITH_ZIP]),
    { ...NOW, city: "string", zip: ZIP },
    "not-ready",
    ["error contract/unknown-field", "warning contract/unknown-field"],
  ],
  [
    "its type is defined in an earlier field",
    strict([tried({ ...NOW, to: POINT }, "to")], { fields: ["id", "at"] }),
    { ...NOW, at: POINT, to: "Point" },
    "ready",
    ["warning contract/unknown-field"],
  ],
  [
    "a contract without fields, and a field has a new type",
    writerContract(),
    { id: "long" },
    "unknown",
    ["warning contract/evidence-missing"],
  ],
  ["the same, tested", writerContract({ tested: [tried({ id: "long" }, "id")] }), { id: "long" }, "ready", []],
  [
    "a finding of Avro's rules",
    strict([tried({ id: "string" }, "id")], { decodesWith: "reader", schema: envelopeOf(NOW), fields: undefined }),
    { id: "string" },
    "not-ready",
    ["error avro/type-mismatch"],
  ],
])("a field that the consumer's handler was tested with: %s", (_, contract, columns, verdict, findings) => {
  const judged = judge(contract, {
    topic: contract.topic,
    envelope: parseSchema(envelopeOf(columns)),
    flowing: parseSchema(envelopeOf(NOW)),
    added: Object.keys(columns).flatMap((name) => (name in NOW ? [] : [{ name }])),
  });
  expect(judged.findings.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual(findings);
  expect(judged.verdict).toBe(verdict);
});

const named = (type: string, name: string): Columns => ({ at: { type, "connect.name": `io.debezium.time.${name}` } });

test.each([
  ["meaning/time-unit", named("long", "MicroTimestamp"), named("long", "Timestamp")],
  ["meaning/date-or-timestamp", named("int", "Date"), named("long", "Timestamp")],
])("what means something else stays an error although it was tried: %s", (rule, now, next) => {
  const contract = writerContract({ tested: [tried(next, "at")] });
  const [envelope, flowing] = [parseSchema(envelopeOf(next)), parseSchema(envelopeOf(now))];
  expect(judge(contract, { topic: contract.topic, envelope, flowing, added: [] })).toMatchObject({
    verdict: "not-ready",
    findings: [{ rule, severity: "error" }],
  });
});
