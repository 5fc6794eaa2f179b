import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { checkConnectorFile, type ConnectorFile } from "../../../src/config/connector/connector-file.ts";
import { isObject, type Json } from "../../../src/json.ts";

// Modelled on the documentation of Confluent, Strimzi and AWS, with at least 25 keys each.
const VARIABLES: Readonly<Record<string, string>> = {
  PG_HOST: "db",
  PG_PORT: "5432",
  PG_USER: "debezium",
  PG_PASSWORD: "hunter2",
  PG_DATABASE: "inventory",
  TOPIC_PREFIX: "inventory",
  SLOT_NAME: "debezium",
  SCHEMA_REGISTRY_URL: "http://registry:8081",
  BILLING_DB_PASSWORD: "hunter2",
};
const PLACE = "/opt/kafka/external-configuration";
const FILES: Readonly<Record<string, string>> = {
  [`${PLACE}/orders-db/credentials.properties`]: "username=debezium\npassword=hunter2\n",
  [`${PLACE}/orders-db-client/key-password`]: "hunter2",
  [`${PLACE}/orders-db-client/tls.crt`]: "x",
  [`${PLACE}/orders-db-client/tls.pk8`]: "x",
  [`${PLACE}/orders-db-ca/ca.crt`]: "x",
};
const providers = { env: (name: string) => VARIABLES[name], file: (path: string) => FILES[path] };

function keysOf(name: string): Readonly<Record<string, unknown>> {
  const text = readFileSync(new URL(`../../cases/connectors/${name}`, import.meta.url), "utf8");
  const file = JSON.parse(text) as Json; // what JSON.parse returns
  const config = isObject(file) && isObject(file["config"]) ? file["config"] : file;
  return isObject(config) ? config : {};
}

function check(name: string, keys: Readonly<Record<string, unknown>> = keysOf(name)): ConnectorFile {
  return checkConnectorFile(JSON.stringify(keys), name, providers);
}

function stoppers(name: string): readonly (readonly [key: string | undefined, reason: string])[] {
  const result = check(name);
  return result.kind === "wrong" ? result.mistakes.map(({ key, reason }) => [key, reason]) : [];
}

function without(name: string, keys: readonly string[]): ConnectorFile {
  return check(name, Object.fromEntries(Object.entries(keysOf(name)).filter(([key]) => !keys.includes(key))));
}

const JAVA = "is not supported: it names Java classes that would change the events";
const SIGNALS = "is not supported: this version has no signals or notifications";

describe("a connector file written for Debezium", () => {
  it.each(["confluent-avro.json", "strimzi-files.json", "rds-outbox.json"])("%s has at least 25 keys", (name) => {
    expect(Object.keys(keysOf(name)).length).toBeGreaterThanOrEqual(25);
  });

  it("runs unchanged with Confluent's converter, lists, modes and a heartbeat", () => {
    const result = check("confluent-avro.json");
    if (result.kind === "wrong") throw new Error(result.mistakes.map(({ key, reason }) => `${key} ${reason}`).join());
    expect(result.config).toMatchObject({
      registry: { urls: ["http://registry:8081"], auth: undefined },
      modes: { decimal: "string", interval: "string", binary: "base64" },
      "heartbeat.interval.ms": 1000,
      "topic.heartbeat.prefix": "__debezium-heartbeat",
      "publication.name": "inventory_publication",
      "publication.autocreate.mode": "filtered",
    });
    const { filter, warnings } = result.config;
    expect(filter.table("public", "order_2026")).toBe(true);
    expect(filter.table("public", "orders")).toBe(false);
    expect(filter.column("public", "customers", "ssn")).toBe(false);
    expect(filter.column("public", "customers", "name")).toBe(true);
    expect(warnings).toEqual([
      "keys that have no effect here: connector.class, tasks.max, snapshot.fetch.size, snapshot.locking.mode, " +
        "max.batch.size, max.queue.size, poll.interval.ms, errors.max.retries, errors.log.enable, topic.creation.enable",
    ]);
  });

  it("from Strimzi is refused only for its transforms and signals, and runs without them", () => {
    const found = stoppers("strimzi-files.json");
    expect(found).toEqual([
      ["signal.data.collection", SIGNALS],
      ["transforms", JAVA],
      ["transforms.unwrap.type", JAVA],
      ["transforms.unwrap.drop.tombstones", JAVA],
      ["transforms.route.type", JAVA],
      ["transforms.route.regex", JAVA],
      ["transforms.route.replacement", JAVA],
    ]);
    const result = without(
      "strimzi-files.json",
      found.map(([key]) => key ?? ""),
    );
    expect(result).toMatchObject({
      kind: "config",
      config: {
        "database.user": "debezium",
        "database.password": "hunter2",
        "database.sslmode": "verify-full",
        "database.sslpassword": "hunter2",
        "publication.autocreate.mode": "disabled",
        "publish.via.partition.root": true,
        "snapshot.mode": "no_data",
        registry: { urls: ["http://apicurio.kafka.svc:8080/apis/ccompat/v7"] },
      },
    });
    if (result.kind === "wrong") return;
    expect(result.config.filter.table("sales", "draft_invoices")).toBe(false);
    expect(result.config.filter.keyColumns("sales", "invoices", ["id", "tenant_id"])).toEqual(["tenant_id", "id"]);
  });

  it("from Strimzi is watched unchanged: rows are unwrapped, and topics are named after the tables", () => {
    const result = check("strimzi-files.json", { ...keysOf("strimzi-files.json"), "fieldgate.mode": "watch" });
    expect(result).toMatchObject({ kind: "config", config: { unwrapped: new Set() } });
    if (result.kind === "wrong") return;
    expect(result.config.route?.("orders.sales.invoices")).toBe("invoices");
  });

  it("for RDS with an outbox is refused for what would change its events, and runs without that", () => {
    const found = stoppers("rds-outbox.json");
    expect(found.map(([key]) => key)).toEqual([
      "database.initial.statements",
      "column.mask.with.12.chars",
      "provide.transaction.metadata",
      "signal.enabled.channels",
      "signal.data.collection",
      "signal.kafka.topic",
      "signal.kafka.bootstrap.servers",
      "transforms",
      "transforms.outbox.type",
      "transforms.outbox.table.field.event.key",
      "transforms.outbox.route.topic.replacement",
      "predicates",
      "predicates.isOutbox.type",
      "predicates.isOutbox.pattern",
      "key.converter",
      "value.converter",
      "errors.tolerance",
      "snapshot.mode",
    ]);
    expect(new Map(found).get("snapshot.mode")).toMatch(/nearest to always and when_needed/);
    const result = without(
      "rds-outbox.json",
      found.map(([key]) => key ?? ""),
    );
    expect(result).toMatchObject({ kind: "config", config: { "publication.autocreate.mode": "all_tables" } });
  });

  it("has none of its values in any message", () => {
    expect(JSON.stringify([check("strimzi-files.json"), check("rds-outbox.json")])).not.toContain("hunter2");
  });
});
