import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseSchema } from "../../src/avro/parse.ts";
import { type ClientName, CLIENTS } from "../../src/contract/clients.ts";
import { parseContractFile } from "../../src/contract/file.ts";
import { firstContractText } from "../../src/contract/init.ts";
import { checkFlowing } from "../../src/contract/judge.ts";
import type { Json } from "../../src/json.ts";

const COLUMNS = ["id", "null", "true", "no", "ströße", "_1"];
const ROW: Json = { type: "record", name: "Value", fields: COLUMNS.map((name) => ({ name, type: "int" })) };
const ENVELOPE: Json = { type: "record", name: "Envelope", fields: [{ name: "after", type: ["null", ROW] }] };
const NAMES = Object.keys(CLIENTS) as ClientName[]; // the keys of CLIENTS
const first = (client: ClientName) =>
  firstContractText({
    client,
    consumer: "true",
    environment: "1e3",
    topics: [{ topic: "1.2", columns: COLUMNS, schema: "schemas/1.2.avsc" }],
  });

/** avsc accepts only ASCII letters in names. */
const REFUSED: Partial<Record<ClientName, string>> = { kafkajs: "runtime/name-refused" };

test.each(NAMES)("the first contract for %s is valid, and ready for the current events", (client) => {
  const [contract] = parseContractFile(first(client), () => JSON.stringify(ENVELOPE));
  const { decodesWith, unknownFields, view } = CLIENTS[client];
  expect(contract).toMatchObject({
    consumer: "true",
    environment: "1e3",
    topic: "1.2",
    runtime: client,
    decodesWith,
    unknownFields,
    view,
    ...(decodesWith === "writer" ? { fields: COLUMNS } : { schema: ENVELOPE }),
  });
  if (contract === undefined) throw new Error("no contract");
  const { verdict, findings } = checkFlowing(contract, parseSchema(ENVELOPE));
  const refused = REFUSED[client];
  expect(findings.map(({ rule }) => rule)).toEqual(refused === undefined ? [] : [refused]);
  expect(verdict).toBe(refused === undefined ? "ready" : "not-ready");
});

test.each(NAMES)("every line of the first contract for %s is explained", (client) => {
  const lines = first(client).split("\n");
  const keys = lines.filter((line) => /^[ -]*[a-z-]+: /.test(line));
  expect(keys.length).toBeGreaterThan(6);
  for (const key of keys) {
    if (/^(version|topics| +- topic)/.test(key)) continue;
    expect(lines[lines.indexOf(key) - 1]).toMatch(/^ *# /);
  }
  expect(first(client)).toContain("# Assumed: ");
});

test("a first contract reads well", () => {
  const topics = [{ topic: "inventory.public.customers", columns: ["id", "zip"], schema: "a.avsc" }];
  const facts = { consumer: "replica", environment: "default", topics };
  expect(firstContractText({ client: "connect-jdbc", ...facts })).toMatchInlineSnapshot(`
    "# What replica reads, and how. Fieldgate checks this before a new field flows. Written for Kafka Connect's JDBC sink.
    # Lines marked Assumed are guesses: correct them and run \`fieldgate check\`. After a deploy: \`fieldgate publish\`.
    version: 1
    # The same name in every environment.
    consumer: replica
    # Who is responsible for it, for alerts.
    # owner: "@team"
    # The environment it runs in; \`fieldgate publish --env\` overrides this.
    environment: default
    topics:
      - topic: inventory.public.customers
        # The client library that decodes.
        runtime: connect-jdbc
        # Assumed: it gets only the row, unwrapped by ExtractNewRecordState. With envelope, it gets the whole event.
        view: row
        # Fields that the unwrapping adds (add.fields, __deleted) and that this consumer reads.
        # adds: [__op, __deleted]
        # Each event is decoded with the schema that it names, so these columns must not change.
        decodes-with: writer
        # Assumed: it reads all columns. Remove those that it does not read, so that they may change freely.
        fields:
          - id
          - zip
        # A field that is not listed here breaks this consumer or makes it lose data, so new fields are withheld until they are listed.
        # Assumed: auto.evolve is false, the default: the task stops at a field that its table lacks; accept if it is true.
        unknown-fields: reject
        # Columns that the consumer knows but does not read.
        # ignores: []
        # Its Kafka consumer groups. Alerts list groups that no contract names.
        # groups: [replica]
    "
  `);
});

test("a first contract names no environment that is only a guess", () => {
  const facts = { client: "flink-sql", consumer: "replica", environment: undefined, topics: [] } as const;
  expect(firstContractText(facts)).toMatch(/\n# The environment it runs in, .*\n# environment: production\ntopics:/);
});

test("a first contract for kafkajs shows the lines without which the library decodes no event", () => {
  const text = first("kafkajs");
  expect(text).toContain('import { bigintLongs } from "fieldgate/consumer";');
  expect(text).toContain("new SchemaRegistry({ host }, { [SchemaType.AVRO]: { typeHook: bigintLongs } })");
  const fields = [{ name: "id", type: "int" }];
  const event = (row: Json): Json => ({
    type: "record",
    name: "Envelope",
    fields: [
      { name: "after", type: ["null", row] },
      { name: "ts_ns", type: ["null", "long"] },
    ],
  });
  const flowing = parseSchema(event({ type: "record", name: "Value", fields }));
  const verdict = (yaml: string) => {
    const [contract] = parseContractFile(yaml, () => "");
    if (contract === undefined) throw new Error("no contract");
    return checkFlowing({ ...contract, fields: ["id"] }, flowing).verdict;
  };
  expect(verdict(text)).toBe("not-ready");
  expect(verdict(text.replace("longs: number", "longs: bigint"))).toBe("ready");
});

test("docs/consumers.md has a row for each client, with the same values", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/consumers.md"), "utf8");
  for (const client of NAMES) {
    const { decodesWith, unknownFields, view } = CLIENTS[client];
    const row = page.split("\n").find((line) => line.startsWith(`| \`${client}\``));
    for (const words of [`decodes-with: ${decodesWith}`, `unknown-fields: ${unknownFields}`, `view: ${view}`]) {
      expect(row).toContain(`\`${words}\``);
    }
  }
});
