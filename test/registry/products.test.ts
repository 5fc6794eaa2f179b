import { describe, expect, test } from "vitest";
import { registryClient, type Registry } from "../../src/registry/client.ts";
import { answers, type Recorded } from "./answers.ts";
import { PRODUCTS, type Product } from "./recorded.ts";

const SCHEMA = `"string"`;
const CONFIG = "GET /config/s?defaultToGlobal=true";
const VERSIONS = "GET /subjects/s/versions";
const LATEST = `${VERSIONS}/latest`;
const LOOK_UP = "POST /subjects/s";
const REGISTER = "POST /subjects/s/versions";
const CHECK = "POST /compatibility/subjects/s/versions?verbose=true";
const one = (version: number) => `POST /compatibility/subjects/s/versions/${version}?verbose=true`;

async function ask<T>(
  recorded: Readonly<Record<string, Recorded>>,
  question: (registry: Registry) => Promise<T>,
  { path = "", timeoutMs = 2_000 } = {},
): Promise<T> {
  await using server = await answers(recorded);
  return await question(registryClient({ urls: [`${server.url}${path}`], timeoutMs }));
}

const register = (registry: Registry) => registry.register("s", SCHEMA);
const check = (registry: Registry) => registry.check("s", SCHEMA);

function checking({ level, check: all, checkOne, missing }: Product): Readonly<Record<string, Recorded>> {
  return {
    [CONFIG]: level,
    [CHECK]: all ?? missing,
    [VERSIONS]: [200, [1, 2]],
    [one(1)]: checkOne,
    [one(2)]: checkOne,
  };
}

describe.each(PRODUCTS)("$product ($source)", (product) => {
  test("an unknown subject has no schema and the registry's level, and accepts any schema", async () => {
    const recorded: Record<string, Recorded> = {
      [LATEST]: product.unknownSubject,
      [VERSIONS]: product.unknownSubject,
      [CONFIG]: product.levelOfUnknown,
      "GET /config": product.level,
      [CHECK]: product.check === undefined ? product.missing : [200, { is_compatible: true, messages: [] }],
    };
    expect(await ask(recorded, (registry) => registry.latest("s"))).toBeUndefined();
    expect(await ask(recorded, (registry) => registry.versions("s"))).toStrictEqual([]);
    expect(await ask(recorded, (registry) => registry.level("s"))).toBe("BACKWARD_TRANSITIVE");
    expect(await ask(recorded, check)).toStrictEqual({ kind: "compatible" });
  });

  test("the newest schema is read", async () => {
    const read = await ask({ [LATEST]: product.latest }, (registry) => registry.latest("s"));
    expect(read).toStrictEqual({ id: 5, version: 1, text: SCHEMA });
  });

  test("an equal schema keeps its id, and a different one gets a new id", async () => {
    expect(await ask({ [LOOK_UP]: product.equal }, register)).toStrictEqual({ kind: "registered", id: 5 });
    for (const lookUp of [product.unknownSubject, product.notEqual]) {
      const recorded: Record<string, Recorded> = { [LOOK_UP]: lookUp, [REGISTER]: product.registered };
      expect(await ask(recorded, register)).toStrictEqual({ kind: "registered", id: 6 });
    }
  });

  test("a schema that the level rejects is refused in the registry's words, before and at registration", async () => {
    const recorded: Record<string, Recorded> = { [LOOK_UP]: product.notEqual, [REGISTER]: product.incompatible };
    expect(await ask(recorded, register)).toStrictEqual({ kind: "refused", status: 409, message: product.words });
    const checked = await ask(checking(product), check);
    expect(checked).toStrictEqual({ kind: "incompatible", messages: product.reasons });
  });

  test("a text that is not a schema is refused, and is not reported as a registry that is down", async () => {
    const recorded: Record<string, Recorded> = { [LOOK_UP]: product.lookUpOfNonsense, [REGISTER]: product.nonsense };
    expect(await ask(recorded, register)).toMatchObject({ kind: "refused", status: 422 });
  });
});

