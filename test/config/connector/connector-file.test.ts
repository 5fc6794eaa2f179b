import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { readConnectorFile } from "../../../src/config/connectors.ts";
import { checkConnectorFile } from "../../../src/config/connector/connector-file.ts";
import { mistakeText } from "../../../src/mistake.ts";
import { DEFAULT_MODES } from "../../../src/event/types/modes.ts";

const SMALLEST = {
  "database.hostname": "db",
  "database.user": "fieldgate",
  "database.password": "${env:PASSWORD}",
  "database.dbname": "inventory",
  "topic.prefix": "inv",
  "table.include.list": "public.customers",
};

const env = (name: string) => ({ PASSWORD: "hunter2hunter2" })[name];
const FILES = new Map([
  ["/s/db.properties", "# of the database\npass\\u0077ord : hunter2\\\n   hunter2\nuser=fieldgate\nempty\n"],
  ["/s/password", "hunter2hunter2"],
  ["/s/line", "hunter2hunter2\n"],
  ["/s/ca.pem", "-----BEGIN CERTIFICATE-----"],
]);
const providers = { env, file: (path: string) => FILES.get(path) };

function mistakes(keys: object): readonly string[] {
  const result = checkConnectorFile(JSON.stringify({ ...SMALLEST, ...keys }), "connectors/inventory.json", providers);
  return result.kind === "wrong" ? result.mistakes.map(mistakeText) : [];
}

