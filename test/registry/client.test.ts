import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { registryClient, type Registry, withoutRegistering } from "../../src/registry/client.ts";
import type { RegistryOptions } from "../../src/registry/http.ts";
import { schemaId } from "../../src/table/shape.ts";
import { answers, type Recorded } from "./answers.ts";

// Confluent's answers, taken from its OpenAPI file and its source (/subjects, /config, /compatibility).
const NO_SUBJECT: Recorded = [404, { error_code: 40401, message: "Subject 's' not found." }];
const NO_LEVEL: Recorded = [
  404,
  { error_code: 40408, message: "Subject 's' does not have subject-level compatibility configured" },
];
const BACKWARD: Recorded = [200, { compatibilityLevel: "BACKWARD" }];
const CONFIG = "GET /config/s?defaultToGlobal=true";
const CHECK = "POST /compatibility/subjects/s/versions?verbose=true";
const MESSAGE =
  "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'f2' at path '/fields/1' …', additionalInfo:'f2'}";

async function ask<T>(
  recorded: Readonly<Record<string, Recorded>>,
  question: (registry: Registry) => Promise<T>,
  more: Partial<RegistryOptions> = {},
): Promise<T> {
  await using server = await answers(recorded);
  return await question(registryClient({ urls: [server.url], timeoutMs: 2_000, ...more }));
}

describe("the newest schema", () => {
  const body = {
    subject: "s",
    version: 3,
    id: 12,
    guid: "x",
    schemaType: "AVRO",
    schema: `"string"`,
    ts: 1,
    deleted: false,
  };

  test("has id, version and text", async () => {
    const recorded: Record<string, Recorded> = { "GET /subjects/s/versions/latest": [200, body] };
    expect(await ask(recorded, (registry) => registry.latest("s"))).toStrictEqual({
      id: 12,
      version: 3,
      text: `"string"`,
    });
  });

  test("of an unknown subject is undefined", async () => {
    const recorded: Record<string, Recorded> = { "GET /subjects/s/versions/latest": NO_SUBJECT };
    expect(await ask(recorded, (registry) => registry.latest("s"))).toBeUndefined();
  });

  test("of a subject with a slash, a colon and a space is asked for percent-encoded", async () => {
    const path = "/subjects/%3A.ctx%3Aa%2Fb%20c-value/versions/latest";
    await using server = await answers({ [`GET ${path}`]: NO_SUBJECT });
    await registryClient({ urls: [`${server.url}/`] }).latest(":.ctx:a/b c-value");
    expect(server.asked[0]?.path).toBe(path);
  });
});

test("versions are in ascending order; an unknown subject has none", async () => {
  expect(await ask({ "GET /subjects/s/versions": [200, [3, 1]] }, (registry) => registry.versions("s"))).toStrictEqual([
    1, 3,
  ]);
  expect(await ask({ "GET /subjects/s/versions": NO_SUBJECT }, (registry) => registry.versions("s"))).toStrictEqual([]);
});

test("a schema is found by its id; an unknown id gives undefined", async () => {
  const known: Record<string, Recorded> = { "GET /schemas/ids/7": [200, { schema: `"long"` }] };
  expect(await ask(known, (registry) => registry.schemaById(schemaId(7)))).toBe(`"long"`);
  const unknown: Record<string, Recorded> = {
    "GET /schemas/ids/7": [404, { error_code: 40403, message: "Schema 7 not found" }],
  };
  expect(await ask(unknown, (registry) => registry.schemaById(schemaId(7)))).toBeUndefined();
});