describe("a subject without a level of its own", () => {
  test.each([
    [404, 40408, "Subject 's' does not have subject-level compatibility configured"], // Confluent 7 and 8, Redpanda
    [404, 40401, "Subject 's' not found."], // older Confluent, Karapace for a subject without schemas
  ])("is told by %i with code %i, and has the registry's", async (status, code, message) => {
    const recorded: Record<string, Recorded> = {
      [CONFIG]: [status, { error_code: code, message }],
      "GET /config": [200, { compatibilityLevel: "FULL" }],
    };
    expect(await ask(recorded, (registry) => registry.level("s"))).toBe("FULL");
  });
});

// Apicurio 2.6.13 answers NONE for a subject without a level, and also enforces the registry's level then.
describe("a subject whose level is reported as NONE, in a registry with level FULL", () => {
  const LATEST_CHECK = "POST /compatibility/subjects/s/versions/latest";
  const reported: Readonly<Record<string, Recorded>> = {
    [CONFIG]: [200, { compatibilityLevel: "NONE" }],
    "GET /config": [200, { compatibilityLevel: "FULL" }],
  };
  const reason = "Incompatible artifact: s [AVRO], num of incompatible diffs: {1}, list of diff types: [t at /]";

  test("has the registry's level if it does not accept just any schema, and is checked by it", async () => {
    const recorded: Record<string, Recorded> = {
      ...reported,
      [LATEST_CHECK]: [200, { is_compatible: false, reason }],
      [CHECK]: [200, { is_compatible: false, reason }],
    };
    expect(await ask(recorded, (registry) => registry.level("s"))).toBe("FULL");
    expect(await ask(recorded, check)).toStrictEqual({ kind: "incompatible", messages: [reason] });
  });

  const noLevel: readonly [string, Recorded][] = [
    ["it accepts any schema", [200, { is_compatible: true }]],
    ["it has no schema yet", [404, { error_code: 40401, message: "Subject 's' not found." }]],
  ];
  test.each(noLevel)("has level NONE if %s", async (_name, answer) => {
    const recorded: Record<string, Recorded> = { ...reported, [LATEST_CHECK]: answer };
    expect(await ask(recorded, (registry) => registry.level("s"))).toBe("NONE");
    expect(await ask(recorded, check)).toStrictEqual({ kind: "no-level", level: "NONE" });
  });

  test("has no known level if the registry does not say what it accepts", async () => {
    const recorded: Record<string, Recorded> = { ...reported, [LATEST_CHECK]: [422, { error_code: 42201 }] };
    await expect(ask(recorded, (registry) => registry.level("s"))).rejects.toMatchObject({ code: "registry-down" });
  });
});

// Confluent AbstractSchemaRegistry.java, getUsingContexts and lookUpSchemaUnderSubjectUsingContexts (v7.9.0, v8.3.1)
describe("Confluent's contexts", () => {
  const ELSEWHERE: Recorded = [200, { subject: ":.other:s", version: 1, id: 5, schema: SCHEMA }];

  test("an equal schema in a different context does not count, because its id means a different schema here", async () => {
    const recorded: Record<string, Recorded> = { [LOOK_UP]: ELSEWHERE, [REGISTER]: [200, { id: 6 }] };
    expect(await ask(recorded, register)).toStrictEqual({ kind: "registered", id: 6 });
  });

  test("a subject of a different context is unknown here", async () => {
    expect(await ask({ [LATEST]: ELSEWHERE }, (registry) => registry.latest("s"))).toBeUndefined();
  });

  test("a subject is found by its name with the context", async () => {
    const path = "/subjects/%3A.other%3As";
    const recorded: Record<string, Recorded> = {
      [`POST ${path}`]: ELSEWHERE,
      [`GET ${path}/versions/latest`]: ELSEWHERE,
    };
    expect(await ask(recorded, (registry) => registry.register(":.other:s", SCHEMA))).toMatchObject({ id: 5 });
    expect(await ask(recorded, (registry) => registry.latest(":.other:s"))).toMatchObject({ id: 5 });
  });

  test("with a context in the address, answers count whichever subject they name", async () => {
    const path = "/contexts/.other";
    const recorded: Record<string, Recorded> = {
      [`POST ${path}/subjects/s`]: ELSEWHERE,
      [`GET ${path}/subjects/s/versions/latest`]: ELSEWHERE,
    };
    expect(await ask(recorded, register, { path })).toStrictEqual({ kind: "registered", id: 5 });
    expect(await ask(recorded, (registry) => registry.latest("s"), { path })).toMatchObject({ id: 5 });
  });
});

