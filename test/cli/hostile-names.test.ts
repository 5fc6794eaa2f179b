import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import { mapTexts } from "../../src/visible.ts";
import { ACTING } from "../hostile.ts";
import { amendment, type FakeApi, fakeApi } from "../http/fake-api.ts";
import { runHere } from "./in-process.ts";

const HOSTILE = `${ACTING.join("")}\nforged: line`;
/** Kinds, modes and the like are the service's own words. */
const OWN = /^(added|guard|withheld|always|error|not-ready|default|text|strict)$/;

/** The answer with hostile text in every text that may come from outside. */
function hostile<T>(answer: T): T {
  return mapTexts(answer, (text) => (OWN.test(text) ? text : `${text}${HOSTILE}`)) as T; // the same shape
}

let api: FakeApi;
let http: HttpServer;

beforeAll(async () => {
  api = fakeApi();
  api.amendments = async () => [hostile(amendment)];
  api.changes = [hostile(amendment)];
  api.outcomes = [{ kind: "refused", message: HOSTILE, next: HOSTILE }];
  api.coverages = {
    complete: true,
    topics: [
      {
        connector: "inventory",
        topic: HOSTILE,
        environment: "default",
        mode: "guard",
        policy: "strict",
        lastPoll: { at: null, secondsAgo: null, problem: HOSTILE },
        groups: [],
        contracts: [],
        unnamed: [HOSTILE],
      },
    ],
  };
  http = await startHttp(api, { host: "127.0.0.1", port: 0, log: pino({ level: "silent" }) });
});
afterAll(() => http.close());

const ID = amendment.id;

it.each([
  [["amendments"]],
  [["amendments", "--format", "json"]],
  [["amendments", "show", ID]],
  [["can-i-release", ID]],
  [["can-i-release", ID, "--format", "markdown"]],
  [["release", ID]],
  [["coverage"]],
  [["coverage", "--format", "markdown"]],
])("%j prints nothing that acts on a terminal, and no forged line", async (args) => {
  const { out, err } = await runHere(args, { env: { FIELDGATE_URL: http.url } });
  expect(err).toBe("");
  expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u);
  expect(out).toContain(String.raw`\u001b[2J`);
  expect(out.split("\n").filter((line) => /^(forged|line 2)/.test(line.trimStart()))).toEqual([]);
});

it("a service's error has its further lines indented", async () => {
  api.amendments = () => Promise.reject(new GuardError("not-found", `no ${HOSTILE}`, { next: HOSTILE }));
  const { err } = await runHere(["amendments"], { env: { FIELDGATE_URL: http.url } });
  expect(err.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  expect(
    err
      .trimEnd()
      .split("\n")
      .slice(1)
      .every((line) => line.startsWith("  ")),
  ).toBe(true);
});
