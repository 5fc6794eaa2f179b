import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registryClient } from "../../src/registry/client.ts";
import type { RegistryOptions } from "../../src/registry/http.ts";
import { type Authority, type Certificate, certificateAuthority } from "../stack/certificates.ts";
import { type SecuredRegistry, securedRegistry } from "../stack/secured-registry.ts";
import { answers } from "./answers.ts";

const PASSWORD = "s3cret-of-the-registry";
const BASIC = `Basic ${Buffer.from(`u:${PASSWORD}`).toString("base64")}`;
const auth = { kind: "basic", username: "u", password: PASSWORD } as const;

let authority: Authority;
let client: Certificate;
let real: Awaited<ReturnType<typeof answers>>;
let registry: SecuredRegistry;
let elsewhere: SecuredRegistry;

beforeAll(async () => {
  authority = await certificateAuthority();
  client = await authority.issue("client", { passphrase: "open" });
  real = await answers({ "GET /subjects/s/versions": [200, [1, 2]] });
  registry = await securedRegistry(real.url, authority, BASIC);
  elsewhere = await securedRegistry(real.url, authority, BASIC, ["registry.example"]);
});
afterAll(async () => {
  for (const each of [registry, elsewhere, real, authority]) await each[Symbol.asyncDispose]();
});

const versions = (options: Omit<RegistryOptions, "urls">, url = registry.url) =>
  registryClient({ urls: [url], ...options }).versions("s");
const tls = () => ({ ca: authority.ca, cert: client.cert, key: client.key, passphrase: "open" });

describe("a registry with TLS that requires a client certificate and a user", () => {
  test("answers a client that has both", async () => {
    expect(await versions({ tls: tls(), auth })).toEqual([1, 2]);
  });

  const refusals: readonly [string, () => Promise<unknown>, string, RegExp, RegExp][] = [
    [
      "with an unknown authority",
      () => versions({ tls: { ...tls(), ca: undefined }, auth }),
      "registry-down",
      /unable to verify|self-signed/,
      /REGISTRY_CA_FILE/,
    ],
    [
      "with a certificate for a different name",
      () => versions({ tls: tls(), auth }, elsewhere.url),
      "registry-down",
      /does not match certificate's altnames/,
      /use the name in it/,
    ],
    [
      "without a client certificate",
      () => versions({ tls: { ca: authority.ca }, auth }),
      "registry-down",
      /: tlsv13 alert certificate required$/,
      /REGISTRY_CERT_FILE/,
    ],
    ["without a user", () => versions({ tls: tls() }), "registry-refused", /status 401/, /REGISTRY_USERNAME/],
    [
      "with a wrong password",
      () => versions({ tls: tls(), auth: { ...auth, password: "wrong-pass" } }),
      "registry-refused",
      /status 401/,
      /REGISTRY_PASSWORD/,
    ],
    [
      "over plain http",
      () => versions({ auth }, registry.url.replace("https", "http")),
      "registry-down",
      /hang up|reset/,
      /https/,
    ],
    [
      "that speaks plain http",
      () => versions({ auth }, real.url.replace("http", "https")),
      "registry-down",
      /./,
      /does not use https at this address/,
    ],
  ];
  test.each(refusals)(
    "%s gives one error that says what to do and contains no secret",
    async (_name, ask, code, message, next) => {
      const error: unknown = await ask().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message), next: expect.stringMatching(next) });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/s3cret|wrong-pass|PRIVATE/);
    },
  );
});

test("a redirect is not followed, so user and password are not sent elsewhere", async () => {
  const asked: (string | undefined)[] = [];
  const thief = createServer((request, answer) => {
    asked.push(request.headers.authorization);
    answer.end("[1]");
  });
  await new Promise<void>((resolve) => thief.listen(0, "127.0.0.1", resolve));
  const { port } = thief.address() as AddressInfo; // the address of a TCP server is never a string
  await using server = await answers({
    "GET /subjects/s/versions": (answer) => answer.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end(),
  });
  await expect(versions({ auth }, server.url)).rejects.toMatchObject({ code: "registry-down" });
  expect(asked).toEqual([]);
  thief.close();
});
