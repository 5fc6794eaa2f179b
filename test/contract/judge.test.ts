import { describe, expect, test } from "vitest";
import { parseSchema } from "../../src/avro/parse.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { checkFlowing, judge } from "../../src/contract/judge.ts";
import type { Json } from "../../src/json.ts";

type Row = Readonly<Record<string, Json>>;

/** A Debezium envelope over columns by name. A type with a default is written `{ type, default }`. */
function envelope(row: Row, name = "Value"): Json {
  const fields = Object.entries(row).map(([column, type]) =>
    typeof type === "object" && type !== null && "default" in type
      ? { name: column, type: type["type"] ?? null, default: type["default"] ?? null }
      : { name: column, type },
  );
  return {
    type: "record",
    name: "Envelope",
    namespace: "inventory.public.customers",
    fields: [
      { name: "before", type: ["null", { type: "record", name, fields }], default: null },
      { name: "after", type: ["null", name], default: null },
      { name: "op", type: "string" },
    ],
  };
}

const NOW: Row = { id: "int", email: "string" };
const ZIP = ["null", "string"];
const WITH_ZIP: Row = { ...NOW, zip: { type: ZIP, default: null } };
const BASE = { version: 1, environment: "default", consumer: "billing", topic: "inventory.public.customers" } as const;
const reader = (row: Row, more: Partial<Contract> = {}): Contract => ({
  ...BASE,
  decodesWith: "reader",
  unknownFields: "accept",
  schema: envelope(row),
  ...more,
});
const writer = (more: Partial<Contract>): Contract => ({
  ...BASE,
  decodesWith: "writer",
  unknownFields: "accept",
  ...more,
});
const rejects = { unknownFields: "reject" } as const;

interface Case {
  readonly contract: Contract;
  /** The candidate's row; WITH_ZIP by default. */
  readonly row?: Row;
  readonly name?: string;
  readonly verdict: "ready" | "not-ready" | "unknown";
  readonly findings?: readonly (readonly [rule: string, severity: string, field: string | undefined])[];
}

