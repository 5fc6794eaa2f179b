import { fc, test as law } from "@fast-check/vitest";
import { pino } from "pino";
import { afterAll, describe, expect } from "vitest";
import { buildHttp } from "../../src/http/start-http.ts";
import { hostileJson, hostileWord, INHERITED } from "../hostile.ts";
import { fakeApi } from "./fake-api.ts";

const TOKEN = "a-token-of-some-length";
const key = fc.oneof(
  fc.constantFrom("kind", "actor", "ids", "reason", "backfill", "beside", "table", "steps", "line", "type", "columns"),
  fc.constantFrom("version", "environment", "consumer", "topic", "decodesWith", "unknownFields", "schema", "severity"),
  fc.constantFrom(...INHERITED),
);
const value = fc.oneof(
  hostileWord,
  hostileJson,
  fc.array(hostileWord, { maxLength: 3 }),
  fc.constantFrom("release", "withhold", "production", "writer", "add-column", 1, -1, 1e308, {}, [], null),
);
const body = fc.oneof(hostileJson, fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value)), { maxKeys: 8 }));
const url = fc.constantFrom("/v1/commands", "/v1/contracts", "/v1/contracts/rolling-out", "/v1/contracts/retire");

describe("a hostile request", () => {
  const app = buildHttp(fakeApi(), { token: TOKEN, log: pino({ level: "silent" }) });
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  afterAll(() => app.close());

  law.prop([fc.oneof(url, fc.constant("/v1/plan")), body], { numRuns: 1000 })(
    "is answered or refused, and never an unexpected error, whatever its body has",
    async (path, json) => {
      const sent = await app.inject({ method: "POST", url: path, headers, payload: JSON.stringify(json) });
      expect(sent.statusCode).toBeLessThan(500);
      if (sent.statusCode >= 300) expect(sent.json()).toMatchObject({ code: expect.any(String) });
    },
  );

  law.prop([fc.constantFrom("/v1/amendments/", "/v1/topics/", "/v1/commands/", "/v1/coverage?policy="), hostileWord], {
    numRuns: 500,
  })("is answered or refused, and never an unexpected error, whatever its address has", async (path, word) => {
    const part = word.isWellFormed() ? encodeURIComponent(word) : "%D8%00";
    const sent = await app.inject({ url: `${path}${part}`, headers });
    expect(sent.statusCode).toBeLessThan(500);
  });
});
