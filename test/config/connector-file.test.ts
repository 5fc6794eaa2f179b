import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { readConnectorFile } from "../../src/config.ts";
import { checkConnectorFile } from "../../src/config/connector-file.ts";
import { mistakeText } from "../../src/config/mistake.ts";

const SMALLEST = {
  "database.hostname": "db",
  "database.user": "fieldgate",
  "database.password": "${env:PASSWORD}",
  "database.dbname": "inventory",
  "topic.prefix": "inv",
  "table.include.list": "public.customers",
};

const env = (name: string) => ({ PASSWORD: "hunter2hunter2" })[name];

function mistakes(keys: object): readonly string[] {
  const result = checkConnectorFile(JSON.stringify({ ...SMALLEST, ...keys }), "connectors/inventory.json", env);
  return result.kind === "wrong" ? result.mistakes.map(mistakeText) : [];
}

describe("a connector file that is right", () => {
  it("fills in every default", () => {
    const config = readConnectorFile(JSON.stringify(SMALLEST), "connectors/Inventory-2.json", env);
    expect(config).toEqual({
      name: "Inventory-2",
      database: { hostname: "db", port: 5432, user: "fieldgate", password: "hunter2hunter2", dbname: "inventory" },
      topicPrefix: "inv",
      tables: [{ schema: "public", name: "customers" }],
      slotName: "fieldgate_inventory_2",
      publicationName: "fieldgate_inventory_2",
      snapshotMode: "initial",
      tombstonesOnDelete: true,
      topicCreation: { partitions: undefined, replicationFactor: undefined, cleanupPolicy: undefined },
      releasePolicy: "contracts",
      releasePolicyOf: {},
      judgeTimeoutMs: 3000,
      backfillMaxRows: 10_000_000,
      backfillRate: 0,
      chunkRows: 1024,
      environment: "default",
      warnings: [],
    });
  });

  it("takes Kafka Connect's form with name and config, numbers and booleans as text", () => {
    const text = JSON.stringify({
      name: "orders",
      config: {
        ...SMALLEST,
        "database.port": "6432",
        "tombstones.on.delete": "false",
        "table.include.list": "public.a , public.b",
        "topic.creation.default.partitions": "6",
        "topic.creation.default.replication.factor": -1,
        "topic.creation.default.cleanup.policy": "compact",
        "fieldgate.release.policy": "observe",
        "fieldgate.release.policy.public.b": "manual",
      },
    });
    expect(readConnectorFile(text, "x.json", env)).toMatchObject({
      name: "orders",
      database: { port: 6432 },
      tombstonesOnDelete: false,
      tables: [
        { schema: "public", name: "a" },
        { schema: "public", name: "b" },
      ],
      slotName: "fieldgate_orders",
      topicCreation: { partitions: 6, replicationFactor: undefined, cleanupPolicy: "compact" },
      releasePolicy: "observe",
      releasePolicyOf: { "public.b": "manual" },
    });
  });

  it("warns once of every key without effect", () => {
    const text = JSON.stringify({
      ...SMALLEST,
      "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
      "tasks.max": "1",
      "database.server.name": "x",
      "heartbeat.interval.ms": "5000",
      "internal.log.position.check.enable": "true",
      "decimal.handling.mode": "precise",
    });
    expect(readConnectorFile(text, "x.json", env).warnings).toEqual([
      "keys without effect here: connector.class, tasks.max, database.server.name, heartbeat.interval.ms, internal.log.position.check.enable",
    ]);
  });

  it("is what connectors/inventory.json is", () => {
    const file = new URL("../../connectors/inventory.json", import.meta.url);
    const config = readConnectorFile(readFileSync(file, "utf8"), file.pathname, () => "secret");
    expect(config.name).toBe("inventory");
    expect(config.warnings).toEqual([]);
  });
});

