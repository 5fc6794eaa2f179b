import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../../local/stack.ts";
import type { AmendmentView } from "../../src/api/amendment.ts";
import { newToken } from "../../src/http/token-file.ts";
import { type KafkaOptions, kafkaClient } from "../../src/kafka/client.ts";
import { createTopics, endOffsets } from "../../src/kafka/topics.ts";
import { openWriter } from "../../src/kafka/writer.ts";
import { request } from "../../src/request.ts";
import { runCli } from "../cli/run-cli.ts";
import { type Authority, type Certificate, certificateAuthority } from "../stack/certificates.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { grantRights, securedKafka } from "../stack/secured-kafka.ts";
import { type SecuredRegistry, securedRegistry } from "../stack/secured-registry.ts";
import { servers } from "../stack/servers.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { startService } from "./service.ts";

/**
 * Fieldgate against servers that all require TLS and a login, and every way in which such a login can fail. No secret may
 * be printed.
 */

const KAFKA_PASSWORD = "kafka-hunter2-kafka";
const REGISTRY_PASSWORD = "registry-hunter2-registry";
const PASSPHRASE = "passphrase-hunter2-passphrase";
const SHARED_TOKEN = "shared-hunter2-shared-token";
const BASIC = Buffer.from(`fieldgate:${REGISTRY_PASSWORD}`).toString("base64");

let folder: string;
let authority: Authority;
let owner: Certificate;
let locked: Certificate;
let broker: Stack;
let registry: SecuredRegistry;
let database: Database;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fieldgate-secured-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  authority = opened.use(await certificateAuthority());
  owner = await authority.issue("owner");
  locked = await authority.issue("service", { passphrase: PASSPHRASE });
  broker = opened.use(await securedKafka(authority, KAFKA_PASSWORD));
  registry = opened.use(await securedRegistry(servers.registry.url, authority, `Basic ${BASIC}`));
  database = opened.use(await freshDatabase());
  await database.query("create table t (id int primary key, a text); insert into t values (1, 'one')");
});
afterAll(() => opened.disposeAsync());

