import { connect } from "node:net";
import { Writable } from "node:stream";

import { pino } from "pino";
import { describe, expect, it } from "vitest";

import { type ErrorCode, GuardError } from "../../src/errors.ts";
import { buildHttp, startHttp } from "../../src/http/start-http.ts";
import { request } from "../../src/request.ts";
import { until } from "../stack/until.ts";
import { certificateAuthority } from "../stack/certificates.ts";
import { amendment, fakeApi } from "./fake-api.ts";

const TOKEN = "a-token-of-some-length";
const LOCAL = { host: "localhost:8080" };
const BEARER = { authorization: `Bearer ${TOKEN}` };
const COMMAND = { kind: "release", ids: ["inventory.public.customers/3"], actor: "anna@laptop" };

function recorded() {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, log: pino({ level: "trace" }, stream) };
}

function server(token?: string) {
  const api = fakeApi();
  const { lines, log } = recorded();
  return { api, lines, app: buildHttp(api, { token, log }) };
}

describe("the token", () => {
  it.each<[string, Record<string, string>]>([
    ["none", {}],
    ["a wrong one", { authorization: "Bearer a-token-of-some-lengtH" }],
    ["a longer one", { authorization: `Bearer ${TOKEN}x` }],
    ["an empty one", { authorization: "Bearer " }],
    ["another scheme", { authorization: `Basic ${TOKEN}` }],
    ["two", { authorization: `Bearer ${TOKEN} ${TOKEN}` }],
  ])("%s is refused everywhere except /health, with the next step", async (_name, headers) => {
    const { app, api } = server(TOKEN);
    for (const url of [
      "/v1/connectors",
      "/v1/amendments",
      "/v1/contracts",
      "/v1/topics/x",
      "/v1/commands/x",
      "/nowhere",
    ]) {
      const answer = await app.inject({ url, headers });
      expect(answer.statusCode).toBe(401);
      expect(answer.json()).toMatchObject({ code: "unauthorized", next: expect.stringMatching(/FIELDGATE_TOKEN/) });
      expect(answer.body).not.toContain(TOKEN);
    }
    const posted = await app.inject({ method: "POST", url: "/v1/commands", headers, payload: COMMAND });
    expect(posted.statusCode).toBe(401);
    expect(api.commands).toEqual([]);
    expect((await app.inject({ url: "/health", headers })).statusCode).toBe(200);
    expect((await app.inject({ url: "/health?probe=1", headers })).statusCode).toBe(200);
  });

  it("is accepted if it is the right one", async () => {
    const { app } = server(TOKEN);
    expect((await app.inject({ url: "/v1/amendments", headers: BEARER })).json()).toEqual([amendment]);
  });

  it("may be missing only for requests to a local name", async () => {
    const { app } = server();
    for (const host of ["localhost:1", "127.0.0.1:1", "127.0.0.1", "[::1]:1"]) {
      expect((await app.inject({ url: "/v1/amendments", headers: { host } })).statusCode).toBe(200);
    }
    for (const host of ["evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"]) {
      expect((await app.inject({ url: "/v1/amendments", headers: { host } })).statusCode).toBe(401);
    }
  });
});

describe("an address that cannot be read", () => {
  it.each([
    ["a wrong escape", "/v1/amendments/%zz", 400],
    ["a name that is too long", `/v1/topics/${"a".repeat(1500)}`, 414],
  ])("with %s is answered as any other, and only with a token", async (_name, url, status) => {
    const { app } = server("the-token-of-the-test");
    const without = await app.inject({ url });
    expect([without.statusCode, without.json()]).toMatchObject([401, { code: "unauthorized" }]);
    const sent = await app.inject({ url, headers: { authorization: "Bearer the-token-of-the-test" } });
    expect([sent.statusCode, sent.json()]).toMatchObject([status, { code: "usage", next: null }]);
    expect(sent.headers["cache-control"]).toBe("no-store");
  });
});