describe("a correct connector file", () => {
  it("fills in every default", () => {
    const config = readConnectorFile(JSON.stringify(SMALLEST), "connectors/Inventory-2.json", env);
    const { filter, ...rest } = config;
    expect(filter.table("public", "customers")).toBe(true);
    expect(filter.table("public", "orders")).toBe(false);
    expect(rest).toEqual({
      name: "Inventory-2",
      "database.hostname": "db",
      "database.port": 5432,
      "database.user": "fieldgate",
      "database.password": "hunter2hunter2",
      "database.dbname": "inventory",
      "database.sslmode": "prefer",
      "database.tcpKeepAlive": true,
      "database.connectTimeout": 10,
      "database.query.timeout.ms": 0,
      "topic.prefix": "inv",
      "table.include.list": [expect.objectContaining({ text: "public.customers", plain: true })],
      "slot.name": "fieldgate_inventory_2",
      "publication.name": "fieldgate_inventory_2",
      "publication.autocreate.mode": "filtered",
      "publish.via.partition.root": false,
      "snapshot.mode": "initial",
      "tombstones.on.delete": true,
      "skipped.operations": new Set(["t"]),
      "heartbeat.interval.ms": 0,
      "topic.heartbeat.prefix": "__debezium-heartbeat",
      "decimal.handling.mode": "precise",
      "time.precision.mode": "adaptive",
      "interval.handling.mode": "numeric",
      "binary.handling.mode": "bytes",
      "hstore.handling.mode": "json",
      "money.fraction.digits": 2,
      "include.unknown.datatypes": false,
      "field.name.adjustment.mode": "avro",
      "unavailable.value.placeholder": "__debezium_unavailable_value",
      "topic.creation.default.partitions": undefined,
      "topic.creation.default.replication.factor": undefined,
      "fieldgate.mode": "guard",
      "fieldgate.register": "self",
      "fieldgate.environment": "default",
      "fieldgate.on.unfit": "park",
      "fieldgate.release.policy": "contracts",
      "fieldgate.on.poison": "park",
      "fieldgate.judge.timeout.ms": 3000,
      "fieldgate.look.ms": 2000,
      "fieldgate.groups.seen": 604_800_000,
      "fieldgate.groups.look.ms": 30_000,
      "fieldgate.contracts.stale": 1_209_600_000,
      "fieldgate.backfill.max.rows": 10_000_000,
      "fieldgate.backfill.rate": 0,
      "fieldgate.chunk.rows": 1024,
      mode: "guard",
      modes: DEFAULT_MODES,
      policyOf: new Map(),
      poisonOf: new Map(),
      severity: [],
      route: undefined,
      unwrapped: undefined,
      registry: undefined,
      warnings: [],
    });
  });

  it("may have Kafka Connect's form with name and config, and numbers and booleans as text", () => {
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
        "fieldgate.on.poison": "dead-letter",
        "fieldgate.on.poison.public.a": "null-and-alert",
        "fieldgate.severity.meaning/union-order": "error until 2026-12-31: sinks read by avsc: see wiki",
      },
    });
    expect(readConnectorFile(text, "x.json", env)).toMatchObject({
      name: "orders",
      "database.port": 6432,
      "tombstones.on.delete": false,
      "table.include.list": [{ text: "public.a" }, { text: "public.b" }],
      "slot.name": "fieldgate_orders",
      "topic.creation.default.partitions": 6,
      "topic.creation.default.replication.factor": undefined,
      "topic.creation.default.cleanup.policy": "compact",
      "fieldgate.release.policy": "observe",
      policyOf: new Map([["inv.public.b", "manual"]]),
      "fieldgate.on.poison": "dead-letter",
      poisonOf: new Map([["inv.public.a", "null-and-alert"]]),
      severity: [
        {
          rule: "meaning/union-order",
          severity: "error",
          until: "2026-12-31",
          reason: "sinks read by avsc: see wiki",
        },
      ],
    });
  });

  it("gets one warning that lists every key without effect", () => {
    const text = JSON.stringify({
      ...SMALLEST,
      "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
      "tasks.max": "1",
      "database.server.name": "x",
      "poll.interval.ms": "500",
      "internal.log.position.check.enable": "true",
      "decimal.handling.mode": "precise",
    });
    expect(readConnectorFile(text, "x.json", env).warnings).toEqual([
      "keys that have no effect here: connector.class, tasks.max, database.server.name, poll.interval.ms, internal.log.position.check.enable",
    ]);
  });

  it.each([
    { "value.converter.auto.register.schemas": "false" },
    { "key.converter.use.latest.version": "true" },
    { "value.converter.apicurio.registry.auto-register": "false" },
    { "fieldgate.register": "external" },
  ])("leaves registering schemas to others with %o", (keys) => {
    expect(readConnectorFile(JSON.stringify({ ...SMALLEST, ...keys }), "x.json", env)["fieldgate.register"]).toBe(
      "external",
    );
  });

  it("for watching may be Debezium's own: keys about its slot, rows and topics have no effect", () => {
    const { name: _, ...debezium } = {
      ...SMALLEST,
      name: "",
      "fieldgate.mode": "watch",
      "plugin.name": "decoderbufs",
      "slot.name": "debezium",
      "slot.drop.on.stop": "true",
      "publication.name": "dbz_publication",
      "publication.autocreate.mode": "all_tables",
      "snapshot.mode": "when_needed",
      "heartbeat.interval.ms": "10000",
      "heartbeat.action.query": "UPDATE heartbeat SET at = now()",
      "topic.creation.default.partitions": "6",
      "topic.creation.default.retention.ms": "1000",
      "signal.data.collection": "public.signals",
      "message.prefix.exclude.list": "fieldgate.*",
      "fieldgate.release.policy": "manual",
      "fieldgate.release.policy.public.gone": "observe",
      "fieldgate.on.poison.public.gone": "dead-letter",
    };
    const config = readConnectorFile(JSON.stringify(debezium), "inventory.json", env);
    expect(config).toMatchObject({
      mode: "watch",
      "slot.name": "fieldgate_inventory",
      "publication.name": "fieldgate_inventory",
      "publication.autocreate.mode": "filtered",
      "snapshot.mode": "no_data",
      "heartbeat.interval.ms": 0,
      policyOf: new Map(),
      poisonOf: new Map(),
    });
    expect(config.warnings).toEqual([
      expect.stringMatching(/^keys that have no effect here: .*slot\.name, .*fieldgate\.rel/),
    ]);
  });

  it("for watching must not contain a key that would change a table's schema in an unknown way", () => {
    const keys = { "fieldgate.mode": "watch", transforms: "outbox", "decimal.handling.mode": "exact" };
    expect(mistakes(keys)).toEqual([
      expect.stringMatching(/^transforms\.outbox\.type is not supported\. Supported are .*ExtractNewRecordState/),
      expect.stringMatching(/^decimal\.handling\.mode must/),
    ]);
    expect(mistakes({ "fieldgate.mode": "watch", name: "inventory", "slot.name": "fieldgate_inventory" })).toEqual([
      expect.stringMatching(/^slot\.name is Debezium's, and Fieldgate would use the same name/),
    ]);
  });

  it("has ${file:…} and ${dir:…} substituted once, also within longer texts", () => {
    const keys = {
      ...SMALLEST,
      "database.user": "${file:/s/db.properties:user}",
      "database.password": "a-${file:/s/db.properties:password}-${dir:/s:password}-${env:PASSWORD}",
      "database.dbname": "db${file:/s/db.properties:empty}",
    };
    const result = checkConnectorFile(JSON.stringify(keys), "x.json", providers);
    expect(result).toMatchObject({
      config: {
        "database.user": "fieldgate",
        "database.password": "a-hunter2hunter2-hunter2hunter2-hunter2hunter2",
        "database.dbname": "db",
      },
    });
    const whole = JSON.stringify({ ...SMALLEST, "database.password": "${directory:/s:line}" });
    expect(checkConnectorFile(whole, "x.json", providers)).toMatchObject({
      config: {
        "database.password": "hunter2hunter2\n",
        warnings: ["database.password ends in a line break, which becomes part of the value"],
      },
    });
  });

  it.each<[string, object, object]>([
    [
      "lists",
      { "table.include.list": undefined, "schema.include.list": "PUBLIC", "table.exclude.list": "public\\.tmp_.*" },
      { "schema.include.list": [{ text: "PUBLIC" }], "table.exclude.list": [{ plain: false }] },
    ],
    ["snapshot.mode never", { "snapshot.mode": "never" }, { "snapshot.mode": "no_data" }],
    ["skipped.operations none", { "skipped.operations": "none" }, { "skipped.operations": new Set() }],
    ["skipped.operations", { "skipped.operations": "u, d" }, { "skipped.operations": new Set(["u", "d"]) }],
    [
      "a heartbeat",
      { "heartbeat.interval.ms": "5000", "topic.heartbeat.prefix": "hb", "heartbeat.action.query": "SELECT 1" },
      { "heartbeat.interval.ms": 5000, "topic.heartbeat.prefix": "hb", "heartbeat.action.query": "SELECT 1" },
    ],
    [
      "modes",
      {
        "decimal.handling.mode": "string",
        "time.precision.mode": "connect",
        "interval.handling.mode": "string",
        "binary.handling.mode": "base64-url-safe",
        "hstore.handling.mode": "map",
        "money.fraction.digits": "4",
        "include.unknown.datatypes": "true",
        "field.name.adjustment.mode": "avro_unicode",
        "unavailable.value.placeholder": "hex:c3a9",
      },
      {
        modes: {
          decimal: "string",
          time: "connect",
          interval: "string",
          binary: "base64-url-safe",
          hstore: "map",
          moneyDigits: 4,
          unknownTypes: true,
          fieldNames: "avro_unicode",
          placeholder: "é",
        },
      },
    ],
    [
      "a publication",
      { "publication.name": "dbz", "publication.autocreate.mode": "disabled", "publish.via.partition.root": "true" },
      {
        "publication.name": "dbz",
        "publication.autocreate.mode": "disabled",
        "publish.via.partition.root": true,
      },
    ],
    [
      "a registry with user and password",
      {
        "key.converter": "io.confluent.connect.avro.AvroConverter",
        "key.converter.schema.registry.url": "http://a:8081, http://b:8081/",
        "key.converter.basic.auth.credentials.source": "USER_INFO",
        "key.converter.basic.auth.user.info": "me:${env:PASSWORD}",
        "value.converter": "io.confluent.connect.avro.AvroConverter",
        "value.converter.schema.registry.url": "http://a:8081,http://b:8081",
        "value.converter.schema.registry.basic.auth.credentials.source": "USER_INFO",
        "value.converter.schema.registry.basic.auth.user.info": "me:hunter2hunter2",
      },
      {
        registry: {
          urls: ["http://a:8081", "http://b:8081"],
          auth: { kind: "basic", username: "me", password: "hunter2hunter2" },
        },
      },
    ],
    [
      "a registry with a token",
      {
        "value.converter.schema.registry.url": "https://psrc.example",
        "value.converter.bearer.auth.credentials.source": "STATIC_TOKEN",
        "value.converter.bearer.auth.token": "${env:PASSWORD}",
        "value.converter.bearer.auth.logical.cluster": "lsrc-1",
      },
      {
        registry: {
          urls: ["https://psrc.example"],
          auth: { kind: "bearer", token: "hunter2hunter2", headers: { "target-sr-cluster": "lsrc-1" } },
        },
      },
    ],
    [
      "Apicurio's address",
      {
        "value.converter": "io.apicurio.registry.utils.converter.AvroConverter",
        "value.converter.apicurio.registry.url": "http://apicurio:8080/apis/registry/v3",
      },
      { registry: { urls: ["http://apicurio:8080/apis/ccompat/v7"], auth: undefined } },
    ],
  ])("%s", (_name, keys, expected) => {
    const result = checkConnectorFile(JSON.stringify({ ...SMALLEST, ...keys }), "x.json", providers);
    expect(result).toMatchObject({ kind: "config", config: expected });
  });

  it("gets warnings about TLS and heartbeat keys that are useless without another key", () => {
    const keys = { ...SMALLEST, "database.sslmode": "require", "database.sslrootcert": "/s/ca.pem" };
    const text = JSON.stringify({ ...keys, "heartbeat.action.query": "SELECT 1" });
    expect(checkConnectorFile(text, "x.json", providers)).toMatchObject({
      config: {
        warnings: [
          expect.stringMatching(/^database\.sslrootcert is ignored with database\.sslmode require/),
          expect.stringMatching(/^heartbeat\.action\.query is never run/),
        ],
      },
    });
  });

  it.each([
    ["flat", { $schema: "../schemas/connector.schema.json", ...SMALLEST }],
    ["as Kafka Connect has it", { $schema: "x", name: "inventory", config: SMALLEST }],
    ["within the config", { name: "inventory", config: { $schema: "x", ...SMALLEST } }],
  ])("may name its schema for editors: %s", (_, file) => {
    expect(checkConnectorFile(JSON.stringify(file), "inventory.json", providers)).toMatchObject({
      kind: "config",
      config: { name: "inventory", warnings: [] },
    });
  });

  it("is the example, connectors/inventory.json", () => {
    const file = new URL("../../../connectors/inventory.json", import.meta.url);
    const config = readConnectorFile(readFileSync(file, "utf8"), file.pathname, () => "secret");
    expect(config.name).toBe("inventory");
    expect(config.warnings).toEqual([]);
  });
});

