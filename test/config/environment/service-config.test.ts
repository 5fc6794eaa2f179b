import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readServiceConfig, serviceVariables } from "../../../src/config/environment/service-config.ts";
import { inFiles } from "../../../src/config/environment/variables.ts";
import { type Authority, type Certificate, certificateAuthority } from "../../stack/certificates.ts";

const SMALLEST = { FIELDGATE_KAFKA_BROKERS: "k1:9092, k2:9092", FIELDGATE_REGISTRY_URL: "http://registry:8081" };
/** A key with which nothing was ever protected: `hunter2`, a wrong passphrase, decrypts it to something like a padding. */
const SEEMS_OPEN = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBwry0Fr1a2zCE4msnI
ipScAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQ6nodjmxTZokB6x+X
9DCzEwSBkG9zGsfY8XezuW81nnP07Lg6vpiZJQlKTr3xz/DzspvazO0nCDDzF1SZ
7f+zo25AI+lq+SuHzhJDULbzhIWYOW32+0ZcttL/6VJiJNuDmBJopXX/IY9GYRwC
z+2xdnU5KrmY6T713NSkvcT7+KoqItXxlaobV70wyzNr0+NomkAjBSGYJOFgJi3m
tTK36uyrrA==
-----END ENCRYPTED PRIVATE KEY-----
`;
const NO_TLS = { ca: undefined, cert: undefined, key: undefined, passphrase: undefined };
const SECRET = "hunter2hunter2hunter2";

describe("readServiceConfig", () => {
  it("fills in every default", () => {
    expect(readServiceConfig({ ...SMALLEST, FIELDGATE_TOKEN: "" })).toEqual({
      kafka: { brokers: ["k1:9092", "k2:9092"], ssl: undefined, sasl: undefined },
      registry: { urls: ["http://registry:8081"], auth: undefined, tls: NO_TLS },
      deployment: "main",
      http: { host: "127.0.0.1", port: 8080, token: undefined, tokensFile: undefined, tls: undefined },
      slackWebhookUrl: undefined,
      logLevel: "info",
      connectorsDir: "connectors",
    });
  });

  it("takes every variable that is empty or blank as not set", () => {
    const names = Object.keys(serviceVariables.shape).filter((name) => !(name in SMALLEST));
    const all = [...names, ...inFiles(serviceVariables).map((name) => `${name}_FILE`)];
    expect(all.length).toBeGreaterThan(20);
    const smallest = readServiceConfig(SMALLEST);
    for (const empty of ["", "  "]) {
      const env = Object.fromEntries(all.map((name) => [name, empty]));
      expect(readServiceConfig({ ...env, ...SMALLEST })).toEqual(smallest);
    }
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      "no brokers",
      { FIELDGATE_KAFKA_BROKERS: "" },
      /KAFKA_BROKERS is missing: it must be a comma-separated list of host:port/,
    ],
    ["a broker without port", { FIELDGATE_KAFKA_BROKERS: "k1" }, /KAFKA_BROKERS must be a comma-separated list/],
    [
      "a URL that is not http(s)",
      { FIELDGATE_REGISTRY_URL: `ftp://u:${SECRET}@x` },
      /REGISTRY_URL must be the schema registry's/,
    ],
    ["a port too high", { FIELDGATE_HTTP_PORT: "65536" }, /HTTP_PORT must be a port/],
    ["a short token", { FIELDGATE_TOKEN: "hunter2" }, /TOKEN must be at least 16 characters/],
    [
      "an address that other machines can reach, without a token",
      { FIELDGATE_HTTP_HOST: "0.0.0.0" },
      /TOKEN is missing, and so is FIELDGATE_TOKENS_FILE: other machines can reach/,
    ],
    [
      "an invalid webhook URL",
      { FIELDGATE_SLACK_WEBHOOK_URL: SECRET },
      /SLACK_WEBHOOK_URL must be an incoming webhook/,
    ],
    ["an unknown log level", { FIELDGATE_LOG_LEVEL: "loud" }, /LOG_LEVEL must be fatal/],
    ["a deployment with a slash", { FIELDGATE_DEPLOYMENT: "a/b" }, /DEPLOYMENT must be 1 to 50/],
  ])("%s is reported with the variable, the reason and an example", (_name, env, message) => {
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
  ])("takes user and password out of %s", (url, bare, auth) => {
    const config = readServiceConfig({ ...SMALLEST, FIELDGATE_REGISTRY_URL: url });
    expect(config.registry).toMatchObject({ urls: [bare], auth: { kind: "basic", ...auth } });
  });

  it("reports all mistakes at once", () => {
    const env = { FIELDGATE_HTTP_HOST: "0.0.0.0", FIELDGATE_HTTP_PORT: "x", FIELDGATE_LOG_LEVEL: "x" };
    expect(() => readServiceConfig(env)).toThrow(/^\[config-invalid\] 5 mistakes\n/);
  });

  it.each(["localhost", "127.0.0.1", "127.1.2.3", "::1"])("needs no token on %s", (host) => {
    expect(readServiceConfig({ ...SMALLEST, FIELDGATE_HTTP_HOST: host }).http.token).toBeUndefined();
  });
});

