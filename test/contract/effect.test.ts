import avro from "avsc";
import { expect, test } from "vitest";
import { fieldHash } from "../../src/rules/meaning/field.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import { checkFiles } from "../../src/cli/check/check-topic.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { checkFlowing, judge } from "../../src/contract/judge.ts";
import { rowOf } from "../../src/contract/row.ts";
import type { Finding } from "../../src/finding.ts";
import { type Columns, envelopeOf, writerContract } from "./rows.ts";

const MILLIS = { type: "long", "connect.name": "io.debezium.time.Timestamp" };
const MICROS = { type: "long", "connect.name": "io.debezium.time.MicroTimestamp" };
const ZIP = { type: "string", default: "" };
const NOW: Columns = { id: "int", city: "string", at: MILLIS };
const NEXT: Columns = { ...NOW, zip: ZIP };
const { city: _, ...WITHOUT } = NOW;

const reads = (more: Partial<Contract> = {}) => writerContract({ fields: ["id", "city", "at"], ...more });
const strict = (more: Partial<Contract> = {}) => reads({ unknownFields: "reject", ...more });

function triedZip(): NonNullable<Contract["tested"]> {
  const field = rowOf(parseSchema(envelopeOf(NEXT)))?.fields.find(({ name }) => name === "zip");
  if (field === undefined) throw new Error("no field zip");
  return [{ amendment: "inventory.public.customers/4", field: "zip", type: fieldHash(field) }];
}

function found(contract: Contract, next: Columns): readonly Finding[] {
  const [flowing, envelope] = [NOW, next].map((columns) => parseSchema(envelopeOf(columns)));
  if (flowing === undefined || envelope === undefined) throw new Error("two schemas");
  const added = Object.keys(next).filter((name) => !(name in NOW));
  return judge(contract, { topic: contract.topic, envelope, flowing, added: added.map((name) => ({ name })) }).findings;
}

test.each<[string, Contract, Columns, string, Finding["effect"]]>([
  ["a new field that the contract rejects", strict(), NEXT, "contract/unknown-field", "throws"],
  [
    "a new field with which the handler was tested",
    strict({ tested: triedZip() }),
    NEXT,
    "contract/unknown-field",
    "decodes",
  ],
  [
    "a missing field, with kafkajs",
    reads({ runtime: "kafkajs" }),
    WITHOUT,
    "contract/field-missing",
    "reads-null-or-default",
  ],
  [
    "a missing field, with Python: depends on how it is accessed",
    reads({ runtime: "python" }),
    WITHOUT,
    "contract/field-missing",
    undefined,
  ],
  [
    "a missing field, with Java: depends on the version",
    reads({ runtime: "java" }),
    WITHOUT,
    "contract/field-missing",
    undefined,
  ],
  ["a missing field, with an unknown client", reads(), WITHOUT, "contract/field-missing", undefined],
  ["a new type", reads(), { ...NOW, city: "int" }, "contract/field-retyped", undefined],
  ["a type that may be null", reads(), { ...NOW, city: ["null", "string"] }, "contract/field-retyped", undefined],
  ["evidence is missing", writerContract({}), WITHOUT, "contract/evidence-missing", undefined],
])("what is known of reading: %s", (_what, contract, next, rule, effect) => {
  expect(found(contract, next).map((one) => [one.rule, one.effect])).toContainEqual([rule, effect]);
});

test("a change of type and unit is reported once, with its certain effect", () => {
  const [before, after] = [
    { at: { ...MILLIS, type: "int", "connect.name": "io.debezium.time.Time" } },
    { at: { ...MICROS, "connect.name": "io.debezium.time.MicroTime" } },
  ];
  const [flowing, envelope] = [before, after].map((columns) => parseSchema(envelopeOf(columns)));
  if (flowing === undefined || envelope === undefined) throw new Error("two schemas");
  const { findings } = judge(reads({ fields: ["at"] }), { topic: "t", envelope, flowing, added: [] });
  expect(findings).toMatchObject([
    { rule: "contract/field-retyped", certainty: "always", effect: "reads-wrong-value" },
  ]);
});

test("a field that flows and is not named has no known effect: the consumer evidently copes with it", () => {
  const contract = strict({ fields: ["id", "city"] });
  const schema = JSON.stringify(envelopeOf(NOW));
  const { findings } = checkFlowing(contract, parseSchema(envelopeOf(NOW)));
  expect(findings.map(({ rule, effect }) => [rule, effect])).toEqual([["contract/unknown-field", undefined]]);
  const view = { topic: contract.topic, flowing: [{ schemaId: 1, schema }], withheld: [] };
  const files = checkFiles(contract, view, "2026-12-31");
  expect(files.findings).toMatchObject([{ rule: "contract/unknown-field", severity: "error", effect: "throws" }]);
});

test("an object decoded by avsc has undefined for a field that is missing from the events", () => {
  const type = avro.Type.forSchema({ type: "record", name: "Value", fields: [{ name: "id", type: "int" }] });
  const row: { readonly city?: unknown } = type.fromBuffer(type.toBuffer({ id: 1 }));
  expect(row.city).toBeUndefined();
});