describe("a mistake in a connector file", () => {
  it.each<[string, object, RegExp]>([
    [
      "a port that is none",
      { "database.port": 70000 },
      /^database.port must be a whole number from 1 to 65535, e\.g\. /,
    ],
    ["a port with a fraction", { "database.port": "54.32" }, /^database.port must be a whole number/],
    ["a list of regular expressions", { "table.include.list": "public\\.cust.*" }, /entry 1 is a regular expression/],
    ["a table without schema", { "table.include.list": "public.a,customers" }, /entry 2 is not schema\.table/],
    ["an empty entry", { "table.include.list": "public.a," }, /entry 2 is not schema\.table/],
    ["a table twice", { "table.include.list": "public.a,public.a" }, /entry 2 repeats/],
    ["no tables", { "table.include.list": "" }, /entry 1 is not schema\.table/],
    ["a value that is no text", { "topic.prefix": { a: 1 } }, /^topic\.prefix must be 1 to 150/],
    ["null", { "database.hostname": null }, /^database\.hostname must be/],
    ["a key left out", { "topic.prefix": undefined }, /^topic\.prefix is missing: it must be/],
    ["an upper-case slot", { "slot.name": "Fieldgate" }, /^slot\.name must be 1 to 63 of a-z/],
    ["another plugin", { "plugin.name": "decoderbufs" }, /^plugin\.name must be pgoutput/],
    ["another snapshot mode", { "snapshot.mode": "never" }, /^snapshot\.mode must be initial/],
    ["the policy of a later version", { "fieldgate.release.policy": "strict" }, /cannot be `strict` in this version/],
    ["that policy for a table", { "fieldgate.release.policy.public.customers": "strict" }, /cannot be `strict`/],
    [
      "a policy nobody knows",
      { "fieldgate.release.policy.public.customers": "yes" },
      /must be observe, contracts or manual/,
    ],
    [
      "a policy for another table",
      { "fieldgate.release.policy.public.custmers": "manual" },
      /did you mean public\.customers\?/,
    ],
    [
      "a misspelt key",
      { "tabel.include.list": "public.a" },
      /^tabel\.include\.list is not a known key: did you mean table\.include\.list\?/,
    ],
    ["a misspelt Debezium key", { "decimal.handling.mod": "string" }, /did you mean decimal\.handling\.mode\?/],
    ["a key near nothing", { zzzzzzzz: 1 }, /^zzzzzzzz is not a known key; docs\/configuration\.md/],
    ["a key that changes values", { "decimal.handling.mode": "string" }, /can only be precise in this version/],
    ["a key that changes content", { "column.mask.hash.SHA-256.with.salt.x": "public.a.b" }, /is not supported/],
    ["a transform", { "transforms.unwrap.type": "x" }, /is not supported: it names Java classes/],
    [
      "another converter",
      { "value.converter": "org.apache.kafka.connect.json.JsonConverter" },
      /can only be io\.confluent/,
    ],
    ["a renamed topic", { "topic.delimiter": "-" }, /can only be \. in this version/],
    ["TLS", { "database.sslmode": "require" }, /can only be disable/],
    [
      "another connector",
      { "connector.class": "io.debezium.connector.mysql.MySqlConnector" },
      /can only be io\.debezium\.connector\.postgresql/,
    ],
    [
      "a variable that is not set",
      { "database.user": "${env:NOBODY}" },
      /^database\.user needs the environment variable NOBODY, not set$/,
    ],
    ["another provider", { "database.user": "${file:/x:y}" }, /uses a provider other than env, e\.g\. \$\{env:NAME\}/],
    ["zero partitions", { "topic.creation.default.partitions": 0 }, /must be a whole number from 1, or -1/],
    ["another mode", { "fieldgate.mode": "shadow" }, /^fieldgate\.mode must be stream/],
    ["chunks of no rows", { "fieldgate.chunk.rows": "0" }, /^fieldgate\.chunk\.rows must be rows a chunk/],
    ["no boolean", { "tombstones.on.delete": "yes" }, /^tombstones\.on\.delete must be true or false/],
  ])("%s is told with key, reason and way on", (_name, keys, message) => {
    expect(mistakes(keys)).toEqual([expect.stringMatching(message)]);
  });

  it("comes with all the others at once", () => {
    const keys = { "database.port": 0, "snapshot.mode": "x", nonsense: 1, "slot.name": "A", "topic.prefix": undefined };
    expect(mistakes(keys)).toHaveLength(5);
  });

  it("is one GuardError that lists them under the file's name", () => {
    const text = JSON.stringify({ ...SMALLEST, "database.port": 0, "plugin.name": "wal2json" });
    expect(() => readConnectorFile(text, "connectors/a.json", env)).toThrow(
      /^\[config-invalid\] 2 mistakes\n {2}connectors\/a\.json\n {4}- database\.port must .*\n {4}- plugin\.name must/,
    );
  });

  it.each([
    ["a missing comma", '{\n"database.password": "hunter2hunter2"\n"database.port": 1}', /is not JSON at line 3/],
    ["no quotes", '{"database.password": hunter2hunter2}', /is not JSON at line 1, column 23/],
    ["a trailing comma", '{"database.password": "hunter2hunter2",}', /is not JSON/],
    ["an end too early", '{"database.password": "hunter2hunter2"', /is not JSON at line 1/],
    ["a key twice", '{"slot.name": "a",\n "slot.name": "hunter2hunter2"}', /has a key twice at line 2/],
    ["a list", '["hunter2hunter2"]', /is not a JSON object/],
    ["nothing", "", /is not JSON/],
  ])("of JSON (%s) is told with its place and without the text", (_name, text, message) => {
    const result = checkConnectorFile(text, "a.json", env);
    const said = result.kind === "wrong" ? result.mistakes.map(mistakeText).join() : "";
    expect(said).toMatch(message);
    expect(said).not.toContain("hunter2");
  });

  it("never shows a value, whatever key it is under", () => {
    const secret = "hunter2hunter2";
    const keys = [...Object.keys(SMALLEST), "database.port", "slot.name", "databse.password", "snapshot.mode", "name"];
    for (const key of [...keys, "transforms", "decimal.handling.mode", "fieldgate.release.policy.a.b"]) {
      for (const value of [secret, `\${env:PASSWORD}.*`, { a: secret }, [secret]]) {
        expect(`${key}: ${mistakes({ [key]: value, "plugin.name": "x" }).join()}`).not.toContain("hunter2");
      }
    }
  });
});
