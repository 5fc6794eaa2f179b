import fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { contractKey, parseContract } from "../../src/contract/contract.ts";
import { parseContractFile } from "../../src/contract/file.ts";
import { contractFileSchema, EXAMPLES } from "../../src/contract/file-schema.ts";
import { GuardError } from "../../src/errors.ts";

const AVSC = '{"type":"record","name":"Envelope", // ours\n "fields":[]}';
const files: Readonly<Record<string, string>> = { "a.avsc": AVSC, "broken.avsc": '{"type":"recod"}' };

function readFile(path: string): string {
  const text = files[path];
  if (text === undefined) throw new Error(`ENOENT: ${path}`);
  return text;
}

const GOOD = `
version: 1
consumer: billing
owner: "<!subteam^S0123> @team-billing"
topics:
  - topic: inventory.public.customers
    decodes-with: reader
    unknown-fields: accept
    schema: a.avsc
  - topic: inventory.public.orders
    decodes-with: writer
    unknown-fields: reject
    fields: [id, zip]
    ignores: [created_at]
    groups: [billing, billing-replay]
    runtime: kafkajs
`;

const CONTRACTS = [
  {
    version: 1,
    environment: "default",
    consumer: "billing",
    owner: "<!subteam^S0123> @team-billing",
    topic: "inventory.public.customers",
    decodesWith: "reader",
    unknownFields: "accept",
    schema: { type: "record", name: "Envelope", fields: [] },
  },
  {
    version: 1,
    environment: "default",
    consumer: "billing",
    owner: "<!subteam^S0123> @team-billing",
    topic: "inventory.public.orders",
    decodesWith: "writer",
    unknownFields: "reject",
    fields: ["id", "zip"],
    ignores: ["created_at"],
    groups: ["billing", "billing-replay"],
    runtime: "kafkajs",
  },
];

test("a file gives one contract for each topic, its schema inlined", () => {
  expect(parseContractFile(GOOD, readFile)).toStrictEqual(CONTRACTS);
});

const UNWRAPPED = `
version: 1
consumer: replica
topics:
  - topic: inventory.public.customers
    view: row
    adds: [__op, { __ts_ms: long, __lsn: ["null", long] }]
    decodes-with: writer
    unknown-fields: reject
`;

test("an added field is an optional string unless its type is given", () => {
  expect(parseContractFile(UNWRAPPED, readFile)).toMatchObject([
    {
      view: "row",
      adds: [
        { name: "__op", type: ["null", "string"] },
        { name: "__ts_ms", type: "long" },
        { name: "__lsn", type: ["null", "long"] },
      ],
    },
  ]);
});

const WEIGHED = `${GOOD}
severity:
  - { rule: meaning/time-unit, severity: warning, reason: reads both, until: 2026-12-31 }
  - rule: runtime/avsc-name
    topic: inventory.public.orders
    field: zip
    severity: error
    reason: not tried yet
    until: 2026-06-30
`;

test("a severity applies to all topics, or only to the topic that it names", () => {
  const all = { rule: "meaning/time-unit", severity: "warning", reason: "reads both", until: "2026-12-31" };
  const one = {
    rule: "runtime/avsc-name",
    field: "zip",
    severity: "error",
    reason: "not tried yet",
    until: "2026-06-30",
  };
  expect(parseContractFile(WEIGHED, readFile).map(({ severity }) => severity)).toEqual([[all], [all, one]]);
});

test("contracts survive being sent as JSON", () => {
  for (const contract of [GOOD, UNWRAPPED, WEIGHED].flatMap((text) => parseContractFile(text, readFile))) {
    expect(parseContract(JSON.parse(JSON.stringify(contract)))).toStrictEqual(contract);
  }
});

test("a contract's key names environment, consumer and topic", () => {
  expect(parseContractFile(`environment: production${GOOD}`, readFile).map(contractKey)).toEqual([
    "production/billing/inventory.public.customers",
    "production/billing/inventory.public.orders",
  ]);
});

const topic = (lines: string): string => `version: 1\nconsumer: b\ntopics:\n  - topic: t\n    ${lines}\n`;
const WRITER = "decodes-with: writer\n    unknown-fields: accept";