const CASES: Readonly<Record<string, Case>> = {
  "a reader skips a field that it does not know": { contract: reader(NOW), verdict: "ready" },
  "a reader that needs the new field is ready for it": { contract: reader({ ...NOW, zip: ZIP }), verdict: "ready" },
  "a reader that needs a missing field is not ready": {
    contract: reader({ ...NOW, phone: "string" }),
    verdict: "not-ready",
    findings: [["avro/reader-field-missing-default", "error", "after.phone"]],
  },
  "a reader of a different type is not ready, and the finding names the field": {
    contract: reader({ ...NOW, zip: { type: ["null", "int"], default: null } }),
    verdict: "not-ready",
    findings: [["avro/missing-union-branch", "error", "after.zip"]],
  },
  "two reasons are two findings": {
    contract: reader({ id: "int", email: "int", phone: "string" }),
    verdict: "not-ready",
    findings: [
      ["avro/type-mismatch", "error", "after.email"],
      ["avro/reader-field-missing-default", "error", "after.phone"],
    ],
  },
  "an array's items are named": {
    contract: reader({ tags: { type: "array", items: "int" } }),
    row: { tags: { type: "array", items: "string" } },
    verdict: "not-ready",
    findings: [["avro/type-mismatch", "error", "after.tags[]"]],
  },
  "a difference only in a record's name is a warning": {
    contract: reader(NOW, { schema: envelope(NOW, "Customer") }),
    verdict: "ready",
    findings: [["avro/name-mismatch", "warning", "after"]],
  },
  "a reader that has only after gets findings about after": {
    contract: reader(NOW, {
      schema: {
        type: "record",
        name: "Envelope",
        fields: [
          {
            name: "after",
            type: ["null", { type: "record", name: "Value", fields: [{ name: "phone", type: "int" }] }],
          },
        ],
      },
    }),
    verdict: "not-ready",
    findings: [["avro/reader-field-missing-default", "error", "after.phone"]],
  },
  "a reader without schema is unknown": {
    contract: reader(NOW, { schema: undefined }),
    verdict: "unknown",
    findings: [["contract/evidence-missing", "warning", undefined]],
  },
  "a reader with an invalid schema is unknown": {
    contract: reader(NOW, { schema: { type: "recod" } }),
    verdict: "unknown",
    findings: [["contract/evidence-missing", "warning", undefined]],
  },
  "an error outweighs missing evidence": {
    contract: reader(NOW, { schema: undefined, ...rejects }),
    verdict: "not-ready",
    findings: [
      ["contract/evidence-missing", "warning", undefined],
      ["contract/unknown-field", "error", "after.zip"],
    ],
  },
  "a strict reader is not ready for a field it does not name": {
    contract: reader(NOW, rejects),
    verdict: "not-ready",
    findings: [["contract/unknown-field", "error", "after.zip"]],
  },
  "a strict reader is ready once its schema names the field": { contract: reader(WITH_ZIP, rejects), verdict: "ready" },
  "a strict reader is ready once it ignores the field": {
    contract: reader(NOW, { ...rejects, ignores: ["zip"] }),
    verdict: "ready",
  },
  "a consumer that decodes with the writer's schema is ready for a new field": {
    contract: writer({ fields: ["id"] }),
    verdict: "ready",
  },
  "a contract without fields is ready for a new field": { contract: writer({}), verdict: "ready" },
  "a strict contract is not ready": {
    contract: writer({ ...rejects, fields: ["id", "email"] }),
    verdict: "not-ready",
    findings: [["contract/unknown-field", "error", "after.zip"]],
  },
  "a strict contract is ready once fields names the field, with a warning about null in older rows": {
    contract: writer({ ...rejects, fields: ["id", "zip"] }),
    verdict: "ready",
    findings: [["meaning/null-not-handled", "warning", "after.zip"]],
  },
  "a strict contract is ready once it ignores the field": {
    contract: writer({ ...rejects, fields: ["id"], ignores: ["zip"] }),
    verdict: "ready",
  },
  "a path in the event does not name a column": {
    contract: writer({ ...rejects, fields: ["id"], ignores: ["after.zip"] }),
    verdict: "not-ready",
    findings: [["contract/unknown-field", "error", "after.zip"]],
  },
  "a listed field that would disappear": {
    contract: writer({ fields: ["id", "email"] }),
    row: { id: "int" },
    verdict: "not-ready",
    findings: [["contract/field-missing", "error", "after.email"]],
  },
  "a misspelt field, and the column that it may mean would disappear": {
    contract: writer({ fields: ["id", "emial"] }),
    row: { id: "int" },
    verdict: "not-ready",
    findings: [["contract/field-missing", "error", "after.emial"]],
  },
  "a field that is missing already, and a column of quite a different name would disappear": {
    contract: writer({ fields: ["id", "phone"] }),
    row: { id: "int" },
    verdict: "ready",
    findings: [["contract/field-missing", "warning", "after.phone"]],
  },
  "a listed field that is missing already does not withhold another one": {
    contract: writer({ ...rejects, fields: ["id", "zip", "phone"], ignores: ["email"] }),
    verdict: "ready",
    findings: [
      ["contract/field-missing", "warning", "after.phone"],
      ["meaning/null-not-handled", "warning", "after.zip"],
    ],
  },
  "a listed field that would get a new type": {
    contract: writer({ fields: ["id"] }),
    row: { ...NOW, id: "long" },
    verdict: "not-ready",
    findings: [["contract/field-retyped", "error", "after.id"]],
  },
  "a field that is not listed may change": {
    contract: writer({ fields: ["id"] }),
    row: { id: "int" },
    verdict: "ready",
  },
  "a change is unknown if no fields are listed": {
    contract: writer({}),
    row: { id: "long" },
    verdict: "unknown",
    findings: [["contract/evidence-missing", "warning", undefined]],
  },
};

