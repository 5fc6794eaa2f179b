import { describe, expect, test } from "vitest";
import { parseContract } from "../../src/contract/contract.ts";
import { parseContractFile } from "../../src/contract/file.ts";
import { judge } from "../../src/contract/judge.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import { GuardError } from "../../src/errors.ts";
import type { Json } from "../../src/json.ts";

const READER = `version: 1
consumer: billing
topics:
  - topic: inventory.public.customers
    decodes-with: reader
    unknown-fields: accept
    schema: a.avsc
`;

function parse(avsc: string, file = READER): unknown {
  try {
    return parseContractFile(file, () => avsc, "f.yaml");
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "contract-invalid") throw error;
    return error.message;
  }
}

/** Records in nullable fields, nested this many levels deep. */
function nested(levels: number, innermost: Json): Json {
  let type: Json = ["null", innermost];
  for (let level = 0; level < levels; level += 1) {
    type = ["null", { type: "record", name: `Level${level}`, fields: [{ name: "in", type, default: null }] }];
  }
  return { type: "record", name: "Envelope", fields: [{ name: "after", type }] };
}

function wide(fields: number): Json {
  const row = Array.from({ length: fields }, (_, at) => ({ name: `f${at}`, type: ["null", "int"], default: null }));
  return {
    type: "record",
    name: "Envelope",
    fields: [{ name: "after", type: ["null", { type: "record", name: "Value", fields: row }] }],
  };
}

const RECORD = (fields: string): string => `{"type": "record",\n "name": "Envelope",\n "fields": [\n  ${fields}]}`;

/** Content of a schema file, and the place and text of the mistake. */
const WRONG: readonly [name: string, avsc: string, place: string, reason: string][] = [
  ["nothing", "", ":1:1", "not JSON"],
  ["YAML", "type: record", ":1:1", "not JSON"],
  ["an extra comma", RECORD('{"name": "id", "type": "int"},'), ":4:33", "not JSON"],
  ["a mistake behind a comment", RECORD('/* the\n key */ {"name": "id" "type": "int"}'), ":5:23", "not JSON"],
  ["single quotes", "{'type': 'int'}", ":1:2", "not JSON"],
  ["an unknown type", RECORD('{"name": "id", "type": "integer"}'), ":4:18", 'no type is named "integer"'],
  [
    "a name with a dash",
    RECORD('{"name": "first-name", "type": "int"}'),
    ":4:3",
    '"first-name" is not a valid field name',
  ],
  [
    "a field name that is a path",
    RECORD('{"name": "../id", "type": "int"}'),
    ":4:3",
    '"../id" is not a valid field name',
  ],
  ["a field twice", RECORD('{"name": "id", "type": "int"}, {"name": "id", "type": "int"}'), ":1:1", "two fields"],
  [
    "a default that is none",
    RECORD('{"name": "id", "type": "int",\n   "default": "0"}'),
    ":5:4",
    "does not fit its type",
  ],
  ["a field without type", RECORD('{"name": "id"}'), ":4:3", "a type is missing here"],
  [
    "a union in a union",
    RECORD('{"name": "id", "type": ["null", ["int"]]}'),
    ":4:18",
    "a union may not contain a union",
  ],
];

describe("a schema file that is not strictly Avro gives one message with the place", () => {
  test.each(WRONG)("%s", (_, avsc, place, reason) => {
    const said = parse(avsc);
    expect(said).toMatch(/^\[contract-invalid\] 1 mistake\n {2}f\.yaml:7:5 topics\[0\]\.schema a\.avsc/);
    expect(said).toContain(`a.avsc${place} cannot be used: [schema-invalid]`);
    expect(said).toContain(reason);
  });

  test("a byte order mark is not a mistake", () => {
    expect(parse(`\uFEFF${RECORD("")}`)).toHaveLength(1);
  });
});

describe("large and deep schemas", () => {
  test("10,000 fields are read and judged", () => {
    const schema = wide(10_000);
    const [contract] = parse(JSON.stringify(schema)) as [ReturnType<typeof parseContract>]; // one topic
    const flowing = parseSchema(schema);
    expect(judge(contract, { topic: contract.topic, envelope: flowing, added: [], flowing }).verdict).toBe("ready");
  });

  test("200 levels are read, here and in the service, and judged with the name of the field", () => {
    const [contract] = parse(JSON.stringify(nested(200, "string"))) as [ReturnType<typeof parseContract>]; // one topic
    const flowing = parseSchema(nested(200, "int"));
    const { verdict, findings } = judge(parseContract(contract), {
      topic: contract.topic,
      envelope: flowing,
      added: [],
      flowing,
    });
    expect(verdict).toBe("not-ready");
    expect(findings[0]?.field).toMatch(/^after(\.in){200}$/);
  });

  test.each([1_001, 20_000])("%d levels give one message, in a file and over HTTP", (levels) => {
    const open = '{"type":"array","items":'.repeat(levels);
    expect(parse(`${open}"int"${"}".repeat(levels)}`)).toMatch(/1 mistake\n.*a\.avsc:1:1 cannot be used: .* is nested/);
    let schema: Json = "int";
    for (let level = 0; level < levels; level += 1) schema = { type: "array", items: schema };
    const contract = { version: 1, environment: "e", consumer: "c", topic: "t", decodesWith: "reader" };
    expect(() => parseContract({ ...contract, unknownFields: "accept", schema })).toThrow(/is nested more than/);
  });

  test("a mistake 200 levels deep has a short message", () => {
    const said = String(parse(JSON.stringify(nested(200, "strnig"))));
    expect(said).toContain('no type is named "strnig"');
    expect(said.length).toBeLessThan(400);
  });

  test("a contract file of nested lists gives one message", () => {
    expect(parse("", "[".repeat(9_000))).toMatch(/1 mistake\n {2}f\.yaml:1:/);
    expect(parse("", `${READER}    fields: ${"[".repeat(2_000)}${"]".repeat(2_000)}`)).toMatch(/nested more than/);
  });

  test("thousands of mistakes are counted, and only some are listed", () => {
    const said = String(parse("", `version: 1\nconsumer: c\ntopics: [${"{}, ".repeat(500)}]`));
    expect(said).toMatch(/^\[contract-invalid\] 1500 mistakes\n/);
    expect(said.split("\n")).toHaveLength(52);
    expect(said).toMatch(/… and 1450 more$/);
  });
});

describe("a name that is a path", () => {
  test.each(["..", ".", "../etc/passwd", "a/b", "a\\b", "a b", "", "%2e%2e", "a".repeat(250)])("%j", (name) => {
    const quoted = JSON.stringify(name);
    const reason = /must be letters, digits, dots, dashes or underscores/;
    expect(parse(RECORD(""), READER.replace("billing", quoted))).toMatch(reason);
    expect(parse(RECORD(""), READER.replace("inventory.public.customers", quoted))).toMatch(reason);
    expect(parse(RECORD(""), `environment: ${quoted}\n${READER}`)).toMatch(reason);
  });
});

test("a second document in the file is reported at its start", () => {
  expect(parse("{}", `${READER}---\nversion: 1\n`)).toMatch(
    /f\.yaml:8:1.*a second document starts here, but a file may have only one/,
  );
});
