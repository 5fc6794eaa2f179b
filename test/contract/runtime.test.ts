import { describe, expect, it, test } from "vitest";
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

describe("a reader's record under another name", () => {
  const next = envelope(WITH_ZIP);
  const renamed = (record: string, name: string): Json =>
    JSON.parse(
      JSON.stringify(envelope(NOW)).replaceAll('"Value"', `"${record}"`).replaceAll('"Envelope"', `"${name}"`),
    ) as Json; // JSON.parse gives JSON
  const alias = (schema: Json): Json =>
    JSON.parse(
      JSON.stringify(schema).replaceAll(
        '"name":"Customer"',
        '"name":"Customer","aliases":["inventory.public.customers.Value"]',
      ),
    ) as Json; // JSON.parse gives JSON

  const ROW = renamed("Customer", "Envelope");
  const EVENT = renamed("Value", "CustomerEvent");
  it.each([
    ["kafkajs", ROW, "after"],
    ["kafkajs", EVENT, undefined],
    ["python", ROW, "after"],
    ["python", EVENT, undefined],
    ["python-avro", ROW, "after"],
    ["ruby", EVENT, undefined],
  ])("is not ready for %s, which refuses every event", (runtime, schema, field) => {
    const { verdict, findings } = checkFlowing(reader(schema, { runtime }), parseSchema(envelope(NOW)));
    expect(verdict).toBe("not-ready");
    expect(findings.map(({ rule, severity, field: at }) => [rule, severity, at])).toEqual([
      ["runtime/type-name", "error", field],
    ]);
    expect(findings[0]?.remedy).toContain(field === undefined ? "Envelope" : "Value");
    // Withholding a new field would not help.
    expect(told(reader(schema, { runtime }), next)).toEqual({
      verdict: "ready",
      seen: [["runtime/type-name", "warning", field]],
    });
  });
  it.each(["java", "rust", "haskell", undefined])(
    "is a warning for %s, whose decoder may not compare it",
    (runtime) => {
      const { verdict, findings } = checkFlowing(reader(ROW, { runtime }), parseSchema(envelope(NOW)));
      expect(verdict).toBe("ready");
      expect(findings.map(({ rule, severity }) => [rule, severity])).toEqual([["avro/name-mismatch", "warning"]]);
    },
  );
  it("is ready with an alias, except for Python's own library", () => {
    for (const runtime of ["kafkajs", "python", "ruby", "java"]) {
      expect(checkFlowing(reader(alias(ROW), { runtime }), parseSchema(envelope(NOW)))).toEqual({
        verdict: "ready",
        findings: [],
      });
    }
    expect(checkFlowing(reader(alias(ROW), { runtime: "python-avro" }), parseSchema(envelope(NOW))).verdict).toBe(
      "not-ready",
    );
  });
  it("does not hide what else the runtime does with the pair", () => {
    const schema = JSON.parse(JSON.stringify(ROW).replaceAll('"bytes"', '"string"')) as Json; // JSON.parse gives JSON
    const { findings } = checkFlowing(reader(schema, { runtime: "rust" }), parseSchema(envelope(NOW)));
    expect(findings.map(({ rule }) => rule)).toContain("runtime/promotion");
  });
  it("is refused also where the reader's union has two records", () => {
    const twice = JSON.parse(
      JSON.stringify(ROW).replace(
        '["null",{',
        '["null",{"type":"record","name":"Other","fields":[{"name":"a","type":"int"}]},{',
      ),
    ) as Json; // JSON.parse gives JSON
    expect(checkFlowing(reader(twice, { runtime: "python" }), parseSchema(envelope(NOW))).verdict).toBe("not-ready");
  });
});

describe("an event's ts_ns", () => {
  const EVENT = JSON.parse(
    JSON.stringify(envelope(NOW)).replace(
      '{"name":"op","type":"string"}',
      '{"name":"source","type":{"type":"record","name":"Source","fields":[{"name":"ts_ns","type":["null","long"]}]}},{"name":"op","type":"string"},{"name":"ts_ns","type":["null","long"],"default":null}',
    ),
  ) as Json; // JSON.parse gives JSON
  const flowing = parseSchema(EVENT);
  const seen = (contract: Contract) => {
    const { verdict, findings } = checkFlowing(contract, flowing);
    return [verdict, ...findings.filter(({ rule }) => rule.startsWith("runtime/"))];
  };
  const refused = {
    rule: "runtime/long-precision",
    severity: "error",
    certainty: "always",
    effect: "throws",
    effectStated: true,
    message:
      "no event can be decoded: avsc makes numbers of longs, and throws at source.ts_ns and ts_ns, which is beyond 2^53 in every event",
    remedy: expect.stringContaining("bigintLongs"),
  };

  it("is not ready for a library that makes numbers of longs: it decodes no event", () => {
    expect(seen(writer(["id"]))).toEqual(["not-ready", refused]);
    expect(seen({ ...writer(["id"]), longs: "number" })).toEqual(["not-ready", refused]);
    expect(seen(reader(EVENT))).toEqual([
      "not-ready",
      { ...refused, remedy: expect.stringContaining("reader's schema") },
    ]);
  });
  it("is ready once the library makes bigints of longs, or the reader's schema leaves it out", () => {
    expect(seen({ ...writer(["id"]), longs: "bigint" })).toEqual(["ready"]);
    expect(seen(reader(EVENT, { longs: "bigint" }))).toEqual(["ready"]);
    expect(seen(reader(envelope(NOW)))).toEqual(["ready"]);
    for (const runtime of ["java", "python", undefined])
      expect(seen({ ...writer(["id"]), runtime })).toEqual(["ready"]);
  });
  it("does not reach a consumer of unwrapped rows, unless the unwrapping adds it", () => {
    expect(seen({ ...writer(["id"]), view: "row" })).toEqual(["ready"]);
    const adds = [{ name: "__source_ts_ns", type: "long" }];
    expect(seen({ ...writer(["id"]), view: "row", adds })[0]).toBe("not-ready");
  });
  it("holds no new field back, because every event already has it", () => {
    const next = JSON.parse(JSON.stringify(EVENT).replace('"name":"photo"', '"name":"zip"')) as Json; // JSON.parse gives JSON
    expect(told(writer(["id"]), next, EVENT)).toEqual({
      verdict: "ready",
      seen: [["runtime/long-precision", "warning", undefined]],
    });
  });
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
  ["debezium-jdbc", "java"],
  ["flink-sql", "java"],
  ["confluent-kafka-go", undefined],
  ["hamba/avro", undefined],
  ["", undefined],
  [undefined, undefined],
])("runtime: %s means %s", (text, runtime) => {
  expect(runtimeOf(text)).toBe(runtime);
});