test.each(Object.entries(CASES))("%s", (_, { contract, row = WITH_ZIP, verdict, findings = [] }) => {
  const judgement = judge(contract, {
    topic: contract.topic,
    envelope: parseSchema(envelope(row)),
    added: Object.keys(row)
      .filter((name) => !(name in NOW))
      .map((name) => ({ name })),
    flowing: parseSchema(envelope(NOW)),
  });
  expect(judgement.verdict).toBe(verdict);
  expect(judgement.findings.map(({ rule, severity, field }) => [rule, severity, field])).toEqual(findings);
  for (const { message, remedy } of judgement.findings) expect([message, remedy]).not.toContain(undefined);
});

describe("the same bytes with a new meaning", () => {
  const timestamp = (unit: string): Json => ({ type: "long", "connect.name": `io.debezium.time.${unit}` });
  const now: Row = { id: "int", at: timestamp("MicroTimestamp") };
  const next: Row = { id: "int", at: timestamp("Timestamp") };
  const change = {
    topic: BASE.topic,
    envelope: parseSchema(envelope(next)),
    flowing: parseSchema(envelope(now)),
    added: [],
  };
  const AT = ["meaning/time-unit", "error", "after.at"];

  test.each([
    ["a reader that reads it", reader(now), "not-ready", [AT]],
    ["a reader whose schema has no unit", reader({ id: "int", at: "long" }), "not-ready", [AT]],
    ["a reader whose schema has the new unit", reader(next), "ready", []],
    ["a reader that does not read it", reader({ id: "int" }), "ready", [["meaning/time-unit", "warning", "after.at"]]],
    ["a contract that lists it", writer({ fields: ["at"] }), "not-ready", [AT]],
    [
      "a contract that does not list it",
      writer({ fields: ["id"] }),
      "ready",
      [["meaning/time-unit", "warning", "after.at"]],
    ],
    ["a contract without fields reads everything", writer({}), "not-ready", [AT]],
  ])("%s", (_, contract, verdict, findings) => {
    const judgement = judge(contract, change);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.findings.map(({ rule, severity, field }) => [rule, severity, field])).toEqual(findings);
  });

  test("a reader whose unit differs from the events' gets a finding, which does not withhold other fields", () => {
    const flowing = parseSchema(envelope(now));
    expect(checkFlowing(reader(next), flowing)).toMatchObject({
      verdict: "not-ready",
      findings: [{ rule: "meaning/time-unit", severity: "error", field: "after.at" }],
    });
    const envelopeWithZip = parseSchema(envelope({ ...now, zip: { type: ZIP, default: null } }));
    const added = { topic: BASE.topic, envelope: envelopeWithZip, flowing, added: [{ name: "zip" }] };
    expect(judge(reader(next), added)).toMatchObject({
      verdict: "ready",
      findings: [{ rule: "meaning/time-unit", severity: "warning" }],
    });
    expect(checkFlowing(reader(now), flowing)).toEqual({ verdict: "ready", findings: [] });
  });

  test("a finding of Avro's rules or of the list of fields is not repeated by other rules", () => {
    const retyped = {
      ...change,
      envelope: parseSchema(envelope({ id: "int", at: { type: "int", "connect.name": "io.debezium.time.Date" } })),
    };
    expect(judge(writer({ fields: ["at"] }), retyped).findings).toMatchObject([
      { rule: "contract/field-retyped", message: expect.stringContaining("date in days") },
    ]);
    const nulls = { ...change, envelope: parseSchema(envelope({ ...now, at: ["null", "long"] })) };
    expect(judge(reader(now), nulls).findings.map(({ rule }) => rule)).toEqual(["avro/type-mismatch"]);
  });

  test("null at a different place in a union is not a new type", () => {
    const nullable = (row: Row) => parseSchema(envelope(row));
    const candidate = {
      topic: BASE.topic,
      flowing: nullable({ zip: { type: ["null", "string"], default: null } }),
      envelope: nullable({ zip: { type: ["string", "null"], default: "-" } }),
      added: [],
    };
    expect(judge(writer({ fields: ["zip"] }), candidate)).toMatchObject({
      verdict: "ready",
      findings: [{ rule: "meaning/default-changed", severity: "warning" }],
    });
  });
});