const WRONG: readonly [name: string, text: string, mistakes: readonly string[]][] = [
  ["nothing", "", ["f.yaml:1:1 the file must be a map of keys"]],
  ["a list", "- a", ["f.yaml:1:1 the file must be a map of keys"]],
  ["invalid YAML", "version: 1\ntopics: [", ["f.yaml:2:10 YAML: Flow sequence in block collection must be"]],
  ["an alias without an anchor", "consumer: *billing", ["f.yaml:1:11 YAML: Unresolved alias"]],
  ["a key twice", "consumer: a\nconsumer: b", ["f.yaml:2:1 YAML: Map keys must be unique"]],
  [
    "only a version",
    "version: 1",
    ["f.yaml:1:1 consumer is missing, e.g. consumer: billing", "f.yaml:1:1 topics is missing, e.g. topics: [{"],
  ],
  [
    "another version and an empty list",
    "version: 2\nconsumer: b\ntopics: []",
    ["f.yaml:1:1 version must be 1, e.g. version: 1", "f.yaml:3:1 topics must list at least one topic"],
  ],
  [
    "misspelt keys",
    topic(`decode-with: writer\n    unknown-feilds: accept`),
    [
      "f.yaml:4:5 topics[0].decodes-with is missing, e.g. decodes-with: writer",
      "f.yaml:4:5 topics[0].unknown-fields is missing",
      "f.yaml:5:5 topics[0].decode-with is not a known key (did you mean decodes-with?), e.g. decodes-with: writer",
      "f.yaml:6:5 topics[0].unknown-feilds is not a known key (did you mean unknown-fields?)",
    ],
  ],
  [
    "an unknown key",
    `colour: red\n${topic(WRITER)}`,
    [
      "f.yaml:1:1 colour is not a known key (known keys: version, consumer, owner, environment, topics, ignore, severity)",
    ],
  ],
  [
    "values of the wrong kind",
    topic("decodes-with: both\n    unknown-fields: true\n    fields: id\n    groups: [1]"),
    [
      "f.yaml:5:5 topics[0].decodes-with must be one of reader, writer",
      "f.yaml:6:5 topics[0].unknown-fields must be one of accept, reject, e.g. unknown-fields: reject",
      "f.yaml:7:5 topics[0].fields must be a list, e.g. fields: [id, zip]",
      "f.yaml:8:14 topics[0].groups[0] must be text",
    ],
  ],
  [
    "a consumer's name with a slash",
    `environment: a b\n${topic(WRITER).replace("consumer: b", "consumer: b/c")}`,
    ["f.yaml:1:1 environment must be letters, digits", "f.yaml:3:1 consumer must be letters, digits"],
  ],
  [
    "a reader without schema",
    topic("decodes-with: reader\n    unknown-fields: accept"),
    [
      "f.yaml:4:5 topics[0].schema is missing: decodes-with: reader requires the reader's schema, e.g. schema: schemas/",
    ],
  ],
  [
    "a writer with schema",
    topic(`${WRITER}\n    schema: a.avsc`),
    ["f.yaml:7:5 topics[0].schema requires decodes-with: reader; with writer, list the columns in fields"],
  ],
  [
    "a missing schema file and a second mistake",
    topic("decodes-with: reader\n    schema: none.avsc"),
    [
      "f.yaml:4:5 topics[0].unknown-fields is missing",
      "f.yaml:6:5 topics[0].schema none.avsc cannot be used: ENOENT: none.avsc",
    ],
  ],
  [
    "a schema file without a valid schema",
    topic("decodes-with: reader\n    unknown-fields: accept\n    schema: broken.avsc"),
    ['f.yaml:7:5 topics[0].schema broken.avsc:1:1 cannot be used: [schema-invalid] at /: no type is named "recod"'],
  ],
  [
    "an unknown view",
    topic(`${WRITER}\n    view: rows`),
    ["f.yaml:7:5 topics[0].view must be one of envelope, row, e.g. view: row"],
  ],
  [
    "added fields of an event that is not unwrapped",
    topic(`${WRITER}\n    adds: [__op]`),
    ["f.yaml:7:5 topics[0].adds requires view: row"],
  ],
  [
    "an added field of an unknown type",
    topic(`${WRITER}\n    view: row\n    adds: [__op, { __ts_ms: lnog }]`),
    ["f.yaml:8:18 topics[0].adds[1] is not an Avro schema: [schema-invalid]"],
  ],
  [
    "an added field that is a path",
    topic(`${WRITER}\n    view: row\n    adds: [source.lsn]`),
    ["f.yaml:8:12 topics[0].adds[0] must be a field name, e.g. adds: [__op"],
  ],
  [
    "invalid severities",
    `${topic(WRITER)}severity:
  - { rule: avro/type-mismatch, severity: warning, reason: old, until: 2026-12-31 }
  - { rule: meaning/time-units, severity: warning, reason: old, until: 2026-12-31 }
  - { rule: meaning/time-unit, severity: note, reason: " ", until: 2026-02-30, fields: [a] }
  - { topic: other, severity: warning }
`,
    [
      "f.yaml:8:7 severity[0].rule avro/type-mismatch has a fixed severity: only meaning/… and runtime/… rules can be overridden",
      "f.yaml:9:7 severity[1].rule meaning/time-units is not a rule whose severity can be changed (did you mean meaning/time-unit?)",
      "f.yaml:10:32 severity[2].severity must be one of error, warning, e.g. severity: warning",
      "f.yaml:10:48 severity[2].reason must give a reason",
      "f.yaml:10:61 severity[2].until must be a day",
      "f.yaml:10:80 severity[2].fields is not a known key (did you mean field?)",
      "f.yaml:11:5 severity[3].rule is missing, e.g. rule: meaning/time-unit",
      "f.yaml:11:5 severity[3].reason is missing",
      "f.yaml:11:5 severity[3].until is missing",
      "f.yaml:11:7 severity[3].topic is not one of this file's topics",
    ],
  ],
  ["a topic twice", `${topic(WRITER)}  - topic: t\n    ${WRITER}\n`, ["f.yaml:7:5 topics[1].topic is listed twice"]],
];