const levels: readonly [string, Readonly<Record<string, Recorded>>, string][] = [
  ["its own", { [CONFIG]: [200, { compatibilityLevel: "FULL_TRANSITIVE" }] }, "FULL_TRANSITIVE"],
  ["the registry's if it has none", { [CONFIG]: NO_LEVEL, "GET /config": BACKWARD }, "BACKWARD"],
  [
    "the registry's where its settings have no level",
    { [CONFIG]: [200, { normalize: true }], "GET /config": BACKWARD },
    "BACKWARD",
  ],
  ["none set", { [CONFIG]: NO_SUBJECT, "GET /config": NO_LEVEL }, "none-set"],
  ["none set if the registry reports nothing", { [CONFIG]: NO_SUBJECT, "GET /config": [200, {}] }, "none-set"],
  ["NONE", { [CONFIG]: [200, { compatibilityLevel: "NONE" }], "GET /config": [200, {}] }, "NONE"],
  [
    "NONE, which is the registry's",
    { [CONFIG]: NO_SUBJECT, "GET /config": [200, { compatibilityLevel: "NONE" }] },
    "NONE",
  ],
];

test.each(levels)("a subject's level is %s", async (_name, recorded, expected) => {
  expect(await ask(recorded, (registry) => registry.level("s"))).toBe(expected);
});

const VERSIONS = "GET /subjects/s/versions";
const at = (version: number | string) => `POST /compatibility/subjects/s/versions/${version}?verbose=true`;
const GOOD: Recorded = [200, { is_compatible: true }];
const BAD: Recorded = [200, { is_compatible: false, messages: [MESSAGE, "{compatibility: 'BACKWARD'}"] }];

const checks: readonly [string, Readonly<Record<string, Recorded>>, unknown][] = [
  ["compatible", { [CONFIG]: BACKWARD, [CHECK]: GOOD }, { kind: "compatible" }],
  [
    "incompatible with all messages",
    { [CONFIG]: BACKWARD, [CHECK]: BAD },
    { kind: "incompatible", messages: [MESSAGE, "{compatibility: 'BACKWARD'}"] },
  ],
  [
    "incompatible without a reason",
    { [CONFIG]: BACKWARD, [CHECK]: [200, { is_compatible: false }] },
    { kind: "incompatible", messages: [] },
  ],
  [
    "incompatible for a text that is not a schema",
    { [CONFIG]: BACKWARD, [CHECK]: [422, { error_code: 42201, message: "Invalid schema" }] },
    { kind: "incompatible", messages: ["Invalid schema"] },
  ],
  [
    "compatible for an unknown subject",
    { [CONFIG]: BACKWARD, [CHECK]: NO_SUBJECT, [VERSIONS]: NO_SUBJECT },
    { kind: "compatible" },
  ],
  ["no level", { [CONFIG]: NO_LEVEL, "GET /config": NO_LEVEL }, { kind: "no-level", level: "none-set" }],
  [
    "no level for NONE",
    { [CONFIG]: [200, { compatibilityLevel: "NONE" }], "GET /config": [200, {}] },
    { kind: "no-level", level: "NONE" },
  ],
  [
    "made against the latest version if the route is missing",
    { [CONFIG]: BACKWARD, [VERSIONS]: [200, [1, 2]], [at("latest")]: GOOD },
    { kind: "compatible" },
  ],
  [
    "made against the latest version if the missing route answers in HTML",
    { [CONFIG]: BACKWARD, [CHECK]: [405, "<html>"], [VERSIONS]: [200, [1, 2]], [at("latest")]: BAD },
    { kind: "incompatible", messages: [MESSAGE, "{compatibility: 'BACKWARD'}"] },
  ],
  [
    "made against every version under a transitive level if the route is missing",
    {
      [CONFIG]: [200, { compatibilityLevel: "BACKWARD_TRANSITIVE" }],
      [VERSIONS]: [200, [1, 2]],
      [at(1)]: BAD,
      [at(2)]: GOOD,
    },
    { kind: "incompatible", messages: [MESSAGE, "{compatibility: 'BACKWARD'}"] },
  ],
];

test.each(checks)("a check is %s", async (_name, recorded, expected) => {
  expect(await ask(recorded, (registry) => registry.check("s", `"string"`))).toStrictEqual(expected);
});

function register(registry: Registry) {
  return registry.register("s", `"string"`);
}