async function inFile(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

const at = (protocol: "SASL_SSL" | "SSL") => broker.kafka.secured?.[protocol] ?? "";

async function environment(): Promise<Record<string, string>> {
  return {
    FIELDGATE_LOG_LEVEL: "trace",
    FIELDGATE_KAFKA_BROKERS: at("SASL_SSL"),
    FIELDGATE_KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    FIELDGATE_KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
    FIELDGATE_KAFKA_SASL_USERNAME: "fieldgate",
    FIELDGATE_KAFKA_SASL_PASSWORD_FILE: await inFile("kafka-password", `${KAFKA_PASSWORD}\n`),
    FIELDGATE_KAFKA_CA_FILE: authority.caFile,
    FIELDGATE_REGISTRY_URL: registry.url,
    FIELDGATE_REGISTRY_USERNAME: "fieldgate",
    FIELDGATE_REGISTRY_PASSWORD_FILE: await inFile("registry-password", `${REGISTRY_PASSWORD}\n`),
    FIELDGATE_REGISTRY_CA_FILE: authority.caFile,
    FIELDGATE_REGISTRY_CERT_FILE: locked.certFile,
    FIELDGATE_REGISTRY_KEY_FILE: locked.keyFile,
    FIELDGATE_REGISTRY_KEY_PASSPHRASE: PASSPHRASE,
    FIELDGATE_HTTP_TLS_CERT_FILE: locked.certFile,
    FIELDGATE_HTTP_TLS_KEY_FILE: locked.keyFile,
    FIELDGATE_HTTP_TLS_KEY_PASSPHRASE: PASSPHRASE,
    FIELDGATE_TOKEN: "",
    FIELDGATE_TOKEN_FILE: await inFile("shared-token", SHARED_TOKEN),
  };
}

/** The text contains no secret, not even encoded. */
function expectNoSecret(text: string, ...more: readonly string[]): void {
  for (const secret of [
    KAFKA_PASSWORD,
    REGISTRY_PASSWORD,
    PASSPHRASE,
    SHARED_TOKEN,
    BASIC,
    "hunter2",
    "PRIVATE KEY",
    ...more,
  ]) {
    expect(text).not.toContain(secret);
  }
}

it("everything works over secured connections, and no secret is printed", async () => {
  const prefix = uniquePrefix();
  const topic = `${prefix}.public.t`;
  await grantRights(broker.kafka.brokers, prefix);
  const [ci, onCall] = [
    newToken("ci-billing", ["contracts:billing"]),
    newToken("on-call", ["read", `operate:${prefix}`]),
  ];
  const tokens = await inFile("tokens.yaml", JSON.stringify([ci.entry, onCall.entry]));
  await using service = await startService(
    {
      database: database.address,
      prefix,
      tables: ["public.t"],
      env: { ...(await environment()), FIELDGATE_TOKENS_FILE: tokens },
    },
    false,
  );
  await using events = readEvents([topic], servers.registry.url, broker.kafka.brokers);
  const url = service.url.replace("http:", "https:");
  const health = () =>
    request({
      method: "GET",
      url: `${url}/health`,
      headers: {},
      tls: { ca: authority.ca },
      signal: AbortSignal.timeout(2_000),
      maxBytes: 10_000,
    });
  await until(async () => (await health()).status === 200, "the service streams", 60_000).catch((cause: unknown) => {
    throw new Error(service.output(), { cause });
  });
  const as = (token: string) => (args: string) =>
    runCli(args.split(" "), {
      cwd: folder,
      env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: token, FIELDGATE_CA_FILE: authority.caFile },
    });
  await events.until((all) => all.length === 1, "the row of the snapshot");

  const file = (consumer: string) =>
    `version: 1\nconsumer: ${consumer}\ntopics:\n  - topic: ${topic}\n    decodes-with: writer\n    unknown-fields: reject\n    fields: [id, a]\n`;
  await inFile("billing.yaml", file("billing"));
  await inFile("shipping.yaml", file("shipping"));
  expect(await as(ci.token)("publish --file billing.yaml")).toMatchObject({ code: 0 });
  expect(await as(ci.token)("publish --file shipping.yaml")).toMatchObject({
    code: 1,
    err: expect.stringContaining("contracts:shipping"),
  });

  await database.query("alter table t add column nick text; insert into t values (2, 'two', 'deux')");
  const amendment = await until(
    async () => {
      const { out } = await as(onCall.token)("amendments --format json");
      const [found] = JSON.parse(out) as readonly AmendmentView[]; // the command prints the API's views
      return found?.gate.kind === "withheld" ? found : undefined;
    },
    "nick is withheld",
    30_000,
  );
  await events.until((all) => all.some(({ after }) => after?.["id"] === 2), "the row without nick");
  expect(JSON.stringify((await events.all()).map(({ after }) => after))).not.toContain("deux");

  const release = `release ${amendment.id} --force --reason agreed`;
  expect(await as(ci.token)(release)).toMatchObject({ code: 1, err: expect.stringContaining("operate:…") });
  const released = await as(onCall.token)(release);
  expect(released).toMatchObject({ code: 0, out: expect.stringMatching(/^done: /) });
  await events.until((all) => all.some(({ after }) => after?.["nick"] === "deux"), "the released field's value");
  const { out } = await as(onCall.token)("amendments --format json");
  expect((JSON.parse(out) as readonly AmendmentView[])[0]?.gate.why).toBe("released by on-call: agreed"); // as above
  expect(registry.refused()).toBe(0);

  // The same rights are enough for parked changes and dead letters.
  await database.query("insert into t (id, a) values (3, repeat('x', 2000000)), (4, 'four')");
  await until(
    async () => (await as(onCall.token)("amendments --parked --format json")).out.includes('"record-too-large"'),
    "the table is parked",
    30_000,
  );
  expect(await as(onCall.token)(`release ${topic}/row --as dead-letter --reason agreed`)).toMatchObject({ code: 0 });
  await events.until((all) => all.some(({ after }) => after?.["id"] === 4), "the row after the one that is too large");

  service.kill("SIGTERM");
  await service.exited;
  expectNoSecret(service.output(), database.address.password, ci.token.slice(3), onCall.token.slice(3));
  expect(service.output()).toContain('"actor":"on-call"');
});