describe("a request", () => {
  it.each([
    ["inventory.public.customers/3", "/v1/amendments/inventory.public.customers/3"],
    ["an escaped slash", "/v1/amendments/inventory.public.customers%2F3"],
    ["topic.field", "/v1/amendments/inventory.public.customers.nickname"],
  ])("finds an amendment by %s", async (_name, url) => {
    const { app } = server();
    expect((await app.inject({ url, headers: LOCAL })).json()).toMatchObject({ id: amendment.id });
  });

  it("shows what a different policy would have done, if that policy exists", async () => {
    const { app, api } = server();
    const of = async (query: string) => app.inject({ url: `/v1/coverage${query}`, headers: LOCAL });
    expect((await of("")).json()).toEqual({ complete: true, topics: [] });
    expect((await of("?policy=strict")).statusCode).toBe(200);
    expect(api.policies).toEqual([undefined, "strict"]);
    const wrong = await of("?policy=any");
    expect([wrong.statusCode, wrong.json()]).toMatchObject([400, { code: "usage" }]);
  });

  it("filters amendments by table", async () => {
    const { app } = server();
    const of = async (table: string) =>
      (await app.inject({ url: `/v1/amendments?table=${table}`, headers: LOCAL })).json();
    expect(await of("public.customers")).toHaveLength(1);
    expect(await of("public.orders")).toEqual([]);
  });

  it("appends a command and a contract, and returns their ids", async () => {
    const { app, api } = server();
    const posted = await app.inject({ method: "POST", url: "/v1/commands", headers: LOCAL, payload: COMMAND });
    expect([posted.statusCode, posted.json()]).toEqual([202, { id: "command-1" }]);
    expect(api.commands).toEqual([COMMAND]); // its actor is the client's word where there are no tokens
    const contract = {
      version: 1,
      consumer: "billing",
      environment: "default",
      topic: "t",
      decodesWith: "writer",
      unknownFields: "reject",
      fields: ["id"],
    };
    const published = await app.inject({ method: "POST", url: "/v1/contracts", headers: LOCAL, payload: contract });
    expect([published.statusCode, published.json()]).toEqual([202, { id: "contract-1", ...api.answered }]);
    expect(api.published).toEqual([contract]);
    const outcome = await app.inject({ url: "/v1/commands/command-1", headers: LOCAL });
    expect(outcome.json()).toEqual({ kind: "done", message: "nickname flows from schema 7 on" });
  });

  it.each<[string, object | string, number, RegExp]>([
    ["no JSON", "{", 400, /not JSON/],
    ["nothing", "", 400, /not JSON/],
    ["a body over 1 MiB", JSON.stringify({ reason: "x".repeat(1024 * 1024) }), 413, /1 MiB/],
    ["no ids", { kind: "release", ids: [], actor: "a" }, 400, /ids/],
    ["a kind nobody knows and no actor", { kind: "drop", ids: ["a"] }, 400, /kind.*; actor/],
    ["a key nobody knows", { ...COMMAND, sudo: true }, 400, /sudo/],
  ])("with %s is refused with a JSON body, and nothing is appended", async (_name, payload, status, message) => {
    const { app, api } = server();
    const headers = { ...LOCAL, "content-type": "application/json" };
    const answer = await app.inject({ method: "POST", url: "/v1/commands", headers, payload });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({
      code: "usage",
      message: expect.stringMatching(message),
      next: expect.toBeOneOf([null, expect.any(String)]),
    });
    expect(api.commands).toEqual([]);
  });

  it("with an invalid contract is refused with every mistake, and nothing is appended", async () => {
    const { app, api } = server();
    const payload = { version: 1, consumer: "a b", environment: "default", topic: "t", decodesWith: "reader" };
    const answer = await app.inject({ method: "POST", url: "/v1/contracts", headers: LOCAL, payload });
    expect([answer.statusCode, answer.json().code]).toEqual([400, "contract-invalid"]);
    expect(answer.json().message).toMatch(/consumer[^]*unknownFields/);
    expect(api.published).toEqual([]);
  });

  it("whose content type is not JSON is refused", async () => {
    const { app, api } = server();
    for (const type of ["application/x-www-form-urlencoded", "text/plain"]) {
      const headers = { ...LOCAL, "content-type": type };
      const payload = JSON.stringify(COMMAND);
      const answer = await app.inject({ method: "POST", url: "/v1/commands", headers, payload });
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(answer.json()).toMatchObject({ code: "usage" });
    }
    expect(api.commands).toEqual([]);
  });

  it.each<[string, string, string]>([
    ["an array", `{"reason":${"[".repeat(500_000)}${"]".repeat(500_000)}}`, "/v1/commands"],
    ["a schema", `{"schema":${"[".repeat(250_000)}${"]".repeat(250_000)}}`, "/v1/contracts"],
    ["objects", `{"schema":${'{"a":'.repeat(150_000)}1${"}".repeat(150_000)}}`, "/v1/contracts"],
  ])("with very deeply nested %s is 400, and the server keeps running", async (_name, payload, url) => {
    const { app, api } = server();
    const headers = { ...LOCAL, "content-type": "application/json" };
    const answer = await app.inject({ method: "POST", url, headers, payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).not.toMatch(/at |\.ts|stack/);
    expect([api.commands, api.published]).toEqual([[], []]);
    expect((await app.inject({ url: "/health" })).statusCode).toBe(200);
  });

  it("with __proto__ in its body is refused", async () => {
    const { app, api } = server();
    const headers = { ...LOCAL, "content-type": "application/json" };
    const payload = '{"kind":"release","ids":["a"],"actor":"a","__proto__":{"force":true}}';
    expect((await app.inject({ method: "POST", url: "/v1/commands", headers, payload })).statusCode).toBe(400);
    expect(api.commands).toEqual([]);
  });

  it("from a browser is not allowed across origins, and its response is neither cached nor sniffed", async () => {
    const { app } = server(TOKEN);
    const headers = { ...BEARER, origin: "https://evil.example" };
    for (const url of ["/health", "/v1/amendments", "/nowhere"]) {
      const answer = await app.inject({ url, headers });
      expect(answer.headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    const asked = await app.inject({ method: "OPTIONS", url: "/v1/commands", headers });
    expect(asked.statusCode).toBe(404);
  });

  it("for a route that does not exist is 404 as JSON", async () => {
    const { app } = server();
    const answer = await app.inject({ method: "DELETE", url: "/v1/amendments?x=1", headers: LOCAL });
    expect([answer.statusCode, answer.json().code]).toEqual([404, "not-found"]);
    expect(answer.json().message).toBe("there is no DELETE /v1/amendments");
  });
});

describe("an error of the Api", () => {
  it.each<[ErrorCode, number]>([
    ["usage", 400],
    ["contract-invalid", 400],
    ["schema-invalid", 400],
    ["unauthorized", 401],
    ["not-found", 404],
    ["refused", 409],
    ["kafka-down", 503],
    ["registry-down", 503],
    ["state-invalid", 500],
  ])("%s is %i with code, message and next", async (code, status) => {
    const { app, api } = server();
    api.fail = new GuardError(code, "what happened", { next: "what to do" });
    const answer = await app.inject({ url: "/v1/amendments", headers: LOCAL });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ code, message: "what happened", next: "what to do" });
  });

  it("that is unexpected is logged, and the client sees neither its text nor its stack", async () => {
    const { app, api, lines } = server();
    api.fail = new TypeError("row value 4711 of /home/x.ts");
    const answer = await app.inject({ url: "/v1/amendments", headers: LOCAL });
    expect([answer.statusCode, answer.json().code]).toEqual([500, "internal"]);
    expect(answer.body).not.toMatch(/4711|at |\.ts/);
    expect(lines.join("")).toContain("request failed");
  });
});

describe("the socket", () => {
  it("serves requests, and close ends open connections", async () => {
    const http = await startHttp(fakeApi(), { host: "127.0.0.1", port: 0, log: recorded().log });
    expect(await (await fetch(`${http.url}/health`)).json()).toMatchObject({ status: "ok" });
    const idle = connect(Number(new URL(http.url).port), "127.0.0.1");
    const ended = new Promise((resolve) => idle.once("close", resolve));
    await new Promise((resolve) => idle.once("connect", resolve));
    idle.on("error", () => undefined);
    await http.close();
    await ended;
    await expect(fetch(`${http.url}/health`)).rejects.toThrow("fetch failed");
  });

  it.each<[string, string, RegExp]>([
    ["sends nothing", "", /^HTTP\/1.1 408 .*"the request took too long"/s],
    ["never ends its headers", "GET /health HTTP/1.1\r\nhost: localhost\r\nx-a: b\r\n", /^HTTP\/1.1 408 /],
    [
      "never ends its body",
      "POST /v1/commands HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
      /^HTTP\/1.1 408 /,
    ],
    ["does not speak HTTP", "hello\r\n\r\n", /^HTTP\/1.1 400 .*"the request is not HTTP"/s],
    ["has headers without end", `GET / HTTP/1.1\r\nx: ${"x".repeat(40_000)}\r\n\r\n`, /^HTTP\/1.1 431 .*"usage"/s],
  ])("is closed for a client that %s", async (_name, text, expected) => {
    const options = { host: "127.0.0.1", port: 0, log: recorded().log, requestTimeoutMs: 300 };
    const http = await startHttp(fakeApi(), options);
    const client = connect(Number(new URL(http.url).port), "127.0.0.1", () => client.write(text));
    let answer = "";
    client.on("data", (chunk) => (answer += chunk.toString()));
    client.on("error", () => undefined);
    await new Promise((resolve) => client.once("close", resolve));
    expect(answer).toMatch(expected);
    expect((await fetch(`${http.url}/health`)).status).toBe(200);
    await http.close();
  });

  it.each([
    ["http", false],
    ["https", true],
  ])("answers over %s although more connections than the limit are open and send nothing", async (_, isTls) => {
    await using authority = await certificateAuthority();
    const tls = isTls ? await authority.issue("api") : undefined;
    const http = await startHttp(fakeApi(), {
      host: "127.0.0.1",
      port: 0,
      log: recorded().log,
      tls,
      maxConnections: 3,
    });
    const slow = Array.from({ length: 5 }, () => {
      const client = connect(Number(new URL(http.url).port), "127.0.0.1", () =>
        client.write(isTls ? "" : "GET /health"),
      );
      client.on("error", () => undefined).resume();
      return client;
    });
    await Promise.all(
      slow.map((client) => new Promise((resolve) => client.once("connect", resolve).once("close", resolve))),
    );
    const signal = AbortSignal.timeout(5_000);
    const asked = { method: "GET", headers: {}, signal, maxBytes: 1_000, tls: { ca: authority.ca } } as const;
    for (let time = 0; time < 3; time += 1) {
      expect(await request({ ...asked, url: `${http.url}/health` })).toMatchObject({ status: 200 });
    }
    await until(() => slow.filter(({ closed }) => closed).length >= 2, "those that have waited longest are closed");
    for (const client of slow) client.destroy();
    await http.close();
  });

  it("with a certificate speaks only https", async () => {
    await using authority = await certificateAuthority();
    const tls = { ...(await authority.issue("api", { passphrase: "open" })), passphrase: "open" };
    const http = await startHttp(fakeApi(), { host: "127.0.0.1", port: 0, log: recorded().log, tls });
    const asked = { method: "GET", headers: {}, signal: AbortSignal.timeout(5_000), maxBytes: 1_000 } as const;
    expect(http.url).toMatch(/^https:/);
    expect(await request({ ...asked, url: `${http.url}/health`, tls: { ca: authority.ca } })).toMatchObject({
      status: 200,
    });
    await expect(request({ ...asked, url: `${http.url}/health` })).rejects.toThrow("certificate");
    await expect(request({ ...asked, url: `${http.url.replace("https", "http")}/health` })).rejects.toThrow("hang up");
    await http.close();
  });

  it("whose address is in use is an error with the next step", async () => {
    const options = { host: "127.0.0.1", log: recorded().log };
    const http = await startHttp(fakeApi(), { ...options, port: 0 });
    const again = startHttp(fakeApi(), { ...options, port: Number(new URL(http.url).port) });
    await expect(again).rejects.toMatchObject({ code: "config-invalid", next: expect.stringMatching(/HTTP_PORT/) });
    await http.close();
  });
});
