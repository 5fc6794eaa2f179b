import { expect, test } from "vitest";
import { parseSchema } from "../../src/avro/parse.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { checkFlowing, judge } from "../../src/contract/judge.ts";
import type { Json } from "../../src/json.ts";

type Fields = Readonly<Record<string, Json>>;

function record(name: string, fields: Fields): Json {
  return { type: "record", name, fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })) };
}

/** The published schema: the row in an envelope. */
function envelope(row: Fields): Json {
  const value = record("inventory.public.customers.Value", row);
  return record("inventory.public.customers.Envelope", {
    before: ["null", value],
    after: ["null", "inventory.public.customers.Value"],
    op: "string",
  });
}

const NOW: Fields = { id: "int", email: "string" };
const OPTIONAL: Json = ["null", "string"];
const ADDS = [
  { name: "__op", type: OPTIONAL },
  { name: "__ts_ms", type: "long" },
];
const ROW: Contract = {
  version: 1,
  environment: "default",
  consumer: "billing",
  topic: "inventory.public.customers",
  decodesWith: "writer",
  unknownFields: "accept",
  view: "row",
  adds: ADDS,
};
const reader = (fields: Fields, more: Partial<Contract> = {}): Contract => ({
  ...ROW,
  decodesWith: "reader",
  schema: record("Customer", fields),
  ...more,
});

type Case = [what: string, contract: Contract, row: Fields, verdict: string, found: (string | undefined)[]];

const CASES: Case[] = [
  ["a reader of the row, whatever its record's name", reader(NOW), NOW, "ready", []],
  ["a reader that names what unwrapping adds", reader({ ...NOW, __op: OPTIONAL, __ts_ms: "long" }), NOW, "ready", []],
  [
    "a reader of an added field with a different type",
    reader({ ...NOW, __ts_ms: "int" }),
    NOW,
    "not-ready",
    ["avro/type-mismatch __ts_ms"],
  ],
  [
    "a reader of an added field that is not in `adds`",
    reader({ ...NOW, __deleted: OPTIONAL }),
    NOW,
    "not-ready",
    ["avro/reader-field-missing-default __deleted"],
  ],
  [
    "a dropped column, named as in the row",
    reader(NOW),
    { id: "int" },
    "not-ready",
    ["avro/reader-field-missing-default email"],
  ],
  ["a retyped column", reader(NOW), { ...NOW, id: "string" }, "not-ready", ["avro/type-mismatch id"]],
  [
    "a reader of the whole event with view row by mistake",
    { ...reader(NOW), schema: envelope(NOW) },
    NOW,
    "not-ready",
    [
      "avro/reader-field-missing-default before",
      "avro/reader-field-missing-default after",
      "avro/reader-field-missing-default op",
    ],
  ],
  [
    "a row with columns named before and after",
    reader({ before: "int", after: "int" }),
    { before: "int", after: "int" },
    "ready",
    [],
  ],
  [
    "a column named after keeps its name",
    reader({ before: "int", after: "int" }),
    { before: "string", after: "string" },
    "not-ready",
    ["avro/type-mismatch before", "avro/type-mismatch after"],
  ],
  ["listed columns and added fields", { ...ROW, fields: ["id", "__op"] }, NOW, "ready", []],
  [
    "a retyped listed column",
    { ...ROW, fields: ["id"] },
    { ...NOW, id: "long" },
    "not-ready",
    ["contract/field-retyped id"],
  ],
  [
    "a dropped listed column",
    { ...ROW, fields: ["email"] },
    { id: "int" },
    "not-ready",
    ["contract/field-missing email"],
  ],
  [
    "an unknown field with reject",
    { ...ROW, unknownFields: "reject", fields: ["id", "email"] },
    { ...NOW, zip: "int" },
    "not-ready",
    ["contract/unknown-field zip"],
  ],
  [
    "an unknown field that the reader's row names, next to a column named after",
    reader({ after: "int", zip: "int" }, { unknownFields: "reject" }),
    { after: "int", zip: "int" },
    "ready",
    [],
  ],
  [
    "an unknown field that the reader's row names",
    reader({ ...NOW, zip: "int" }, { unknownFields: "reject" }),
    { ...NOW, zip: "int" },
    "ready",
    [],
  ],
];

test.each(CASES)("view row: %s", (_, contract, row, verdict, found) => {
  const judgement = judge(contract, {
    topic: contract.topic,
    envelope: parseSchema(envelope(row)),
    added: Object.keys(row).flatMap((name) => (name in NOW ? [] : [{ name }])),
    flowing: parseSchema(envelope("email" in row || !("id" in row) ? { ...NOW, ...row, id: "int" } : NOW)),
  });
  expect(judgement.findings.map(({ rule, field }) => `${rule} ${field}`)).toEqual(found);
  expect(judgement.verdict).toBe(verdict);
});

test("the remedy for a missing added field mentions `adds`", () => {
  const flowing = parseSchema(envelope(NOW));
  const contract = reader({ ...NOW, __deleted: OPTIONAL });
  expect(judge(contract, { topic: ROW.topic, envelope: flowing, added: [], flowing }).findings[0]?.remedy).toMatch(
    /list it in `adds`$/,
  );
});

test("findings on the current events use the names of the row, and a listed field may still be withheld", () => {
  const flowing = parseSchema(envelope(NOW));
  const contract: Contract = { ...ROW, unknownFields: "reject", fields: ["id", "nick", "__op"] };
  const { verdict, findings } = checkFlowing(contract, flowing, ["nick"]);
  expect(verdict).toBe("ready");
  expect(findings.map(({ rule, severity, field }) => [rule, severity, field])).toEqual([
    ["contract/field-missing", "warning", "nick"],
    ["contract/unknown-field", "warning", "email"],
  ]);
});

test("a topic without a row is unknown", () => {
  const flowing = parseSchema("string");
  for (const contract of [reader(NOW), { ...ROW, fields: ["id"] }]) {
    expect(judge(contract, { topic: "t", envelope: flowing, added: [], flowing }).verdict).toBe("unknown");
  }
});