function mistakesOf(parse: () => unknown): readonly string[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "contract-invalid") throw error;
    return error.message.split("\n").slice(1);
  }
}

test.each(WRONG)("every mistake is reported with its place: %s", (_, text, expected) => {
  const mistakes = mistakesOf(() => parseContractFile(text, readFile, "f.yaml"));
  expect(mistakes).toEqual(expected.map((mistake) => expect.stringContaining(mistake)));
});

test("a text is a contract file or a contract-invalid error", () => {
  const line = fc.constantFrom(
    "version: 1",
    "consumer: b",
    "topics:",
    "  - topic: t",
    `    ${WRITER}`,
    "- x",
    "a: [",
    "",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(line).map((lines) => lines.join("\n")),
      ),
      (text) => {
        mistakesOf(() => parseContractFile(text, readFile));
      },
    ),
  );
});

test.each([
  ["not an object", 5, "contract Invalid input"],
  ["an unknown key", { ...CONTRACTS[0], colour: "red" }, 'contract Unrecognized key: "colour"'],
  ["an owner of two lines", { ...CONTRACTS[0], owner: "a\nb" }, "owner must be one line"],
  ["another version", { ...CONTRACTS[0], version: 2 }, "version Invalid input"],
  ["an invalid schema", { ...CONTRACTS[0], schema: { type: "x" } }, "schema is not an Avro schema"],
  ["a value that is not text", { ...CONTRACTS[1], fields: [1] }, "fields.0 Invalid input"],
  [
    "a severity for a rule of Avro",
    {
      ...CONTRACTS[1],
      severity: [{ rule: "avro/type-mismatch", severity: "warning", reason: "old", until: "2026-12-31" }],
    },
    "severity.0.rule must be a meaning/… or runtime/… rule",
  ],
  [
    "a tested field without its hash",
    { ...CONTRACTS[1], tested: [{ amendment: "t/3", field: "zip", type: "string" }] },
    "tested.0.type must be the hash of a field",
  ],
  ["a topic with a slash", { ...CONTRACTS[1], topic: "a/b" }, "topic must be letters"],
])("a contract received over HTTP is refused with its mistakes: %s", (_, json, expected) => {
  expect(mistakesOf(() => parseContract(json))).toEqual([expect.stringContaining(expected)]);
});

test("a file may name its schema for editors, as a key or in a comment", () => {
  const schema = "node_modules/fieldgate/schemas/fieldgate.schema.json";
  const plain = parseContractFile(GOOD, readFile);
  expect(parseContractFile(`$schema: ${schema}\n${GOOD}`, readFile)).toEqual(plain);
  expect(parseContractFile(`# yaml-language-server: $schema=${schema}\n${GOOD}`, readFile)).toEqual(plain);
});

test("every key has a correct example", () => {
  const { topics, ...rest } = contractFileSchema.shape;
  expect(Object.keys(EXAMPLES).toSorted()).toEqual(
    [
      ...Object.keys(rest),
      "topics",
      "rule",
      "field",
      "reason",
      "until",
      ...Object.keys(topics.element.shape),
    ].toSorted(),
  );
});

test("the schema for editors equals the one of the parser", async () => {
  const text = `${JSON.stringify(z.toJSONSchema(contractFileSchema, { io: "input" }), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("../../schemas/fieldgate.schema.json");
});