test("the remedy for an unknown field names the keys of the contract", () => {
  const candidate = {
    topic: BASE.topic,
    envelope: parseSchema(envelope(WITH_ZIP)),
    added: [{ name: "zip" }],
    flowing: parseSchema(envelope(NOW)),
  };
  expect(judge(writer({ ...rejects, fields: ["id"] }), candidate).findings[0]?.remedy).toBe(
    'add "zip" to `ignores`, or to `fields` if the consumer reads it, and run `fieldgate publish`; ' +
      "or test its handler with the field and run `fieldgate publish --tested inventory.public.customers.zip`",
  );
  expect(judge(reader(NOW, rejects), candidate).findings[0]?.remedy).toContain("`schema`");
});

test("the remedy mentions the database only if a column would change", () => {
  const now = { id: "int", email: "string", city: ["null", "string"] };
  const flowing = parseSchema(envelope(now));
  const lost = parseSchema(envelope({ ...now, email: ["null", "string"] }));
  const strict = reader({ ...now, city: "string", phone: "string" });
  const keep = /; or, in the database, /;
  const remedies = (judged: ReturnType<typeof judge>) => judged.findings.map(({ remedy }) => remedy);
  expect(remedies(checkFlowing(strict, flowing))).toHaveLength(2);
  for (const remedy of remedies(checkFlowing(strict, flowing))) expect(remedy).not.toMatch(keep);
  const judged = judge(strict, { topic: BASE.topic, envelope: lost, added: [], flowing });
  expect(judged.findings.map(({ field, remedy = "" }) => [field, keep.test(remedy)])).toEqual([
    ["after.email", true],
    ["after.city", false],
    ["after.phone", false],
  ]);
});

test("the finding for a reader that disagrees with the current events shows both sides", () => {
  const at = (unit: string): Row => ({ at: { type: "long", "connect.name": `io.debezium.time.${unit}` } });
  const { findings } = checkFlowing(reader(at("Timestamp")), parseSchema(envelope(at("MicroTimestamp"))));
  expect(findings.map(({ message }) => message)).toEqual([
    'the reader counts "at" in milliseconds, but the events count it in microseconds',
  ]);
});

test.each([
  ["after.zip", /^write "zip" in `fields` if you mean that column; otherwise remove "after.zip"/],
  ["Zip", /^write "zip" /],
  ["emial", /^write "email" /],
  ["phone", /^remove "phone" from/],
])("for the listed field %s, which is not a column, the remedy suggests what may be meant", (name, remedy) => {
  const { findings } = checkFlowing(writer({ fields: ["id", name] }), parseSchema(envelope(WITH_ZIP)));
  expect(findings.map((one) => [one.rule, one.remedy])).toEqual([
    ["contract/field-missing", expect.stringMatching(remedy)],
  ]);
});

test("a topic without an envelope is unknown for a contract that decodes with the writer's schema", () => {
  const flowing = parseSchema("string");
  expect(judge(writer({ fields: ["id"] }), { topic: "t", envelope: flowing, added: [], flowing }).verdict).toBe(
    "unknown",
  );
});

describe("what flows now", () => {
  test.each([
    ["a reader that reads it", reader(NOW), "ready", []],
    [
      "a reader that needs a field that does not flow",
      reader({ ...NOW, zip: ZIP }),
      "not-ready",
      ["avro/reader-field-missing-default"],
    ],
    ["a listed field that does not flow", writer({ fields: ["id", "zip"] }), "not-ready", ["contract/field-missing"]],
    [
      "a strict contract accepts what flows, with a warning",
      writer({ ...rejects, fields: ["id"] }),
      "ready",
      ["contract/unknown-field"],
    ],
    [
      "a strict contract that names all fields",
      writer({ ...rejects, fields: ["id"], ignores: ["email"] }),
      "ready",
      [],
    ],
    ["a listed field that is withheld", writer({ fields: ["id", "nick"] }), "ready", ["contract/field-missing"]],
  ])("%s", (_, contract, verdict, rules) => {
    const judgement = checkFlowing(contract, parseSchema(envelope(NOW)), ["nick"]);
    expect([judgement.verdict, judgement.findings.map(({ rule }) => rule)]).toEqual([verdict, rules]);
  });
});
