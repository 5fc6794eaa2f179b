import { describe, expect, it } from "vitest";

import { readServiceConfig } from "../../src/config.ts";

const SMALLEST = { FIELDGATE_KAFKA_BROKERS: "k1:9092, k2:9092", FIELDGATE_REGISTRY_URL: "http://registry:8081" };
const SECRET = "hunter2hunter2hunter2";

describe("readServiceConfig", () => {
  it("fills in every default", () => {
    expect(readServiceConfig({ ...SMALLEST, FIELDGATE_TOKEN: "" })).toEqual({
      kafkaBrokers: ["k1:9092", "k2:9092"],
      registryUrl: "http://registry:8081",
      registryAuth: undefined,
      deployment: "main",
      http: { host: "127.0.0.1", port: 8080, token: undefined },
      slackWebhookUrl: undefined,
      logLevel: "info",
      connectorsDir: "connectors",
    });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["no brokers", { FIELDGATE_KAFKA_BROKERS: "" }, /KAFKA_BROKERS is missing: it must be a comma list of host:port/],
    ["a broker without port", { FIELDGATE_KAFKA_BROKERS: "k1" }, /KAFKA_BROKERS must be a comma list/],
    ["no URL", { FIELDGATE_REGISTRY_URL: `ftp://u:${SECRET}@x` }, /REGISTRY_URL must be the schema registry's/],
    ["a port too high", { FIELDGATE_HTTP_PORT: "65536" }, /HTTP_PORT must be a port/],
    ["a short token", { FIELDGATE_TOKEN: "hunter2" }, /TOKEN must be at least 16 characters/],
    [
      "an open address without token",
      { FIELDGATE_HTTP_HOST: "0.0.0.0" },
      /TOKEN is missing: FIELDGATE_HTTP_HOST is reach/,
    ],
    ["no webhook", { FIELDGATE_SLACK_WEBHOOK_URL: SECRET }, /SLACK_WEBHOOK_URL must be an incoming webhook/],
    ["no log level", { FIELDGATE_LOG_LEVEL: "loud" }, /LOG_LEVEL must be fatal/],
    ["a deployment with a slash", { FIELDGATE_DEPLOYMENT: "a/b" }, /DEPLOYMENT must be 1 to 50/],
  ])("%s: the variable, the reason and an example are told", (_name, env, message) => {
    expect(() => readServiceConfig({ ...SMALLEST, ...env })).toThrow(message);
    expect(() => readServiceConfig({ ...SMALLEST, ...env })).toThrow(/^\[config-invalid\] 1 mistake\n/);
    expect(() => readServiceConfig({ ...SMALLEST, ...env })).not.toThrow(/hunter2/);
  });

  it.each([
    [
      "https://ci:s%2Fcret@host/apis/ccompat/v7/",
      "https://host/apis/ccompat/v7",
      { username: "ci", password: "s/cret" },
    ],
    ["http://key:100%@host:8081", "http://host:8081", { username: "key", password: "100%" }],
  ])("takes user and password out of %s", (url, registryUrl, auth) => {
    const config = readServiceConfig({ ...SMALLEST, FIELDGATE_REGISTRY_URL: url });
    expect(config).toMatchObject({ registryUrl, registryAuth: { kind: "basic", ...auth } });
  });

  it("tells all mistakes at once", () => {
    const env = { FIELDGATE_HTTP_HOST: "0.0.0.0", FIELDGATE_HTTP_PORT: "x", FIELDGATE_LOG_LEVEL: "x" };
    expect(() => readServiceConfig(env)).toThrow(/^\[config-invalid\] 5 mistakes\n/);
  });

  it.each(["localhost", "127.0.0.1", "127.1.2.3", "::1"])("asks no token for %s", (host) => {
    expect(readServiceConfig({ ...SMALLEST, FIELDGATE_HTTP_HOST: host }).http.token).toBeUndefined();
  });
});