describe("a broker that requires a login or a certificate", () => {
  const tls = () => ({ ca: authority.ca });
  const sasl = (mechanism: "plain" | "scram-sha-256" | "scram-sha-512") =>
    ({ mechanism, username: "fieldgate", password: KAFKA_PASSWORD }) as const;
  const client = (options: Partial<KafkaOptions>, log: string[] = []) =>
    kafkaClient({
      brokers: [at("SASL_SSL")],
      clientId: "test",
      ssl: tls(),
      log: (_level, text) => log.push(text),
      ...options,
    });

  it.each<[string, () => Partial<KafkaOptions>]>([
    ["PLAIN", () => ({ sasl: sasl("plain") })],
    ["SCRAM-SHA-256", () => ({ sasl: sasl("scram-sha-256") })],
    ["SCRAM-SHA-512", () => ({ sasl: sasl("scram-sha-512") })],
    ["a certificate", () => ({ brokers: [at("SSL")], ssl: { ...tls(), cert: owner.cert, key: owner.key } })],
  ])("accepts %s for topics and transactions", async (_name, options) => {
    const prefix = uniquePrefix();
    await grantRights(broker.kafka.brokers, prefix);
    const kafka = client(options());
    const topic = `${prefix}.public.t`;
    await createTopics(kafka, [{ name: topic }]);
    await using writer = await openWriter(kafka, {
      transactionalId: `__fieldgate.${prefix}`,
      maxBytes: () => 1_000_000,
    });
    await writer.commit([{ topic, partition: 0, key: Buffer.from("k"), value: Buffer.from("v") }]);
    expect([...(await endOffsets(kafka, topic)).keys()]).toEqual([0]);
  });

  it("refuses everything else within 30 s, with one error that says what to do", async () => {
    const cases: readonly [string, Partial<KafkaOptions>, string, RegExp][] = [
      ["password", { sasl: { ...sasl("scram-sha-512"), password: "wrong-hunter2" } }, "kafka-refused", /SASL_PASSWORD/],
      ["PLAIN password", { sasl: { ...sasl("plain"), password: "wrong-hunter2" } }, "kafka-refused", /SASL_PASSWORD/],
      ["authority", { ssl: true, sasl: sasl("scram-sha-512") }, "kafka-refused", /KAFKA_CA_FILE/],
      ["no certificate", { brokers: [at("SSL")] }, "kafka-refused", /KAFKA_CERT_FILE/],
      ["no login", {}, "kafka-down", /SECURITY_PROTOCOL/],
      ["plaintext to TLS", { ssl: false }, "kafka-down", /SECURITY_PROTOCOL/],
      ["TLS to plaintext", { brokers: broker.kafka.brokers }, "kafka-down", /SECURITY_PROTOCOL/],
      [
        "login to plaintext",
        { brokers: broker.kafka.brokers, ssl: false, sasl: sasl("plain") },
        "kafka-refused",
        /SECURITY_PROTOCOL/,
      ],
    ];
    const outcomes = cases.map(async ([name, options]) => {
      const log: string[] = [];
      const start = performance.now();
      const error = await createTopics(client(options, log), [{ name: "x" }]).catch((caught: unknown) => caught);
      return { name, error, seconds: (performance.now() - start) / 1000, text: `${String(error)} ${log.join("\n")}` };
    });
    for (const [index, { name, error, seconds, text }] of (await Promise.all(outcomes)).entries()) {
      const [, , code, next] = cases[index] ?? [];
      expect({ name, error }).toMatchObject({ name, error: { code, next: expect.stringMatching(next ?? "") } });
      expect(seconds).toBeLessThan(30);
      expectNoSecret(text);
    }
  });

  it("ends a service that it refuses, with a message that says what to do", async () => {
    const right = await environment();
    const wrong: readonly [Record<string, string>, RegExp][] = [
      [
        { FIELDGATE_KAFKA_SASL_PASSWORD_FILE: await inFile("wrong", "wrong-hunter2") },
        /\[kafka-refused\][^]*FIELDGATE_KAFKA_SASL_PASSWORD/,
      ],
      [{ FIELDGATE_KAFKA_CA_FILE: "" }, /\[kafka-refused\][^]*FIELDGATE_KAFKA_CA_FILE/],
      [
        { FIELDGATE_REGISTRY_PASSWORD_FILE: await inFile("wrong2", "wrong-hunter2") },
        /\[registry-refused\][^]*FIELDGATE_REGISTRY_PASSWORD/,
      ],
    ];
    const runs = wrong.map(async ([env, message]) => {
      const prefix = uniquePrefix();
      await grantRights(broker.kafka.brokers, prefix);
      await using service = await startService(
        { database: database.address, prefix, tables: ["public.t"], env: { ...right, ...env } },
        false,
      );
      expect(await service.exited).toBe(1);
      expect(service.output()).toMatch(message);
      expectNoSecret(service.output());
    });
    await Promise.all(runs);
  });
});