describe("a registry", () => {
  it("at several addresses has one login", () => {
    const url = `http://u:${SECRET}@a:8081, http://b:8081/,http://u:${SECRET}@c:8081`;
    expect(readServiceConfig({ ...SMALLEST, FIELDGATE_REGISTRY_URL: url }).registry).toMatchObject({
      urls: ["http://a:8081", "http://b:8081", "http://c:8081"],
      auth: { kind: "basic", username: "u", password: SECRET },
    });
  });

  it("is given a user and password, or a token", () => {
    const user = { FIELDGATE_REGISTRY_USERNAME: "u", FIELDGATE_REGISTRY_PASSWORD: SECRET };
    expect(readServiceConfig({ ...SMALLEST, ...user }).registry.auth).toEqual({
      kind: "basic",
      username: "u",
      password: SECRET,
    });
    const token = { FIELDGATE_REGISTRY_TOKEN: SECRET };
    expect(readServiceConfig({ ...SMALLEST, ...token }).registry.auth).toEqual({ kind: "bearer", token: SECRET });
  });
});

describe("a secret in a file", () => {
  const files: Readonly<Record<string, string>> = {
    "/run/t": `${SECRET}\n`,
    "/run/crlf": `${SECRET}\r\n`,
    "/run/no": "\n",
  };
  const read = (path: string) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
    return text;
  };

  it.each(["/run/t", "/run/crlf"])("is read from %s without its last newline", (path) => {
    expect(readServiceConfig({ ...SMALLEST, FIELDGATE_TOKEN_FILE: path }, read).http.token).toBe(SECRET);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["that is missing", { FIELDGATE_TOKEN_FILE: "/hunter2" }, /TOKEN_FILE names a file that cannot be read \(ENOENT\)/],
    ["that is empty", { FIELDGATE_TOKEN_FILE: "/run/no" }, /TOKEN_FILE names an empty file/],
    [
      "that is in the variable too",
      { FIELDGATE_TOKEN_FILE: "/run/t", FIELDGATE_TOKEN: SECRET },
      /TOKEN_FILE and FIELDGATE_TOKEN are both set/,
    ],
    [
      "of a required variable",
      { FIELDGATE_REGISTRY_URL: "", FIELDGATE_REGISTRY_URL_FILE: "/hunter2" },
      /URL_FILE names a file/,
    ],
  ])("%s is one mistake, and neither path nor value is shown", (_name, env, message) => {
    const reading = () => readServiceConfig({ ...SMALLEST, ...env }, read);
    expect(reading).toThrow(message);
    expect(reading).toThrow(/^\[config-invalid\] 1 mistake\n/);
    expect(reading).not.toThrow(/hunter2/);
  });

  it("counts as a token for an address that other machines can reach", () => {
    const open = { ...SMALLEST, FIELDGATE_HTTP_HOST: "0.0.0.0" };
    expect(readServiceConfig({ ...open, FIELDGATE_TOKEN_FILE: "/run/t" }, read).http.token).toBe(SECRET);
    expect(readServiceConfig({ ...open, FIELDGATE_TOKENS_FILE: "/run/tokens" }).http.tokensFile).toBe("/run/tokens");
  });
});

