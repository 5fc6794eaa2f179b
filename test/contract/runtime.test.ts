import { expect, test } from "vitest";
import { parseSchema } from "../../src/avro/parse.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { checkFlowing, judge } from "../../src/contract/judge.ts";
import type { Json } from "../../src/json.ts";
import { runtimeOf } from "../../src/rules/runtime/rule.ts";

type Row = Readonly<Record<string, Json>>;

function row(fields: Row, name = "Value"): Json {
  return { type: "record", name, fields: Object.entries(fields).map(([column, type]) => ({ name: column, type })) };
}

function envelope(fields: Row, namespace = "inventory.public.customers"): Json {
  return {
    type: "record",
    name: "Envelope",
    namespace,
    fields: [
      { name: "before", type: ["null", row(fields)], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "op", type: "string" },
    ],
  };
}

const NOW: Row = { id: "int", photo: ["null", "bytes"] };
const BASE = { version: 1, environment: "default", consumer: "billing", topic: "inventory.public.customers" } as const;
const reader = (schema: Json, more: Partial<Contract> = {}): Contract => ({
  ...BASE,
  decodesWith: "reader",
  unknownFields: "accept",
  runtime: "kafkajs 2",
  schema,
  ...more,
});
const writer = (fields: readonly string[]): Contract => ({
  ...BASE,
  decodesWith: "writer",
  unknownFields: "accept",
  runtime: "kafkajs",
  fields,
});
const told = (contract: Contract, next: Json, now: Json = envelope(NOW)) => {
  const candidate = { topic: BASE.topic, envelope: parseSchema(next), added: [], flowing: parseSchema(now) };
  const { verdict, findings } = judge(contract, candidate);
  const seen = findings.filter(({ rule }) => rule.startsWith("runtime/"));
  return { verdict, seen: seen.map(({ rule, severity, field }) => [rule, severity, field]) };
};

const WITH_ZIP: Row = { ...NOW, zip: "bytes" };

test("a new field that avsc would misread is not ready for avsc, but ready for Java", () => {
  const schema = envelope({ ...NOW, zip: ["null", "string", "bytes"] });
  const field = { name: "zip", type: ["null", "string", "bytes"], default: null };
  const withDefault = JSON.parse(
    JSON.stringify(schema).replace('{"name":"zip","type":["null","string","bytes"]}', JSON.stringify(field)),
  ) as Json; // JSON.parse gives JSON
  expect(told(reader(withDefault), envelope(WITH_ZIP))).toEqual({
    verdict: "not-ready",
    seen: [["runtime/first-fit", "error", "after.zip"]],
  });
  for (const runtime of ["java", "haskell", undefined]) {
    expect(told(reader(withDefault, { runtime }), envelope(WITH_ZIP)).seen).toEqual([]);
  }
});

test("a vector that becomes a halfvec is not ready for Java readers of doubles, but ready for other libraries", () => {
  const [vector, halfvec] = ["double", "float"].map((items) => envelope({ ...NOW, of: { type: "array", items } }));
  if (vector === undefined || halfvec === undefined) throw new Error("two schemas");
  expect(told(reader(vector, { runtime: "java" }), halfvec, vector)).toEqual({
    verdict: "not-ready",
    seen: [["runtime/array-items", "error", "after.of[]"]],
  });
  expect(told(reader(vector, { runtime: "python" }), halfvec, vector)).toEqual({ verdict: "ready", seen: [] });
});

test("a new namespace stops avsc but not Java; both images give a single finding", () => {
  const schema = envelope(NOW, "other.public.customers");
  expect(told(reader(schema), envelope(WITH_ZIP)).verdict).toBe("ready");
  expect(told(reader(schema), envelope(WITH_ZIP)).seen).toEqual([
    ["runtime/type-name", "warning", undefined],
    ["runtime/type-name", "warning", "after"],
  ]);
  const flowing = checkFlowing(reader(schema), parseSchema(envelope(NOW)));
  expect(flowing.verdict).toBe("not-ready");
  expect(flowing.findings.map(({ rule, severity }) => [rule, severity])).toEqual([
    ["runtime/type-name", "error"],
    ["runtime/type-name", "error"],
  ]);
});

test("a problem that already exists with the current events is a warning and does not change the verdict", () => {
  const schema = envelope({ id: "int", photo: ["null", "string", "bytes"] });
  expect(told(reader(schema), envelope(WITH_ZIP))).toEqual({
    verdict: "ready",
    seen: [["runtime/first-fit", "warning", "after.photo"]],
  });
  expect(checkFlowing(reader(schema), parseSchema(envelope(NOW))).verdict).toBe("not-ready");
});

test("with the writer's schema, it is an error on a field that is read, or if nothing can be read", () => {
  const wrapped = envelope({ ...NOW, amount: ["null", "int", "double"] });
  expect(told(writer(["id"]), wrapped)).toEqual({
    verdict: "ready",
    seen: [["runtime/wrapped-union", "warning", "after.amount"]],
  });
  expect(told(writer(["id", "amount"]), wrapped)).toMatchObject({
    verdict: "not-ready",
    seen: [["runtime/wrapped-union", "error", "after.amount"]],
  });
  expect(told(writer(["id"]), envelope({ ...NOW, straße: "int" }))).toEqual({
    verdict: "not-ready",
    seen: [["runtime/name-refused", "error", "after.straße"]],
  });
});

test("with view row, findings use the names of the row, and the record may have any name", () => {
  const schema = row({ id: "int", photo: ["null", "string", "bytes"] }, "other.Row");
  const findings = checkFlowing(reader(schema, { view: "row" }), parseSchema(envelope(NOW))).findings;
  expect(findings.map(({ rule, severity, field }) => [rule, severity, field])).toEqual([
    ["runtime/first-fit", "error", "photo"],
  ]);
});

test.each([
  ["kafkajs", "avsc"],
  ["kafkajs 2.2.4", "avsc"],
  ["Node 24, avsc", "avsc"],
  ["confluent-kafka-javascript", "avsc"],
  ["python", "fastavro"],
  ["confluent-kafka", "fastavro"],
  ["Python 3.12 with fastavro", "fastavro"],
  ["python-avro", "python-avro"],
  ["Apache Avro (Python)", "python-avro"],
  ["ruby", "ruby-avro"],
  ["avro_turf", "ruby-avro"],
  ["rust", "avro-rs"],
  ["apache-avro", "avro-rs"],
  ["java", "java"],
  ["java-specific", "java"],
  ["Apache Avro 1.12 (Java)", "java"],
  ["connect-jdbc", "java"],
  ["flink-sql", "java"],
  ["confluent-kafka-go", undefined],
  ["hamba/avro", undefined],
  ["", undefined],
  [undefined, undefined],
])("runtime: %s means %s", (text, runtime) => {
  expect(runtimeOf(text)).toBe(runtime);
});