// With `normalize` in a subject's config, Confluent stores and returns a text that differs from ours.
test("a registry that normalizes returns its own text with the same id", async () => {
  const stored = { subject: "s", version: 1, id: 5, schema: `{"type":"string"}` };
  expect(await ask({ [LOOK_UP]: [200, stored] }, register)).toStrictEqual({ kind: "registered", id: 5 });
  expect(await ask({ [LATEST]: [200, stored] }, (registry) => registry.latest("s"))).toMatchObject({
    text: stored.schema,
  });
});

describe("refusals that are not about the schema", () => {
  const refusals: readonly [string, Recorded, string][] = [
    [
      "Confluent in read-only mode",
      [422, { error_code: 42205, message: "Subject s is in read-only mode" }],
      "Subject s is in read-only mode",
    ],
    [
      "Karapace's list of what is malformed",
      [422, { error_code: 422, message: [{ loc: ["body"] }] }],
      "no reason given",
    ],
    ["Confluent's schema too large", [422, { error_code: 42209, message: "too large" }], "too large"],
  ];
  test.each(refusals)("%s", async (_name, answer, message) => {
    const recorded: Record<string, Recorded> = { [LOOK_UP]: [404, { error_code: 40401 }], [REGISTER]: answer };
    expect(await ask(recorded, register)).toStrictEqual({ kind: "refused", status: 422, message });
  });

  const faults: readonly [string, Recorded][] = [
    ["Confluent without a leader", [500, { error_code: 50004, message: "Leader not known." }]],
    [
      "Karapace without a master",
      [500, { error_code: 50003, message: "Error while forwarding the request to the master." }],
    ],
    ["Redpanda's write collision", [503, { error_code: 50301, message: "Too many retries on write collision" }]],
    ["Confluent Cloud's rate limit", [429, { error_code: 429, message: "slow down" }]],
  ];
  test.each(faults)("%s is temporary and not a refusal", async (_name, answer) => {
    const recorded: Record<string, Recorded> = { [LOOK_UP]: [404, { error_code: 40401 }], [REGISTER]: answer };
    await expect(ask(recorded, register)).rejects.toMatchObject({ code: "registry-down" });
  });
});

describe("a server that is not a registry", () => {
  const questions: readonly [string, (registry: Registry) => Promise<unknown>][] = [
    ["latest", (registry) => registry.latest("s")],
    ["level", (registry) => registry.level("s")],
    ["check", check],
    ["register", register],
  ];
  const strangers: readonly [string, Recorded][] = [
    ["HTML", [200, "<!doctype html><title>Sign in</title>"]],
    ["a redirect to a login", (answer) => answer.writeHead(302, { location: "http://127.0.0.1:9/login" }).end()],
    ["a redirect that keeps the method", (answer) => answer.writeHead(307, { location: "/v2" }).end()],
    ["a gateway's 502 in HTML", [502, "<html>Bad Gateway</html>"]],
    ["Confluent's 404 for a path that it does not have", [404, { error_code: 404, message: "HTTP 404 Not Found" }]],
    [
      "Apicurio 2's 404 for a path that it does not have",
      [404, { error_code: 404, message: "RESTEASY003210: Could not find resource", name: "NotFoundException" }],
    ],
    ["Apicurio 3's 404 for a path that it does not have", [404, { status: 404, name: "NotFoundException" }]],
    ["Karapace's 404 for a path that it does not have", [404, JSON.stringify("Not Found")]],
    ["500", [500, { error_code: 50001, message: "Error in the backend data store" }]],
    ["no answer", () => {}],
    ["half an answer", (answer) => answer.writeHead(200, { "content-length": "900" }).write(`{"id":`)],
  ];
  const cases = questions.flatMap(([name, question]) =>
    strangers.map(([what, recorded]) => ({ name, question, what, recorded })),
  );
  test.each(cases)(
    "$name with $what is an error within the timeout",
    async ({ question, recorded }) => {
      const everywhere = { [LATEST]: recorded, [CONFIG]: recorded, [LOOK_UP]: recorded, [REGISTER]: recorded };
      await expect(ask(everywhere, question, { timeoutMs: 200 })).rejects.toMatchObject({ code: "registry-down" });
      // Less than the default timeout of one request, so it fails if the 200 ms are ignored.
    },
    4_000,
  );
});