describe("registering", () => {
  const LOOKUP = "POST /subjects/s";
  const REGISTER = "POST /subjects/s/versions";
  test("an equal schema gives its id and registers nothing", async () => {
    await using server = await answers({ [LOOKUP]: [200, { subject: "s", id: 5, version: 1, schema: `"string"` }] });
    expect(await register(registryClient({ urls: [server.url] }))).toStrictEqual({ kind: "registered", id: 5 });
    expect(server.asked).toHaveLength(1);
  });

  test("a schema is found, and never registered, in a registry that others write", async () => {
    const unknown: Recorded = [404, { error_code: 40403, message: "Schema not found" }];
    const LATEST = "GET /subjects/s/versions/latest";
    await using server = await answers({ [LOOKUP]: unknown, [LATEST]: NO_SUBJECT });
    const registry = withoutRegistering(registryClient({ urls: [server.url] }));
    expect(await register(registry)).toStrictEqual({ kind: "absent" });
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toStrictEqual([LOOKUP, LATEST]);
    // Apicurio does not find a schema that was registered with other spaces.
    const spaced = { subject: "s", id: 6, version: 1, schema: ` "string" ` };
    await using apicurio = await answers({ [LOOKUP]: unknown, [LATEST]: [200, spaced] });
    const same = withoutRegistering(registryClient({ urls: [apicurio.url] }));
    expect(await register(same)).toStrictEqual({ kind: "registered", id: 6 });
    await using other = await answers({ [LOOKUP]: [200, { subject: "s", id: 5, version: 1, schema: `"string"` }] });
    const found = withoutRegistering(registryClient({ urls: [other.url] }));
    expect(await register(found)).toStrictEqual({ kind: "registered", id: 5 });
  });

  test("a new schema is registered with only its text, and no level is changed", async () => {
    await using server = await answers({
      [LOOKUP]: [404, { error_code: 40403, message: "Schema not found" }],
      [REGISTER]: [200, { id: 6 }],
    });
    expect(await register(registryClient({ urls: [server.url] }))).toStrictEqual({ kind: "registered", id: 6 });
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toStrictEqual([LOOKUP, REGISTER]);
    expect(server.asked[1]).toMatchObject({
      body: JSON.stringify({ schema: `"string"` }),
      contentType: "application/vnd.schemaregistry.v1+json",
    });
  });

  test.each([
    [409, 409], // up to 8.0.3
    [409, 40901], // from 8.0.4
    [422, 42201],
    [422, 42205],
  ] as const)("status %i with code %i is a refusal with the registry's words", async (status, code) => {
    const recorded: Record<string, Recorded> = {
      [LOOKUP]: NO_SUBJECT,
      [REGISTER]: [status, { error_code: code, message: "words" }],
    };
    expect(await ask(recorded, register)).toStrictEqual({ kind: "refused", status, message: "words" });
  });
});

