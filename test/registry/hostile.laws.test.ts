import { fc, test as law } from "@fast-check/vitest";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { registryClient, type RegistryClient } from "../../src/registry/client.ts";
import { schemaId } from "../../src/table/shape.ts";
import { hostileJson, hostileWord, INHERITED } from "../hostile.ts";
import { answers, type Answers, type Recorded } from "./answers.ts";

const SUBJECT = "t-value";
const SCHEMA = JSON.stringify({ type: "string" });

const CALLS: Readonly<Record<keyof RegistryClient, (registry: RegistryClient) => Promise<unknown>>> = {
  latest: (registry) => registry.latest(SUBJECT),
  version: (registry) => registry.version(SUBJECT, 1),
  versions: (registry) => registry.versions(SUBJECT),
  schemaById: (registry) => registry.schemaById(schemaId(1)),
  level: (registry) => registry.level(SUBJECT),
  check: (registry) => registry.check(SUBJECT, SCHEMA),
  find: (registry) => registry.find(SUBJECT, SCHEMA),
  register: (registry) => registry.register(SUBJECT, SCHEMA),
};

const hostileValue = fc.oneof(
  hostileWord,
  fc.constantFrom(-5, 0, 1, 1.5, 2 ** 31, 2 ** 32 + 7, null, true, {}, [], [[1]], "1", "BACKWARD"),
  hostileJson,
);
/** Answers with the registries' own keys, so that some of them are taken for an answer. */
const body = fc.oneof(
  hostileJson,
  fc.array(hostileValue, { maxLength: 3 }),
  fc.dictionary(
    fc.oneof(
      fc.constantFrom("id", "version", "subject", "schema", "is_compatible", "messages"),
      fc.constantFrom("compatibilityLevel", "compatibility", "error_code", "message"),
      fc.constantFrom(...INHERITED),
    ),
    hostileValue,
    { maxKeys: 6 },
  ),
);
const status = fc.constantFrom(200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 405, 409, 418, 422, 429, 500, 503);
const answer = fc.tuple(status, fc.oneof(body, hostileWord));

describe("a hostile registry", () => {
  /** What it answers to each next request, whatever that asks for. */
  let next: readonly (readonly [number, unknown])[] = [];
  let count = 0;
  let server: Answers;
  const anything: Readonly<Record<string, Recorded>> = new Proxy(
    {},
    { get: (): Recorded => next[count++ % Math.max(1, next.length)] ?? [500, ""] },
  );
  beforeAll(async () => {
    server = await answers(anything);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  law.prop([fc.constantFrom(...Object.values(CALLS)), fc.array(answer, { minLength: 1, maxLength: 4 })], {
    numRuns: 600,
  })("is understood or refused with an error of Fieldgate's own, whatever it answers", async (call, all) => {
    [next, count] = [all, 0];
    const error = await call(registryClient({ urls: [server.url] })).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error !== undefined) expect(error).toBeInstanceOf(GuardError);
  });
});