describe("TLS and logins", () => {
  let authority: Authority;
  let client: Certificate;
  let locked: Certificate;
  beforeAll(async () => {
    authority = await certificateAuthority();
    client = await authority.issue("client");
    locked = await authority.issue("locked", { passphrase: SECRET });
  });
  afterAll(() => authority[Symbol.asyncDispose]());

  const SASL = {
    FIELDGATE_KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    FIELDGATE_KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
    FIELDGATE_KAFKA_SASL_USERNAME: "fieldgate",
    FIELDGATE_KAFKA_SASL_PASSWORD: SECRET,
  };

  it("are read for all three servers", () => {
    const config = readServiceConfig({
      ...SMALLEST,
      ...SASL,
      FIELDGATE_KAFKA_CA_FILE: authority.caFile,
      FIELDGATE_KAFKA_CERT_FILE: locked.certFile,
      FIELDGATE_KAFKA_KEY_FILE: locked.keyFile,
      FIELDGATE_KAFKA_KEY_PASSPHRASE: SECRET,
      FIELDGATE_REGISTRY_CA: authority.ca,
      FIELDGATE_HTTP_TLS_CERT_FILE: client.certFile,
      FIELDGATE_HTTP_TLS_KEY_FILE: client.keyFile,
    });
    expect(config.kafka.sasl).toEqual({ mechanism: "scram-sha-512", username: "fieldgate", password: SECRET });
    expect(config.kafka.ssl).toMatchObject({
      ca: readFileSync(authority.caFile, "utf8").trimEnd(),
      passphrase: SECRET,
    });
    expect(config.registry.tls?.ca).toBe(authority.ca);
    expect(config.http.tls?.cert).toBe(client.cert.trimEnd());
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    ["an unknown protocol", () => ({ FIELDGATE_KAFKA_SECURITY_PROTOCOL: "TLS" }), /must be PLAINTEXT, SSL, SASL_/],
    [
      "an unknown mechanism",
      () => ({ ...SASL, FIELDGATE_KAFKA_SASL_MECHANISM: "GSSAPI" }),
      /SASL_MECHANISM must be PLAIN, SCRAM/,
    ],
    [
      "a login without its password",
      () => ({ ...SASL, FIELDGATE_KAFKA_SASL_PASSWORD: "" }),
      /SASL_PASSWORD is missing: FIELDGATE_KAFKA_SECURITY_PROTOCOL is SASL_SSL/,
    ],
    [
      "a password without a login",
      () => ({ FIELDGATE_KAFKA_SASL_PASSWORD: SECRET }),
      /SASL_PASSWORD is set, but FIELDGATE_KAFKA_SECURITY_PROTOCOL is PLAINTEXT/,
    ],
    ["an authority without TLS", () => ({ FIELDGATE_KAFKA_CA: authority.ca }), /KAFKA_CA is set, but .* is PLAINTEXT/],
    [
      "an authority that is not a certificate",
      () => ({ FIELDGATE_REGISTRY_CA: SECRET }),
      /REGISTRY_CA must be certificates in PEM/,
    ],
    [
      "a truncated certificate",
      () => ({ FIELDGATE_REGISTRY_CA: authority.ca.replace(/\n[^\n]+\n-----END/, "\n-----END") }),
      /REGISTRY_CA must be certificates in PEM/,
    ],
    ["a certificate without its key", () => ({ FIELDGATE_HTTP_TLS_CERT: client.cert }), /HTTP_TLS_KEY is missing/],
    [
      "the key of a different certificate",
      () => ({ FIELDGATE_REGISTRY_CERT: authority.ca, FIELDGATE_REGISTRY_KEY: client.key }),
      /REGISTRY_KEY is not the key of FIELDGATE_REGISTRY_CERT/,
    ],
    [
      "an encrypted key without its passphrase",
      () => ({ FIELDGATE_REGISTRY_CERT: locked.cert, FIELDGATE_REGISTRY_KEY: locked.key }),
      /KEY_PASSPHRASE is missing: the key is encrypted/,
    ],
    [
      "an encrypted key with a wrong passphrase",
      () => ({
        FIELDGATE_REGISTRY_CERT: locked.cert,
        FIELDGATE_REGISTRY_KEY: locked.key,
        FIELDGATE_REGISTRY_KEY_PASSPHRASE: "hunter2",
      }),
      /KEY_PASSPHRASE does not open FIELDGATE_REGISTRY_KEY/,
    ],
    [
      "an encrypted key that a wrong passphrase seems to decrypt",
      () => ({
        FIELDGATE_REGISTRY_CERT: locked.cert,
        FIELDGATE_REGISTRY_KEY: SEEMS_OPEN,
        FIELDGATE_REGISTRY_KEY_PASSPHRASE: "hunter2",
      }),
      /KEY_PASSPHRASE does not open FIELDGATE_REGISTRY_KEY/,
    ],
    [
      "an invalid key",
      () => ({ FIELDGATE_REGISTRY_CERT: client.cert, FIELDGATE_REGISTRY_KEY: SECRET }),
      /REGISTRY_KEY must be a private key in PEM form/,
    ],
    [
      "a registry user without a password",
      () => ({ FIELDGATE_REGISTRY_USERNAME: "u" }),
      /REGISTRY_PASSWORD is missing/,
    ],
    [
      "two logins for the registry",
      () => ({ FIELDGATE_REGISTRY_URL: `http://u:${SECRET}@a`, FIELDGATE_REGISTRY_TOKEN: SECRET }),
      /REGISTRY_URL contains a user, but a different user or a token/,
    ],
  ])("%s is one mistake, and no value is shown", (_name, env, message) => {
    const reading = () => readServiceConfig({ ...SMALLEST, ...env() });
    expect(reading).toThrow(message);
    expect(reading).toThrow(/^\[config-invalid\] 1 mistake\n/);
    expect(reading).not.toThrow(/hunter2|PRIVATE|MII/);
  });
});
