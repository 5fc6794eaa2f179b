import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { routesOf } from "../../src/http/routes.ts";
import { buildHttp } from "../../src/http/start-http.ts";
import { newToken, readTokenList, type TokenEntry } from "../../src/http/token-file.ts";
import { openTokens } from "../../src/http/tokens.ts";
import { until } from "../stack/until.ts";
import { fakeApi } from "./fake-api.ts";

const COMMAND = { kind: "release", ids: ["inventory.public.customers/3"], actor: "admin" };
const CONTRACT = {
  version: 1,
  consumer: "billing",
  environment: "default",
  topic: "t",
  decodesWith: "writer",
  unknownFields: "reject",
  fields: ["id"],
};

let folder: string;
let file: string;
let lines: string[];
const log = pino(
  { level: "info" },
  new Writable({ write: (chunk, _encoding, done) => (lines.push(String(chunk)), done()) }),
);

beforeEach(async () => {
  lines = [];
  folder = await mkdtemp(join(tmpdir(), "fieldgate-tokens-"));
  file = join(folder, "tokens.yaml");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function asYaml(...entries: readonly TokenEntry[]): string {
  return entries
    .map(({ name, hash, scopes }) => `- name: ${name}\n  hash: ${hash}\n  scopes: [${scopes.join(", ")}]\n`)
    .join("");
}

/** A server with one token that has these scopes, and that token. */
async function server(...scopes: readonly string[]) {
  const { token, entry } = newToken("ci-billing", scopes);
  await writeFile(file, asYaml(entry));
  const api = fakeApi();
  const app = buildHttp(api, { tokens: await openTokens(file, log), token: "the-one-for-everything", log });
  return { api, app, token, headers: { authorization: `Bearer ${token}` } };
}

const paths: Readonly<Record<string, string>> = {
  "/v1/amendments/*": "/v1/amendments/inventory.public.customers/3",
  "/v1/topics/:name": "/v1/topics/t",
  "/v1/commands/:id": "/v1/commands/c1",
};
const ROUTES = routesOf(fakeApi()).map(({ method, url, need }) => ({ method, url, path: paths[url] ?? url, need }));
const NAMED = { environment: "default", consumer: "billing", topic: "t" };
const bodies: Readonly<Record<string, object>> = {
  "/v1/contracts": CONTRACT,
  "/v1/contracts/rolling-out": CONTRACT,
  "/v1/contracts/retire": NAMED,
  "/v1/plan": { steps: [] },
};
const bodyOf = (url: string) => bodies[url] ?? COMMAND;
const withBody = (method: "GET" | "POST", url: string) => (method === "POST" ? { payload: bodyOf(url) } : {});

describe("every route", () => {
  const SUFFICIENT = {
    read: ["read"],
    contracts: ["contracts:billing"],
    operate: ["operate:inventory"],
    "read or operate": ["operate:any"],
  };
  const OTHERS = {
    read: ["contracts:*", "operate:*"],
    contracts: ["read", "operate:*", "contracts:shipping"],
    operate: ["read", "contracts:*", "operate:orders"],
    "read or operate": ["contracts:*"],
  };

  it("except the health needs a token", () => {
    const open = ROUTES.filter(({ need }) => need === "nothing").map(({ url }) => url);
    expect(open).toEqual(["/health", "/health/live", "/health/ready"]);
  });

  it.each(ROUTES)(
    "$method $url ($need) refuses without a token and without its scope",
    async ({ method, url, path, need }) => {
      if (need === "nothing") return;
      const { app, api, headers } = await server(...OTHERS[need]);
      const asked = { method, url: path, ...withBody(method, url) };
      expect((await app.inject(asked)).statusCode).toBe(401);
      const answer = await app.inject({ ...asked, headers });
      expect(answer.statusCode).toBe(403);
      const missing = {
        read: "read",
        contracts: "contracts:billing",
        operate: "operate:inventory",
        "read or operate": "read or operate:…",
      };
      expect(answer.json()).toMatchObject({ code: "forbidden", message: `the token lacks the scope ${missing[need]}` });
      expect(answer.headers["www-authenticate"]).toBe('Bearer error="insufficient_scope"');
      expect([api.commands, api.published, api.rollingOut, api.retired]).toEqual([[], [], [], []]);
    },
  );

  it.each(ROUTES)("$method $url needs only its own scope", async ({ method, url, path, need }) => {
    const { app, headers } = await server(...(need === "nothing" ? ["contracts:x"] : SUFFICIENT[need]));
    const answer = await app.inject({ method, url: path, headers, ...withBody(method, url) });
    expect([200, 202, 404]).toContain(answer.statusCode);
    expect(answer.statusCode === 404 ? answer.json().message : "").not.toMatch(/there is no (GET|POST)/);
  });

  it("that fastify serves is in the table; HEAD has the same need as GET", async () => {
    const { app } = await server("contracts:x");
    await app.ready();
    const known =
      app.printRoutes({ commonPrefix: false }).match(/\((GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)[^)]*\)/g) ?? [];
    expect(known.join().match(/GET/g)).toHaveLength(ROUTES.filter(({ method }) => method === "GET").length);
    expect(known.join().match(/POST/g)).toHaveLength(ROUTES.filter(({ method }) => method === "POST").length);
    expect(known.join()).not.toMatch(/PUT|PATCH|DELETE|OPTIONS/);
    for (const { path, need } of ROUTES.filter(({ method }) => method === "GET")) {
      expect((await app.inject({ method: "HEAD", url: path })).statusCode).toBe(need === "nothing" ? 200 : 401);
    }
  });

  it("that does not exist still needs a token before the answer says so", async () => {
    const { app, headers } = await server("contracts:x");
    expect((await app.inject({ url: "/v1/secrets" })).statusCode).toBe(401);
    expect((await app.inject({ url: "/v1/secrets", headers })).statusCode).toBe(404);
  });
});

describe("a token", () => {
  it("without a scope of the needed kind is refused before the body is read", async () => {
    const { app, headers } = await server("read");
    const asked = {
      method: "POST",
      url: "/v1/contracts",
      payload: "{",
      headers: { ...headers, "content-type": "application/json" },
    } as const;
    expect((await app.inject(asked)).statusCode).toBe(403);
  });

  it("for all consumers and connectors is accepted for each", async () => {
    const { app, api, headers } = await server("contracts:*", "operate:*");
    expect((await app.inject({ method: "POST", url: "/v1/contracts", headers, payload: CONTRACT })).statusCode).toBe(
      202,
    );
    expect((await app.inject({ method: "POST", url: "/v1/commands", headers, payload: COMMAND })).statusCode).toBe(202);
    expect([api.commands.length, api.published.length]).toEqual([1, 1]);
  });

  it("gives a command its actor, whatever the client states, and the log shows it", async () => {
    const { app, api, headers, token } = await server("operate:inventory");
    await app.inject({ method: "POST", url: "/v1/commands", headers, payload: COMMAND });
    expect(api.commands).toMatchObject([{ actor: "ci-billing" }]);
    expect(lines.join("")).toMatch(/"actor":"ci-billing","command":"command-1"/);
    expect(lines.join("")).not.toContain(token);
  });

  it.each([
    ["ci-billing", "ci-billing@client"],
    ["anna@laptop", "anna@laptop"],
  ])("without a name lets its client state %s, which never passes for a named token", async (actor, expected) => {
    const { app, api } = await server("operate:inventory");
    const headers = { authorization: "Bearer the-one-for-everything" };
    await app.inject({ method: "POST", url: "/v1/commands", headers, payload: { ...COMMAND, actor } });
    expect(api.commands).toMatchObject([{ actor: expected }]);
  });
});

describe("the tokens file", () => {
  const { entry } = newToken("a", ["read"]);

  it("contains no token, and every new token is different", () => {
    const made = Array.from({ length: 50 }, () => newToken("a", ["read"]));
    expect(new Set(made.map(({ token }) => token)).size).toBe(50);
    for (const { token, entry: written } of made) {
      expect(token).toMatch(/^fg_[A-Za-z0-9_-]{43}$/);
      expect(JSON.stringify(written)).not.toContain(token.slice(3));
    }
  });

  it("may be YAML or JSON", () => {
    const expected = new Map([[entry.hash, { name: "a", scopes: ["read"] }]]);
    expect(readTokenList(asYaml(entry), "f")).toEqual(expected);
    expect(readTokenList(JSON.stringify([entry]), "f")).toEqual(expected);
  });

  it.each<[string, string, RegExp]>([
    ["nothing", "", /the file /],
    ["no list", "a: 1", /the file /],
    ["no YAML", "- [", /neither YAML nor JSON/],
    ["a plain token", JSON.stringify([{ ...entry, hash: "fg_secret" }]), /0\.hash must be sha256:/],
    ["a name with @", JSON.stringify([{ ...entry, name: "anna@laptop" }]), /0\.name must be up to 100 letters/],
    ["no scope", JSON.stringify([{ ...entry, scopes: [] }]), /0\.scopes/],
    ["a scope nobody knows", JSON.stringify([{ ...entry, scopes: ["admin"] }]), /0\.scopes\.0 must be read, contracts/],
    ["a scope with half a star", JSON.stringify([{ ...entry, scopes: ["operate:in*"] }]), /0\.scopes\.0 must be/],
    ["a key nobody knows", JSON.stringify([{ ...entry, admin: true }]), /admin/],
    ["a name twice", JSON.stringify([entry, newToken("a", ["read"]).entry]), /occurs twice/],
    ["a hash twice", JSON.stringify([entry, { ...entry, name: "b" }]), /occurs twice/],
  ])("with %s is refused without showing any value", (_name, text, message) => {
    expect(() => readTokenList(text, "f")).toThrow(message);
    expect(() => readTokenList(text, "f")).not.toThrow(/fg_secret|anna@|[0-9a-f]{64}/);
  });

  it("is read again when it changes; if it is invalid or missing then, the tokens remain unchanged", async () => {
    const [first, second] = [newToken("first", ["read"]), newToken("second", ["read"])];
    await writeFile(file, asYaml(first.entry));
    const tokens = await openTokens(file, log);
    const names = async () =>
      (await Promise.all([first, second].map(({ token }) => tokens.callerOf(token)))).map((caller) => caller?.name);
    expect(await names()).toEqual(["first", undefined]);
    await writeFile(file, asYaml(first.entry, second.entry));
    await until(async () => (await names())[1] === "second", "the second token is known");
    await writeFile(file, "- broken");
    await until(async () => (await names(), lines.join("").includes("remain unchanged")), "the log says so");
    expect(await names()).toEqual(["first", "second"]);
    await rm(file);
    await until(async () => (await names(), lines.join("").includes("cannot be read")), "the log says so");
    expect(await names()).toEqual(["first", "second"]);
    await writeFile(file, asYaml(second.entry));
    await until(async () => (await names())[0] === undefined, "the first token is gone");
    expect(await names()).toEqual([undefined, "second"]);
  });

  it("must exist at the start", async () => {
    await expect(openTokens(file, log)).rejects.toMatchObject({ code: "config-invalid" });
  });
});