describe("a mistake in a connector file", () => {
  it.each<[string, object, RegExp]>([
    [
      "a port out of range",
      { "database.port": 70000 },
      /^database.port must be a whole number from 1 to 65535, e\.g\. /,
    ],
    ["a port with a fraction", { "database.port": "54.32" }, /^database.port must be a whole number/],
    [
      "an expression that JavaScript cannot evaluate as Java does",
      { "table.include.list": "public\\.a,b++" },
      /entry 2 has a possessive quantifier/,
    ],
    ["an invalid expression", { "table.include.list": "*.customers" }, /entry 1 is not a regular expression/],
    [
      "a column without its table",
      { "column.exclude.list": "public.password" },
      /entry 1 is not schema\.table\.column/,
    ],
    [
      "an include and an exclude list of the same kind",
      { "table.exclude.list": "public.b" },
      /^table\.exclude\.list cannot be used together/,
    ],
    [
      "message.key.columns without columns",
      { "message.key.columns": "public.a" },
      /entry 1 is not schema\.table:column,column/,
    ],
    ["a table without its schema", { "table.include.list": "public.a,customers" }, /entry 2 is not schema\.table/],
    ["an empty list of tables", { "table.include.list": "" }, /^table\.include\.list has no entry/],
    ["an object instead of a text", { "topic.prefix": { a: 1 } }, /^topic\.prefix must be 1 to 150/],
    ["null", { "database.hostname": null }, /^database\.hostname must be/],
    ["a missing key", { "topic.prefix": undefined }, /^topic\.prefix is missing: it must be/],
    ["an upper-case slot name", { "slot.name": "Fieldgate" }, /^slot\.name must be 1 to 63 of a-z/],
    ["an unsupported plugin", { "plugin.name": "decoderbufs" }, /^plugin\.name must be pgoutput/],
    [
      "an unsupported snapshot mode",
      { "snapshot.mode": "when_needed" },
      /^snapshot\.mode must be initial .*nearest to always and when_needed/,
    ],
    [
      "a severity for an unknown rule",
      { "fieldgate.severity.meaning/time-units": "warning until 2026-12-31: both are read" },
      /^fieldgate\.severity\.meaning\/time-units is not a rule whose severity .*did you mean meaning\/time-unit\?/,
    ],
    [
      "a severity for a rule of Avro",
      { "fieldgate.severity.avro/type-mismatch": "warning until 2026-12-31: both are read" },
      /^fieldgate\.severity\.avro\/type-mismatch has a fixed severity/,
    ],
    [
      "a severity without a reason",
      { "fieldgate.severity.meaning/time-unit": "warning until 2026-12-31" },
      /must give the severity, the last day and the reason, e\.g\. "fieldgate\.severity\.meaning\/time-unit": "warning until/,
    ],
    [
      "a severity until a day that does not exist",
      { "fieldgate.severity.meaning/time-unit": "warning until 2026-02-30: both are read" },
      /must give the severity, the last day and the reason/,
    ],
    ["a duration without a unit", { "fieldgate.groups.seen": "7" }, /must be a duration in .*7d, 12h, 90m or 30s/],
    ["a duration of zero", { "fieldgate.contracts.stale": "0d" }, /must be a duration/],
    [
      "an unknown policy",
      { "fieldgate.release.policy.public.customers": "yes" },
      /must be observe, contracts, strict or manual/,
    ],
    [
      "a policy for a table that is not captured",
      { "fieldgate.release.policy.public.custmers": "manual" },
      /names a table that is not captured: did you mean public\.customers\?/,
    ],
    [
      "an unknown way for the poisoned changes of a table",
      { "fieldgate.on.poison.public.customers": "null" },
      /must be park, dead-letter or null-and-alert/,
    ],
    [
      "a way for the poisoned changes of a table that is not captured",
      { "fieldgate.on.poison.customers": "park" },
      /names a table that is not captured/,
    ],
    [
      "a misspelt key",
      { "tabel.include.list": "public.a" },
      /^tabel\.include\.list is not a known key: did you mean table\.include\.list\?/,
    ],
    ["a misspelt Debezium key", { "decimal.handling.mod": "string" }, /did you mean decimal\.handling\.mode\?/],
    ["a key that resembles no known one", { zzzzzzzz: 1 }, /^zzzzzzzz is not a known key; docs\/configuration\.md/],
    ["an unknown mode", { "decimal.handling.mode": "text" }, /must be precise, double or string/],
    ["a mode of a later Debezium", { "time.precision.mode": "structured" }, /adaptive, adaptive_time_microseconds/],
    [
      "an unknown operation",
      { "skipped.operations": "c,r" },
      /must be none, or a comma-separated list of c, u, d and t/,
    ],
    ["none together with an operation", { "skipped.operations": "none,t" }, /must be none, or a comma-separated list/],
    ["octets that are not text", { "unavailable.value.placeholder": "hex:ff" }, /are not valid UTF-8/],
    [
      "a negative heartbeat interval",
      { "heartbeat.interval.ms": "-1" },
      /number of milliseconds; 0 means no heartbeat/,
    ],
    ["a key by its old name", { "table.whitelist": "public.a" }, /has called it include\.list/],
    ["NULLs written as defaults", { "value.converter.ignore.default.for.nullables": "false" }, /can only be true/],
    [
      "a different naming of subjects",
      { "value.converter.value.subject.name.strategy": "io.confluent.kafka.serializers.subject.RecordNameStrategy" },
      /can only be io\.confluent\.kafka\.serializers\.subject\.TopicNameStrategy/,
    ],
    ["a Java key store", { "value.converter.schema.registry.ssl.truststore.location": "/x.jks" }, /Java key stores/],
    [
      "a registry that is not at an http(s) URL",
      { "value.converter.schema.registry.url": "mock://x" },
      /must be a comma-separated list of http/,
    ],
    [
      "two registries",
      { "key.converter.schema.registry.url": "http://a", "value.converter.schema.registry.url": "http://b" },
      /must name the same registry/,
    ],
    [
      "an unsupported way to log in",
      {
        "value.converter.schema.registry.url": "http://a",
        "value.converter.basic.auth.credentials.source": "SASL_INHERIT",
      },
      /must be USER_INFO or URL/,
    ],
    [
      "a registry user without a password",
      {
        "value.converter.schema.registry.url": "http://a",
        "value.converter.basic.auth.credentials.source": "USER_INFO",
        "value.converter.basic.auth.user.info": "hunter2",
      },
      /basic\.auth\.user\.info must be user:password/,
    ],
    [
      "a certificate file that is missing",
      { "database.sslrootcert": "/s/none.pem" },
      /names a file that cannot be read/,
    ],
    [
      "a key that would change the content of events",
      { "column.mask.hash.SHA-256.with.salt.x": "public.a.b" },
      /is not supported/,
    ],
    ["a transform", { "transforms.unwrap.type": "x" }, /is not supported: it names Java classes/],
    [
      "a converter that does not write Avro",
      { "value.converter": "org.apache.kafka.connect.json.JsonConverter" },
      /can only be io\.confluent/,
    ],
    ["a different naming of topics", { "topic.delimiter": "-" }, /can only be \. in this version/],
    ["an unknown TLS mode", { "database.sslmode": "true" }, /must be disable, allow, prefer, require/],
    [
      "the connector of a different database",
      { "connector.class": "io.debezium.connector.mysql.MySqlConnector" },
      /can only be io\.debezium\.connector\.postgresql/,
    ],
    [
      "a variable that is not set",
      { "database.user": "${env:NOBODY}" },
      /^database\.user needs the environment variable NOBODY, which is not set$/,
    ],
    [
      "an unknown provider",
      { "database.user": "${vault:db:user}" },
      /uses a provider other than env, file and dir, e\.g/,
    ],
    [
      "a default for a variable",
      { "database.user": "${env:NOBODY:hunter2}" },
      /as in Kafka Connect, there are no default values/,
    ],
    [
      "a properties file that is missing",
      { "database.user": "${file:/s/none:y}" },
      /needs the file \/s\/none, which cannot/,
    ],
    ["a property that is missing", { "database.user": "${file:/s/db.properties:none}" }, /the property none of the/],
    ["a properties file without a path", { "database.user": "${file:y}" }, /does not name a file/],
    ["a file of a directory that is missing", { "database.user": "${dir:/s:none}" }, /needs the file \/s\/none/],
    ["a file in a subdirectory", { "database.user": "${dir:/:s/password}" }, /does not name a directory and a file/],
    ["zero partitions", { "topic.creation.default.partitions": 0 }, /must be a whole number of at least 1, or -1/],
    ["an unknown fieldgate.mode", { "fieldgate.mode": "shadow" }, /^fieldgate\.mode must be guard or watch/],
    ["chunks of no rows", { "fieldgate.chunk.rows": "0" }, /^fieldgate\.chunk\.rows must be a number of rows from 1/],
    [
      "a value that is not a boolean",
      { "tombstones.on.delete": "yes" },
      /^tombstones\.on\.delete must be true or false/,
    ],
  ])("%s is reported with its key, the reason and an example", (_name, keys, message) => {
    expect(mistakes(keys)).toEqual([expect.stringMatching(message)]);
  });

  it("is reported together with all the others", () => {
    const keys = { "database.port": 0, "snapshot.mode": "x", nonsense: 1, "slot.name": "A", "topic.prefix": undefined };
    expect(mistakes(keys)).toHaveLength(5);
  });

  it("is thrown in one GuardError that lists all of them under the file's name", () => {
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
    ["a key twice", '{"slot.name": "a",\n "slot.name": "hunter2hunter2"}', /contains a key twice at line 2/],
    ["a list", '["hunter2hunter2"]', /is not a JSON object/],
    ["nothing", "", /is not JSON/],
  ])("in the JSON (%s) is reported with its place and without the text", (_name, text, message) => {
    const result = checkConnectorFile(text, "a.json", providers);
    const reported = result.kind === "wrong" ? result.mistakes.map(mistakeText).join() : "";
    expect(reported).toMatch(message);
    expect(reported).not.toContain("hunter2");
  });

  it("never shows a value, whatever its key", () => {
    const secret = "hunter2hunter2";
    const keys = [...Object.keys(SMALLEST), "database.port", "slot.name", "databse.password", "snapshot.mode", "name"];
    for (const key of [
      ...keys,
      "transforms",
      "decimal.handling.mode",
      "fieldgate.release.policy.a.b",
      "fieldgate.on.poison.a.b",
    ]) {
      for (const value of [secret, `\${env:PASSWORD}.*`, { a: secret }, [secret]]) {
        expect(`${key}: ${mistakes({ [key]: value, "plugin.name": "x" }).join()}`).not.toContain("hunter2");
      }
    }
  });
});