const LATEST = "GET /subjects/s/versions/latest";
const failures: readonly [string, Recorded, string, RegExp][] = [
  [
    "500",
    [500, { error_code: 50001, message: "store" }],
    "registry-down",
    /GET 127\.0\.0\.1:\d+\/subjects\/s\/versions\/latest: status 500/,
  ],
  ["503 in HTML", [503, "<html>"], "registry-down", /status 503/],
  ["200 in HTML", [200, "<html>login</html>"], "registry-down", /status 200 with HTML/],
  ["200 with an empty body", [200, ""], "registry-down", /with an empty body/],
  ["200 in an unknown form", [200, { ok: true }], "registry-down", /unknown form/],
  ["404 in HTML", [404, "<html>"], "registry-down", /a 404 that does not look like a registry's/],
  ["429", [429, { error_code: 429, message: "slow down" }], "registry-down", /status 429: slow down/],
  ["401", [401, { error_code: 401, message: "no" }], "registry-refused", /status 401/],
  ["403", [403, "<html>"], "registry-refused", /status 403/],
  [
    "a redirect",
    (answer) => answer.writeHead(302, { location: "http://127.0.0.1:9/" }).end(),
    "registry-down",
    /redirected/,
  ],
  ["a cut connection", (answer) => answer.destroy(), "registry-down", /latest: /],
  ["no answer", () => {}, "registry-down", /no answer within 300 ms/],
];

test.each(failures)("%s is an error that names the request", async (_name, recorded, code, message) => {
  const asking = ask({ [LATEST]: recorded }, (registry) => registry.latest("s"), { timeoutMs: 300 });
  await expect(asking).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

function endless(answer: ServerResponse): void {
  const chunk = Buffer.alloc(256 * 1024, " ");
  const more = () => {
    while (!answer.destroyed && answer.write(chunk));
  };
  answer.on("drain", more);
  more();
}

test("an endless answer is cut off at the size limit", async () => {
  const asking = ask({ [LATEST]: endless }, (registry) => registry.latest("s"), { timeoutMs: 20_000 });
  await expect(asking).rejects.toThrow("larger than 16777216 bytes");
});

function latest(...urls: readonly string[]) {
  return registryClient({ urls }).latest("s");
}

describe("addresses and credentials", () => {
  test("the next address is tried if one is down, but not after a refusal", async () => {
    await using up = await answers({ [LATEST]: NO_SUBJECT });
    await using refusing = await answers({ [LATEST]: [401, {}] });
    expect(await latest("http://127.0.0.1:9", up.url)).toBeUndefined();
    await expect(latest(refusing.url, up.url)).rejects.toMatchObject({ code: "registry-refused" });
    expect(up.asked).toHaveLength(1);
    await expect(latest("http://127.0.0.1:9")).rejects.toMatchObject({ code: "registry-down" });
  });

  test("password and token are sent and never printed", async () => {
    await using server = await answers({ [LATEST]: [403, {}] });
    const basic = registryClient({ urls: [server.url], auth: { kind: "basic", username: "u", password: "s3cret" } });
    await expect(basic.latest("s")).rejects.not.toThrow("s3cret");
    const bearer = registryClient({ urls: [server.url], auth: { kind: "bearer", token: "t0ken" } });
    await expect(bearer.latest("s")).rejects.not.toThrow("t0ken");
    expect(server.asked.map(({ authorization }) => authorization)).toStrictEqual([
      `Basic ${Buffer.from("u:s3cret").toString("base64")}`,
      "Bearer t0ken",
    ]);
  });

  test.each(["http://u:s3cret@host/", "ftp://host", "host:8081", ""])(
    "the address %j is refused without printing it",
    (url) => {
      expect(() => registryClient({ urls: [url] })).toThrow("[config-invalid]");
      expect(() => registryClient({ urls: [url] })).not.toThrow("s3cret");
    },
  );
});

describe("an id that no event can carry", () => {
  test.each([-5, 0, 1.5, 2 ** 32 + 7, "7", null])("%s is no answer", async (id) => {
    const recorded: Record<string, Recorded> = {
      "GET /subjects/s/versions/latest": [200, { subject: "s", version: 1, id, schema: `"string"` }],
      "POST /subjects/s/versions": [200, { id }],
    };
    const down = { code: "registry-down" };
    await expect(ask(recorded, (registry) => registry.latest("s"))).rejects.toMatchObject(down);
    await expect(ask(recorded, (registry) => registry.register("s", `"string"`))).rejects.toMatchObject(down);
  });
});

test("credentials that a registry repeats in its answer are not shown", async () => {
  const auth = { kind: "bearer", token: "a-secret-token" } as const;
  const recorded: Record<string, Recorded> = {
    "POST /subjects/s/versions": [422, { error_code: 42201, message: "sent: Bearer a-secret-token" }],
  };
  expect(await ask(recorded, (registry) => registry.register("s", `"string"`), { auth })).toMatchObject({
    message: "sent: Bearer ***",
  });
});
