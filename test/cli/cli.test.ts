import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { Counts, TopicView } from "../../src/api/api.ts";
import { GuardError } from "../../src/errors.ts";
import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import { amendment, type FakeApi, fakeApi } from "../http/fake-api.ts";
import type { ConnectorView } from "../../src/api/api.ts";
import type { AmendmentView } from "../../src/api/amendment.ts";
import { packagesLoadedBy } from "./imports.ts";
import { runHere } from "./in-process.ts";
import { type CliOptions, runCli } from "./run-cli.ts";

const TOKEN = "a-token-of-some-length";
const ID = "inventory.public.customers/3";
const TOPIC = "inventory.public.customers";

let api: FakeApi;
let http: HttpServer;
let folder: string;

beforeEach(async () => {
  api = fakeApi();
  http = await startHttp(api, { host: "127.0.0.1", port: 0, token: TOKEN, log: pino({ level: "silent" }) });
  folder = mkdtempSync(join(tmpdir(), "fieldgate-cli-"));
});
afterEach(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

function cli(args: string, options: CliOptions = {}) {
  const env = { FIELDGATE_URL: http.url, FIELDGATE_TOKEN: TOKEN, ...options.env };
  const run = options.terminal === undefined && options.interruptWhen === undefined ? runHere : runCli;
  return run(args.split(" "), { cwd: folder, ...options, env });
}

/** A Debezium envelope whose row has these fields. */
function envelope(...fields: readonly object[]): string {
  const row = { type: "record", name: "Value", fields };
  return JSON.stringify({
    type: "record",
    name: "Envelope",
    namespace: TOPIC,
    fields: [
      { name: "before", type: ["null", row], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "op", type: "string" },
    ],
  });
}

const id = { name: "id", type: "int" };
const zip = { name: "zip", type: ["null", "string"], default: null };
const nickname = { name: "nickname", type: ["null", "string"], default: null };

function topicView(withheld = true, ...schemas: readonly string[]): TopicView {
  const newest = schemas.at(-1) ?? envelope(id, zip);
  return {
    topic: TOPIC,
    flowing: (schemas.length === 0 ? [newest] : schemas).map((schema, index) => ({ schemaId: index + 1, schema })),
    withheld: withheld ? [{ amendmentId: ID, field: "nickname", candidate: envelope(id, zip, nickname) }] : [],
  };
}

function contractFile(rest: string, where = folder): void {
  const text = `version: 1\nconsumer: billing\ntopics:\n  - topic: ${TOPIC}\n${rest.replaceAll(/^/gm, "    ")}\n`;
  writeFileSync(join(where, "fieldgate.yaml"), text);
}

const REJECTS = "decodes-with: writer\nunknown-fields: reject\nfields: [id, zip]";

describe("every command", () => {
  const commands = [
    "run",
    "check",
    "publish",
    "retire",
    "can-i-release",
    "amendments",
    "amendments show",
    "sample",
    "release",
    "withhold",
    "explain",
    "rules",
    "plan",
    "fill",
    "contract init",
    "completion",
  ];

  it.each(commands)("%s has help with an example", async (command) => {
    const { code, out } = await cli(`${command} --help`);
    expect(code).toBe(0);
    expect(out).toMatch(/Example:\n {2}.*fieldgate /);
  });

  it.each([
    ["an unknown command", "frobnicate"],
    ["no command", ""],
    ["an unknown option", "check --sideways"],
    ["an unknown format", "amendments --format xml"],
    ["no id", "release"],
    ["an unknown backfill", `release ${ID} --backfill some`],
    ["an invalid timeout", `release ${ID} --timeout soon`],
    ["--force without a reason", `release ${ID} --force`],
    ["neither an id nor a table", "can-i-release"],
    ["an unknown id", "can-i-release nothing/9 --wait 5"],
    ["only one schema of a pair", "explain --reader a.avsc"],
    ["a missing file", "explain --reader a.avsc --writer b.avsc"],
  ])("%s exits 1 with a message and no stack trace", async (_name, args) => {
    const { code, err } = await cli(args);
    expect(code).toBe(1);
    expect(err).not.toBe("");
    expect(err).not.toMatch(/^\s+at /m);
    expect(api.commands).toEqual([]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      "no service",
      { FIELDGATE_URL: "http://127.0.0.1:1" },
      /\[unreachable\].*cannot be reached: .*ECONNREFUSED.*\n {2}next: set FIELDGATE_URL/,
    ],
    ["an unknown host", { FIELDGATE_URL: "http://fieldgate.invalid" }, /ENOTFOUND|EAI_AGAIN/],
    [
      "a wrong token",
      { FIELDGATE_TOKEN: "wrong" },
      /\[unauthorized\] the service does not know this token\n {2}next: set FIELDGATE_TOKEN/,
    ],
    ["no token", { FIELDGATE_TOKEN: "" }, /\[unauthorized\] this request needs a token/],
    ["an invalid address", { FIELDGATE_URL: "localhost" }, /\[usage\] FIELDGATE_URL is not an http/],
    ["a user in the address", { FIELDGATE_URL: "http://u:hunter2@localhost" }, /FIELDGATE_URL contains a user/],
  ])("with %s exits 1 and says what to do", async (_name, env, message) => {
    const { code, out, err } = await cli("amendments", { env });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^\s+at |hunter2/m);
  });

  it("with https to a service that speaks http exits 1 and says so", async () => {
    const env = { FIELDGATE_URL: http.url.replace("http:", "https:") };
    const { code, err } = await cli("amendments", { env });
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/next: the server speaks http: start FIELDGATE_URL with http:/),
    ]);
  });

  it.each([
    ["amendments", "<html>"],
    ["amendments", '{"data": []}'],
    ["amendments", "[1]"],
    ["amendments show inventory.public.customers/3", "[]"],
    ["can-i-release inventory.public.customers/3", "null"],
    ["coverage", '{"status": "ok"}'],
    ["release inventory.public.customers/3", '"accepted"'],
  ])("%s with a different server at the address, which answers %s, exits 1 and says so", async (command, answer) => {
    const server = createServer((_request, response) => response.end(answer));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, err } = await cli(command, { env: { FIELDGATE_URL: `http://127.0.0.1:${port}` } });
    server.close();
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/answered with status 200, but not like a Fieldgate service/),
    ]);
  });
});

describe("amendments", () => {
  it("lists them as a table or as JSON", async () => {
    const text = await cli("amendments");
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/^ID .*GATE.*\ninventory\.public\.customers\/3 .*nickname .*withheld .*billing/);
    const json = await cli("amendments --table public.customers --format json");
    expect(JSON.parse(json.out)).toEqual([amendment]);
    expect((await cli("amendments --table public.orders")).out).toMatch(/^no amendments/);
  });

  describe("with a table that is parked", () => {
    const parked = {
      code: "value-unfit",
      what: "public.customers is parked: the value does not fit the field's type int",
      next: `fieldgate release ${ID}`,
      changes: 1200,
      since: "2026-11-20T08:00:00Z",
    };
    const where = { connector: "inventory", table: "public.customers", topic: TOPIC };
    beforeEach(() => {
      const table = { ...where, schemaId: 1, fields: ["id"], withheld: [], parked };
      const view = { name: "inventory", mode: "guard", status: "streaming", tables: [table] } as const;
      api.connectors = async () => [{ ...view, chunks: [], notCaptured: [], warnings: [] }];
    });

    it("names it with the reason, the number of changes, since when, and the next command", async () => {
      const { code, out } = await cli("amendments");
      expect(code).toBe(0);
      expect(out).toContain(
        `parked: ${parked.what}\n  1,200 changes have waited since 2026-11-20T08:00:00Z\n  next: fieldgate release ${ID}`,
      );
      expect((await cli("amendments --table public.orders")).out).not.toContain("parked");
      expect((await cli("amendments --parked")).out).toMatch(/^parked: public\.customers is parked/);
    });

    it("has it as JSON under --parked, and mentions it on stderr otherwise", async () => {
      const only = await cli("amendments --parked --format json");
      expect(JSON.parse(only.out)).toEqual([{ ...where, ...parked }]);
      expect(only.err).toBe("");
      const all = await cli("amendments --format json");
      expect(JSON.parse(all.out)).toEqual([amendment]);
      expect(all.err).toContain("parked: public.customers; fieldgate amendments --parked");
    });
  });

  describe("of a connector that does not read the log, or leaves something out,", () => {
    const trouble = {
      status: "stopped",
      takesCommands: false,
      what: "[slot-lost] the slot is gone",
      next: "start a new connector",
      since: "2026-11-20T08:00:00Z",
    } as const;
    const view = {
      name: "inventory",
      mode: "guard",
      status: "stopped",
      chunks: [],
      notCaptured: [],
      warnings: [],
    } as const;
    const customers = { table: "public.customers", topic: TOPIC, schemaId: 1, fields: ["id"], withheld: [] };
    const show = (more: Partial<ConnectorView>) => {
      api.connectors = async () => [{ ...view, tables: [customers], ...more }];
    };

    it("say so, also if there is none", async () => {
      show({ trouble });
      api.amendments = async () => [];
      const text = "stopped: connector inventory, since 2026-11-20T08:00:00Z: [slot-lost] the slot is gone";
      expect(await cli("amendments")).toMatchObject({
        code: 0,
        out: `no amendments\n\n${text}\n  next: start a new connector\n`,
      });
      expect((await cli("amendments --format json")).err).toContain(text);
    });

    it("name the columns that are in no event, the tables without a key and those that are not captured", async () => {
      const why = "Column total is generated: its value is not in the log; it is left out of the events.";
      const notCaptured = [{ table: "public.orders", why: "no right to read it (SELECT)", next: "GRANT SELECT" }];
      const table = { ...customers, leftOut: [{ column: "total", kind: "generated", why } as const], keyless: true };
      show({ tables: [table], notCaptured });
      const { out } = await cli("amendments");
      expect(out).toContain(`\nleft out of public.customers: ${why}\n`);
      expect(out).toContain("\nno key: public.customers has no snapshot, and its rows are never read again\n");
      expect(out).toContain("\nnot captured: public.orders: no right to read it (SELECT)\n  next: GRANT SELECT\n");
      api.amendments = async () => [];
      expect((await cli("amendments --table public.customers")).out).toMatch(/^no amendments\n\nleft out of/);
      expect((await cli("amendments --table public.customers")).out).not.toContain("public.orders");
    });
  });

  it("--withheld lists only what is withheld, and --table may be given several times", async () => {
    const orders = { ...amendment, id: "inventory.public.orders/2", topic: "inventory.public.orders" };
    const flows = {
      ...amendment,
      id: "inventory.public.customers/4",
      field: "zip",
      gate: { ...amendment.gate, kind: "released" as const },
    };
    api.amendments = async ({ table }) =>
      [amendment, flows, orders].filter(({ topic }) => table === undefined || topic.endsWith(table));
    const both = "--table public.customers --table public.orders --table inventory.public.orders";
    expect((await cli(`amendments ${both}`)).out).toMatch(/\n3 amendments: 2 withheld, 1 released\n$/);
    const withheld = await cli(`amendments --withheld ${both} --format json`);
    expect(JSON.parse(withheld.out)).toEqual([amendment, orders]);
    const asked = await cli(`can-i-release ${both}`);
    expect([asked.code, asked.out.split("\n").at(-2)]).toEqual([100, "0 of 2 may be released"]);
    api.amendments = async () => [flows];
    expect((await cli("amendments --withheld")).out).toBe("nothing is withheld\n");
    expect((await cli("amendments --withheld --parked")).code).toBe(1);
  });

  it("--parked says so if no table is parked", async () => {
    expect((await cli("amendments --parked")).out).toBe("no table is parked\n");
  });

  it("show lists consumers that are not ready and the next step", async () => {
    const { code, out } = await cli(`amendments show ${TOPIC}.nickname`);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "inventory.public.customers/3
        topic      inventory.public.customers
        what       column nickname text was added
        meanwhile  Events continue without the field.
        column     nickname text
        gate       withheld since 2026-11-20T08:00:00Z: billing is not ready
        not asked  groups that no contract names: audit-sink
        next       fieldgate release inventory.public.customers/3
      consumers
        billing (default): not-ready
          nickname: the consumer refuses fields it does not know [contract/unknown-field]
            name nickname under ignores or fields
      "
    `);
  });

  it("show takes --format json before and after the id, and --schema prints only the schema", async () => {
    expect(JSON.parse((await cli(`amendments show ${ID} --format json`)).out)).toEqual(amendment);
    expect(JSON.parse((await cli(`amendments --format json show ${ID}`)).out)).toEqual(amendment);
    expect((await cli(`amendments show ${ID} --schema`)).out.trim()).toBe(amendment.candidate?.schema);
  });

  it("show with an unknown id exits 1", async () => {
    const { code, err } = await cli("amendments show nothing/9");
    expect([code, err]).toEqual([1, expect.stringMatching(/\[not-found\] there is no amendment nothing\/9/)]);
  });
});

describe("release and withhold", () => {
  it("send the command with its actor, wait, and exit 0 when it is done", async () => {
    api.outcomes = [{ kind: "pending" }, { kind: "pending" }, { kind: "done", message: "nickname flows" }];
    const { code, out } = await cli(`release ${ID} other/4 --backfill none --reason because`);
    expect([code, out]).toEqual([0, "done: nickname flows\n"]);
    expect(api.commands).toEqual([
      {
        kind: "release",
        ids: [ID, "other/4"],
        backfill: "none",
        reason: "because",
        actor: expect.stringMatching(/.+@.+/),
      },
    ]);
  });

  it("exit 100 when refused, with the reason and the next step", async () => {
    api.outcomes = [{ kind: "refused", message: "billing is not ready", next: "ask billing" }];
    const { code, out } = await cli(`release ${ID} --force --reason because`);
    expect([code, out]).toEqual([100, "refused: billing is not ready\n  next: ask billing\n"]);
    expect(api.commands[0]).toMatchObject({ kind: "release", force: true });
  });

  it("exit 100 if there is no outcome in time", async () => {
    api.outcomes = [{ kind: "pending" }];
    const { code, out } = await cli(`release ${ID} --timeout 0.3`);
    expect([code, out]).toEqual([
      100,
      expect.stringMatching(/^no outcome within 0.3 s; command command-1 is still queued/),
    ]);
    expect(JSON.parse((await cli(`release ${ID} --timeout 0 --format json`)).out)).toEqual({
      id: "command-1",
      outcome: { kind: "pending" },
    });
  });

  it("exit 100 with what the release waits for, if it waits", async () => {
    const waits = [{ id: ID, why: "its schema has to be registered" }];
    api.outcomes = [{ kind: "pending", waits }];
    const { code, out } = await cli(`release ${ID} --timeout 0`);
    expect([code, out]).toEqual([
      100,
      `not done within 0 s; command command-1 is carried out as soon as nothing is in its way:\n  ${ID}: its schema has to be registered\n  next: fieldgate amendments show ${ID}\n`,
    ]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("end at %s with exit code %i, at once and without output", async (signal, exit) => {
    api.outcomes = [{ kind: "pending" }];
    const interruptWhen = () => vi.waitFor(() => expect(api.commands).toHaveLength(1), 10_000);
    const { code, err } = await cli(`release ${ID}`, { interruptWhen, signal });
    expect([code, err]).toEqual([exit, ""]);
  });
});

describe("check", () => {
  it.each<[string, number, string, TopicView, RegExp]>([
    ["a contract that holds", 0, REJECTS, topicView(false), /billing is ready for the current events\n$/],
    ["a withheld field", 0, REJECTS, topicView(), /withheld: nickname .*not ready[^]*warning: .*"nickname"/],
    [
      "a current field that the contract does not name",
      0,
      REJECTS,
      topicView(false, envelope(id, zip, nickname)),
      /warning: .*"nickname" flows/,
    ],
    [
      "a field that it reads and the events lack",
      100,
      REJECTS.replace("zip", "city"),
      topicView(),
      /not ready[^]*error: .*"city"/,
    ],
    [
      "a reader's schema that cannot read the events",
      100,
      "decodes-with: reader\nunknown-fields: accept\nschema: r.avsc",
      topicView(),
      /not ready[^]*error:/,
    ],
    [
      "a field that only earlier events lack",
      0,
      "decodes-with: writer\nunknown-fields: accept\nfields: [zip]",
      topicView(false, envelope(id), envelope(id, zip)),
      /ready for the current events(?![^]*warning)/,
    ],
  ])("of %s exits %i", async (_name, expected, rest, view, message) => {
    contractFile(rest);
    writeFileSync(join(folder, "r.avsc"), envelope(id, { name: "city", type: "string" }));
    api.topics.set(TOPIC, view);
    const { code, out, err } = await cli("check");
    expect([code, err]).toEqual([expected, ""]);
    expect(out).toMatch(message);
  });

  it("--fail-on withheld exits 100 for a withheld field", async () => {
    contractFile(REJECTS);
    api.topics.set(TOPIC, topicView());
    expect((await cli("check --fail-on withheld")).code).toBe(100);
    api.topics.set(TOPIC, topicView(false));
    expect((await cli("check --fail-on withheld")).code).toBe(0);
  });

  it("finds fieldgate.yaml in a parent folder, and takes --file", async () => {
    contractFile(REJECTS);
    api.topics.set(TOPIC, topicView());
    const deep = join(folder, "a", "b");
    mkdirSync(deep, { recursive: true });
    expect((await cli("check", { cwd: deep })).code).toBe(0);
    expect((await cli("check --file ../../fieldgate.yaml", { cwd: deep })).code).toBe(0);
  });

  it("prints JSON", async () => {
    contractFile(REJECTS);
    api.topics.set(TOPIC, topicView());
    const { out } = await cli("check --format json");
    expect(JSON.parse(out)).toMatchObject({
      source: "service",
      topics: [
        {
          topic: TOPIC,
          consumer: "billing",
          place: { file: "fieldgate.yaml", line: 4, column: 5 },
          verdict: "ready",
          withheld: [{ field: "nickname", verdict: "not-ready" }],
        },
      ],
    });
  });

  it.each([
    [
      "junit",
      /<testcase classname="inventory.public.customers" name="current events" file="sub\/fieldgate.yaml" line="4"/,
    ],
    ["sarif", /"uri": "sub\/fieldgate.yaml"/],
    ["github-actions", /^::error file=sub\/fieldgate.yaml,line=4,col=5,title=fieldgate contract\/field-missing::/],
    ["gitlab-code-quality", /"path": "sub\/fieldgate.yaml"/],
    ["markdown", /^### fieldgate check: not ready/],
  ])("--format %s names the file from the repository's root", async (format, expected) => {
    mkdirSync(join(folder, ".git"));
    const cwd = join(folder, "sub");
    mkdirSync(cwd);
    contractFile(REJECTS.replace("zip", "city"), cwd);
    api.topics.set(TOPIC, topicView());
    const { code, out, err } = await cli(`check --format ${format}`, { cwd });
    expect([code, err]).toEqual([100, ""]);
    expect(out).toMatch(expected);
  });

  it("reports ignored findings as notes, and expired entries of `ignore` as warnings", async () => {
    contractFile(REJECTS.replace("zip", "city"));
    api.topics.set(TOPIC, topicView(false));
    const text = readFileSync(join(folder, "fieldgate.yaml"), "utf8");
    const ignoring = (until: string, field = "city") =>
      writeFileSync(
        join(folder, "fieldgate.yaml"),
        `${text}ignore:\n  - { rule: contract/field-missing, field: ${field}, reason: goes soon, until: ${until} }\n` +
          "  - { rule: contract/unknown-field, reason: known, until: 9999-12-31 }\n",
      );
    ignoring("9999-12-31");
    const ignored = await cli("check");
    expect([ignored.code, ignored.err]).toEqual([0, ""]);
    expect(ignored.out).toMatch(/note: after.city: [^]*ignored until 9999-12-31: goes soon/);
    ignoring("2020-01-01");
    const late = await cli("check");
    expect(late.code).toBe(100);
    expect(late.out).toMatch(/error: after.city: [^]*warning: fieldgate.yaml:9: contract\/field-missing for city was/);
    ignoring("9999-12-31", "other");
    expect((await cli("check")).code).toBe(100);
    ignoring("someday");
    expect(await cli("check")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/:9:\d+ ignore\[0\]\.until must be a day/),
    });
  });

  it("--against schema files asks no server, and a field that the contract rejects is an error", async () => {
    contractFile(REJECTS);
    writeFileSync(join(folder, "old.avsc"), envelope(id, zip));
    writeFileSync(join(folder, "new.avsc"), envelope(id, zip, nickname));
    const offline = { env: { FIELDGATE_URL: "http://127.0.0.1:1" } };
    const held = await cli("check --against old.avsc", offline);
    expect([held.code, held.out]).toEqual([0, expect.stringMatching(/note: checked against files only/)]);
    const broken = await cli(`check --against old.avsc ${TOPIC}=new.avsc`, offline);
    expect([broken.code, broken.out]).toEqual([100, expect.stringMatching(/error: after.nickname: /)]);
    expect(await cli("check --against none.avsc")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/none.avsc cannot/),
    });
    writeFileSync(join(folder, "bad.avsc"), '{"type": "recrd"}');
    const bad = await cli("check --against bad.avsc");
    expect([bad.code, bad.err]).toEqual([1, expect.stringMatching(/^fieldgate: \[schema-invalid\] bad\.avsc: /)]);
    expect((await cli(`check --against ${TOPIC}=bad.avsc`)).err).toMatch(/^fieldgate: \[schema-invalid\] bad\.avsc: /);
  });

  it("of unknown topics exits 1 and names each with its place; a topic without events is unknown: 100", async () => {
    const text = (...names: readonly string[]) =>
      `version: 1\nconsumer: billing\ntopics:\n${names.map((name) => `  - topic: ${name}\n${REJECTS.replaceAll(/^/gm, "    ")}\n`).join("")}`;
    writeFileSync(join(folder, "fieldgate.yaml"), text("no.such", TOPIC, "nor.this"));
    writeFileSync(join(folder, "t.avsc"), envelope(id, zip));
    api.topics.set(TOPIC, topicView(false));
    for (const args of ["check", "check --format json", `check --against ${TOPIC}=t.avsc`]) {
      const { code, out, err } = await cli(args);
      expect([code, out]).toEqual([1, ""]);
      expect(err).toMatch(/^fieldgate: \[contract-invalid\] 2 mistakes\n {2}fieldgate\.yaml:4:5 no\.such is unknown: /);
      expect(err).toMatch(/\n {2}fieldgate\.yaml:12:5 nor\.this is unknown: .*\n {2}next: /);
      expect(err).not.toMatch(/^\s+at |customers is unknown/m);
    }
    writeFileSync(join(folder, "fieldgate.yaml"), text(TOPIC));
    api.topics.set(TOPIC, { topic: TOPIC, flowing: [], withheld: [] });
    const { code, out } = await cli("check");
    expect([code, out]).toEqual([100, expect.stringMatching(/unknown[^]*has no events yet[^]*\[topic\/not-seen\]/)]);
  });

  it("names topic and id of a schema that is not Avro, and exits 1", async () => {
    contractFile(REJECTS);
    api.topics.set(TOPIC, topicView(false, envelope(id, zip), 'syntax = "proto3";'));
    expect(await cli("check")).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^fieldgate: \[schema-invalid\] schema 2 of inventory\.public\.customers: .*\n {2}next: .*only Avro/,
      ),
    });
  });

  it("applies severity overrides of fieldgate.yaml and of the connector until they expire", async () => {
    const at = (unit: string) => ({ name: "at", type: { type: "long", "connect.name": `io.debezium.time.${unit}` } });
    contractFile("decodes-with: reader\nunknown-fields: accept\nschema: r.avsc");
    writeFileSync(join(folder, "r.avsc"), envelope(id, at("Timestamp")));
    const view = topicView(false, envelope(id, at("MicroTimestamp")));
    api.topics.set(TOPIC, view);
    expect((await cli("check")).code).toBe(100);
    const change = { rule: "meaning/time-unit", severity: "warning", reason: "reads both" } as const;
    api.topics.set(TOPIC, { ...view, severity: [{ ...change, until: "9999-12-31" }] });
    expect((await cli("check")).out).toMatch(
      /warning: .*\(a warning until 9999-12-31 by the connector's file: reads both\)/,
    );
    api.topics.set(TOPIC, view);
    const text = readFileSync(join(folder, "fieldgate.yaml"), "utf8");
    const weigh = (until: string) =>
      writeFileSync(
        join(folder, "fieldgate.yaml"),
        `${text}severity:\n  - { rule: meaning/time-unit, severity: warning, reason: reads both, until: ${until} }\n`,
      );
    weigh("9999-12-31");
    const lowered = await cli("check");
    expect([lowered.code, lowered.out]).toEqual([
      0,
      expect.stringMatching(/\(a warning until 9999-12-31: reads both\)/),
    ]);
    weigh("2020-01-01");
    const late = await cli("check");
    expect(late.code).toBe(100);
    expect(late.out).toMatch(
      /error: .*[^]*warning: fieldgate.yaml:9: meaning\/time-unit was a warning until 2020-01-01/,
    );
  });

  it("without a contract file, or with an invalid one, exits 1 and says what to write", async () => {
    expect(await cli("check")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no fieldgate\.yaml[^]*fieldgate contract init --client/),
    });
    contractFile("decodes-with: reader\nunknown-felds: reject");
    const { code, err } = await cli("check");
    expect(code).toBe(1);
    expect(err).toMatch(/3 mistakes[^]*fieldgate\.yaml:\d+:\d+/);
  });
});

/** An empty FIELDGATE_URL counts as not set. */
function checkByRegistry(registryUrl: string) {
  return runCli(["check"], { cwd: folder, env: { FIELDGATE_REGISTRY_URL: registryUrl, FIELDGATE_URL: "" } });
}

describe("check against the registry only", () => {
  const versions = [envelope(id, zip), envelope(id)];
  let registry: ReturnType<typeof createServer>;
  let url: string;

  beforeAll(async () => {
    registry = createServer((request, response) => {
      const credentials = Buffer.from("ci:s/cret").toString("base64");
      const [, number] =
        /^\/subjects\/inventory\.public\.customers-value\/versions(?:\/(\d+))?$/.exec(request.url ?? "") ?? [];
      const isAll = request.url?.endsWith("/versions");
      const schema = versions[Number(number) - 1];
      const [status, body] =
        request.headers.authorization !== `Basic ${credentials}`
          ? [401, {}]
          : isAll
            ? [200, [1, 2]]
            : schema === undefined
              ? [404, {}]
              : [200, { id: Number(number), version: Number(number), schema }];
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    url = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  });
  afterAll(() => void registry.close());

  it("checks every live version and says that it does not know which are in use", async () => {
    contractFile("decodes-with: reader\nunknown-fields: accept\nschema: r.avsc");
    writeFileSync(join(folder, "r.avsc"), envelope(id, { name: "zip", type: "string" }));
    const { code, out } = await checkByRegistry(`http://ci:s%2Fcret@${url}`);
    expect(code).toBe(100);
    expect(out).toMatch(/note: only the registry was asked.*does not know which versions are in use/);
  });

  it("with a wrong password exits 1 and shows no secret", async () => {
    contractFile(REJECTS);
    const { code, err } = await checkByRegistry(`http://ci:hunter2@${url}`);
    expect([code, err]).toEqual([1, expect.stringMatching(/\[registry-refused\].*401/)]);
    expect(err).not.toContain("hunter2");
    expect(await checkByRegistry("http://ci:hunter2@127.0.0.1:1")).toMatchObject({
      code: 1,
      err: expect.not.stringContaining("hunter2"),
    });
  });
});

describe("publish", () => {
  it("sends every contract of the file for the environment", async () => {
    contractFile(REJECTS);
    const { code, out } = await cli("publish --env production");
    expect([code, out]).toEqual([
      0,
      `published: billing reads ${TOPIC} in production\n  counts for connector inventory\n`,
    ]);
    expect(api.published).toEqual([
      {
        version: 1,
        environment: "production",
        consumer: "billing",
        topic: TOPIC,
        decodesWith: "writer",
        unknownFields: "reject",
        fields: ["id", "zip"],
      },
    ]);
    expect((await cli("publish")).out).toMatch(/in default\n/);
  });

  it("with an invalid contract exits 1 and publishes nothing", async () => {
    contractFile("decodes-with: writer");
    expect((await cli("publish --env production")).code).toBe(1);
    expect(api.published).toEqual([]);
  });

  it("that fails halfway says which contracts are published and which are missing", async () => {
    const three = ["first", "second", "third"].map(
      (topic) => `  - topic: ${topic}\n${REJECTS.replaceAll(/^/gm, "    ")}`,
    );
    writeFileSync(join(folder, "fieldgate.yaml"), `version: 1\nconsumer: billing\ntopics:\n${three.join("\n")}\n`);
    api.publishContract = async ({ topic }) => {
      if (topic === "second") throw new GuardError("kafka-down", "no broker answers");
      return { id: topic, ...api.answered };
    };
    const { code, out, err } = await cli("publish");
    expect([code, out]).toEqual([1, expect.stringMatching(/^published: billing reads first in default\n[^\n]*\n$/)]);
    expect(err).toMatch(
      /\[kafka-down\] .*\(published 1 of 3; missing: second, third\)\n {2}next: run the command again/,
    );
  });
});

describe("publish reports what a contract counts for", () => {
  const withheld = (verdict: "ready" | "not-ready", ...waitsFor: readonly string[]) => ({
    kind: "counts" as const,
    connectors: ["inventory"],
    errors: [],
    withheld: [{ id: ID, field: "nickname", verdict, waitsFor }],
  });
  it.each<[what: string, counts: Counts, code: number, lines: readonly string[]]>([
    [
      "a withheld field that it is ready for",
      withheld("ready"),
      0,
      ["counts for connector inventory", `withheld: nickname (${ID}): billing is ready`],
    ],
    [
      "a withheld field that waits for others too",
      withheld("not-ready", "search", "audit"),
      0,
      [
        "counts for connector inventory",
        `withheld: nickname (${ID}): billing is not-ready; it also waits for search, audit`,
      ],
    ],
    [
      "a connector that has stopped",
      {
        ...withheld("ready"),
        troubles: [
          {
            connector: "inventory",
            status: "stopped",
            takesCommands: false,
            what: "the slot is lost",
            next: "start it under a new name",
            since: "2026-11-30T12:00:00.000Z",
          },
        ],
      },
      0,
      [
        "counts for connector inventory",
        `withheld: nickname (${ID}): billing is ready`,
        "stopped: connector inventory, since 2026-11-30T12:00:00.000Z: the slot is lost",
        "next: start it under a new name",
      ],
    ],
    [
      "a field that the current events lack",
      {
        kind: "counts",
        connectors: ["inventory"],
        errors: [
          {
            rule: "contract/field-missing",
            severity: "error",
            certainty: "always",
            field: "after.zpi",
            message: 'the consumer reads "zpi", which is missing from the events',
            remedy: 'write "zip"',
          },
        ],
        withheld: [],
      },
      100,
      [
        "counts for connector inventory",
        'error: after.zpi: the consumer reads "zpi", which is missing from the events [contract/field-missing]',
        '  write "zip"',
      ],
    ],
    [
      "nothing, because no connector publishes the topic",
      { kind: "nowhere", environments: [], nearest: null },
      100,
      [
        `counts for nothing: no connector publishes topic ${TOPIC}`,
        "next: correct the topic in the contract file; if its table is captured later, the contract will count then",
      ],
    ],
    [
      "nothing, because the topic is misspelt",
      { kind: "nowhere", environments: [], nearest: { topic: "inventory.public.customer", environment: "eu" } },
      100,
      [
        `counts for nothing: no connector publishes topic ${TOPIC}; did you mean inventory.public.customer in eu?`,
        "next: correct the topic in the contract file; if its table is captured later, the contract will count then",
      ],
    ],
    [
      "nothing, because the topic is published in other environments",
      { kind: "nowhere", environments: ["default", "test"], nearest: null },
      100,
      [
        `counts for nothing: ${TOPIC} is published in default, test, and not in production`,
        "next: publish with --env default, or set fieldgate.environment to production in the connector's file",
      ],
    ],
    [
      "that it is not known, while a connector has not read its state",
      { kind: "unknown", connectors: ["inventory"] },
      100,
      [
        "not known yet what it counts for: connector inventory has not read its state",
        "next: run the command again in a moment; publishing the same contract again changes nothing",
      ],
    ],
  ])("%s", async (_, counts, code, lines) => {
    contractFile(REJECTS);
    api.answered = { counts, otherTopics: [] };
    const text = await cli("publish --env production");
    expect([text.code, text.out]).toEqual([
      code,
      [`published: billing reads ${TOPIC} in production`, ...lines].join("\n  ").concat("\n"),
    ]);
    const json = await cli("publish --env production --format json");
    expect([json.code, JSON.parse(json.out)]).toEqual([code, expect.objectContaining({ counts })]);
  });

  it("a contract that is no longer in the file and still counts, with the command that withdraws it", async () => {
    contractFile(REJECTS);
    api.answered = { ...api.answered, otherTopics: [TOPIC, "inventory.public.orders"] };
    const { code, out } = await cli("publish --env production");
    expect(code).toBe(0);
    expect(out.split("\n").slice(2)).toEqual([
      "not in the file: billing's contract on inventory.public.orders in production, which still counts",
      "  next: if billing no longer reads it: fieldgate retire --env production --topic inventory.public.orders",
      "",
    ]);
    await cli("retire --env production --topic inventory.public.orders");
    expect(api.retired).toEqual([{ environment: "production", consumer: "billing", topic: "inventory.public.orders" }]);
  });
});

describe("publish --tested", () => {
  const adds = { candidate: { schema: envelope(id, zip, nickname) } };

  it("records the type with which each new field was tested", async () => {
    contractFile(REJECTS);
    api.changes = [adds];
    api.topics.set(TOPIC, topicView());
    const { code, out } = await cli(`publish --env production --tested ${ID}`);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`published: billing reads ${TOPIC} in production; tested with nickname\n`),
    ]);
    expect(api.published).toMatchObject([
      {
        environment: "production",
        tested: [{ amendment: ID, field: "nickname", type: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      },
    ]);
    const json = await cli(`publish --rolling-out --format json --tested ${TOPIC}.nickname`);
    expect(JSON.parse(json.out)).toMatchObject({ rollingOut: true, tested: [{ amendment: ID, field: "nickname" }] });
    expect(api.rollingOut).toHaveLength(1);
    await cli("publish");
    expect(api.published[1]).not.toHaveProperty("tested");
  });

  const released = { ...amendment.gate, kind: "released" as const };
  it.each<[string, FakeApi["changes"][number], string, RegExp]>([
    ["is unknown", {}, "nothing/9", /\[not-found\] there is no amendment nothing\/9/],
    ["is released", { ...adds, gate: released }, ID, /\[refused\] .*nickname is already in the events/],
    ["has no schema yet", { candidate: null }, ID, /it has no schema yet: billing is not ready/],
    ["is a new key", { ...adds, kind: "key" }, ID, /it adds no field/],
    ["only removes a field", { candidate: { schema: envelope(id) } }, ID, /it only removes a field/],
    ["belongs to another topic", { ...adds, topic: "orders" }, ID, /orders is not a topic of the contract file/],
  ])("of an amendment that %s exits 1 and publishes nothing", async (_, change, name, message) => {
    contractFile(REJECTS);
    api.changes = [change];
    api.topics.set(TOPIC, topicView());
    const { code, out, err } = await cli(`publish --tested ${name}`);
    expect([code, out, api.published]).toEqual([1, "", []]);
    expect(err).toMatch(message);
    expect(err).toMatch(/\n {2}next: /);
  });
});

describe("publish --rolling-out and retire", () => {
  it("publish --rolling-out keeps the deployed version's contract", async () => {
    contractFile(REJECTS);
    const { code, out } = await cli("publish --env production --rolling-out");
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`published: billing reads ${TOPIC} in production, in addition to the deployed version\n`),
    ]);
    expect(api.published).toEqual([]);
    expect(api.rollingOut).toMatchObject([{ environment: "production", consumer: "billing", topic: TOPIC }]);
  });

  it("retire withdraws every contract of the file, and says which amendments no longer wait for it", async () => {
    contractFile(REJECTS);
    const { code, out } = await cli("retire --env production");
    expect([code, out]).toEqual([0, `retired: billing on ${TOPIC} in production\n  no longer waits for it: ${ID}\n`]);
    const unknown = await cli("retire --consumer nobody");
    expect([unknown.code, unknown.out]).toEqual([0, `no contract to retire: nobody on ${TOPIC} in default\n`]);
    expect(api.retired).toEqual([
      { environment: "production", consumer: "billing", topic: TOPIC },
      { environment: "default", consumer: "nobody", topic: TOPIC },
    ]);
  });
});

describe("coverage", () => {
  it.each([
    [true, 0, ""],
    [false, 100, " --policy strict"],
  ])("that is complete: %s, exits %i", async (complete, expected, more) => {
    api.coverages = { complete, topics: [] };
    const json = await cli(`coverage --format json${more}`);
    expect(json).toMatchObject({ code: expected, err: "" });
    expect(JSON.parse(json.out)).toEqual({ complete, topics: [] });
    expect(api.policies).toEqual([more === "" ? undefined : "strict"]);
    expect((await cli("coverage")).out).toMatch(complete ? /^complete: / : /^not complete\n/);
    expect((await cli("coverage --format markdown")).out).toMatch(/^### fieldgate coverage: /);
  });

  it("--topic shows only these topics, and whether they are complete", async () => {
    const topic = (name: string, unnamed: readonly string[]) => ({
      connector: "inventory",
      topic: name,
      environment: "default",
      mode: "guard" as const,
      policy: "strict" as const,
      lastPoll: { at: null, secondsAgo: 20, problem: null },
      groups: [],
      contracts: [],
      unnamed: [...unnamed],
    });
    api.coverages = { complete: false, topics: [topic("a", []), topic("b", ["sink"]), topic("c", [])] };
    expect(await cli("coverage")).toMatchObject({
      code: 100,
      out: expect.stringMatching(/\n2 of 3 topics are complete\n$/),
    });
    const two = await cli("coverage --topic a --topic c --format json");
    expect([two.code, JSON.parse(two.out)]).toMatchObject([
      0,
      { complete: true, topics: [{ topic: "a" }, { topic: "c" }] },
    ]);
    expect(await cli("coverage --topic a --topic d")).toMatchObject({
      code: 1,
      err: expect.stringContaining("topic d"),
    });
  });

  it("with an unknown policy exits 1", async () => {
    expect(await cli("coverage --policy any")).toMatchObject({ code: 1 });
  });
});

describe("can-i-release", () => {
  const ready = { verdicts: [] };
  const [verdict] = amendment.verdicts;
  const unsure = { verdicts: verdict === undefined ? [] : [{ ...verdict, verdict: "unknown" as const }] };
  const released = { gate: { ...amendment.gate, kind: "released" as const, why: "all contracts are ready" } };

  const watched = { mode: "watch" } as const;
  const stopped = {
    status: "stopped",
    takesCommands: false,
    what: "the slot is gone",
    next: null,
    since: "2026-11-20T08:00:00Z",
  } as const;
  const unnamed = (is: AmendmentView["gate"]["unnamed"]) => ({ ...amendment.gate, why: "waits", unnamed: is });

  it.each<[string, number, FakeApi["changes"][number], RegExp]>([
    [
      "that a consumer is not ready",
      100,
      {},
      /^no: nickname .*: not ready: billing\n {2}billing \(default\): not-ready\n.*refuses/,
    ],
    ["that a verdict is unknown", 100, unsure, /^unknown: nickname .*: unknown: billing\n/],
    ["that all are ready", 0, ready, /^yes: nickname .*no contract names the topic; withheld: /],
    ["that it is released", 0, released, /^yes: nickname .*: already in the events: all contracts are ready\n/],
    [
      "that the strict policy waits for unnamed groups",
      100,
      { ...ready, gate: unnamed({ kind: "known", groups: ["sink"] }) },
      /^no: nickname .*: waits\n$/,
    ],
    [
      "that the groups are unknown",
      100,
      { ...ready, gate: unnamed({ kind: "unknown", why: "down" }) },
      /^unknown: nickname .*: waits\n$/,
    ],
    ["that there is no candidate", 100, { ...ready, candidate: null }, /^unknown: nickname .*: not judged: /],
    [
      "that the registry rejects it",
      100,
      { ...ready, refused: "the level FORBIDS it" },
      /^no: .*: the level FORBIDS it/,
    ],
    [
      "that no contract minds a new key",
      0,
      { ...ready, kind: "key" },
      /^yes: .*: no contract names the topic; withheld: /,
    ],
    ["that a consumer is not ready for a new key", 100, { kind: "key" }, /^no: .*: not ready: billing\n/],
    [
      "that a consumer is not ready for what Debezium publishes",
      100,
      watched,
      /^no: .*: not ready: billing; Debezium publishes it/,
    ],
    [
      "that all are ready for what Debezium publishes",
      0,
      { ...ready, ...watched },
      /^yes: nickname \S+: billing is not ready$/m,
    ],
    [
      "that it stops Debezium",
      100,
      { ...ready, ...watched, refused: "no" },
      /^no: nickname \S+: billing is not ready$/m,
    ],
    [
      "that it is published already",
      0,
      { ...watched, ...released },
      /^yes: .*already in the events: .*; not ready at that point: billing\n/,
    ],
    [
      "that nobody knows while the connector has stopped",
      100,
      { ...ready, trouble: stopped },
      /^unknown: nickname .*; connector inventory has stopped: the slot is gone\n/,
    ],
    [
      "that a consumer is not ready, although the connector has stopped",
      100,
      { trouble: stopped },
      /^no: nickname .*: not ready: billing; connector inventory has stopped: the slot is gone\n/,
    ],
    [
      "that all are ready, if the connector has stopped and waits for the release",
      0,
      { ...ready, trouble: { ...stopped, takesCommands: true } },
      /^yes: nickname .*; connector inventory has stopped: the slot is gone\n/,
    ],
    ["that contracts cannot judge a replaced table", 100, { ...ready, kind: "table" }, /^unknown: .*: not judged: /],
  ])("says %s: exit %i", async (_what, expected, change, text) => {
    api.changes = [change];
    const { code, out, err } = await cli(`can-i-release ${ID}`);
    expect([code, err]).toEqual([expected, ""]);
    expect(out).toMatch(text);
  });

  it("--wait waits for a service that is still starting; without it, that is an error", async () => {
    let asked = 0;
    api.amendment = async () => {
      if ((asked += 1) <= 2) throw new GuardError("starting", "connector inventory has not read its state yet");
      return { ...amendment, verdicts: [] };
    };
    expect(await cli(`can-i-release ${ID}`)).toMatchObject({ code: 1, err: expect.stringContaining("[starting]") });
    expect(await cli(`can-i-release ${ID} --wait 60`)).toMatchObject({
      code: 0,
      err: "waiting, up to 60 s more: connector inventory has not read its state yet\n",
    });
    expect(asked).toBe(3);
  });

  it("--wait waits until all are ready, at most for the given time", async () => {
    api.changes = [{}, {}, ready];
    expect((await cli(`can-i-release ${TOPIC}.nickname --wait 60`)).code).toBe(0);
    api.changes = [watched, { ...watched, candidate: null }, { ...watched, ...ready }];
    expect((await cli(`can-i-release ${ID} --wait 60`)).code).toBe(0);
    api.changes = [{}];
    expect((await cli(`can-i-release ${ID} --wait 0.3`)).code).toBe(100);
  });

  it("--wait says on stderr what it waits for, once and when that changes", async () => {
    api.changes = [{}, {}, unsure, ready];
    const { code, out, err } = await cli(`can-i-release ${ID} --wait 60 --format json`);
    expect([code, JSON.parse(out).canRelease]).toEqual([0, true]);
    expect(err).toMatch(
      /^waiting, up to 60 s more: nickname: not ready: billing\nwaiting, up to \d\d s more: nickname: unknown: billing\n$/,
    );
  });

  it("for a table does not know the answer while its connector does not read the log", async () => {
    const table = { table: "public.orders", topic: "inventory.public.orders", schemaId: 1, fields: [], withheld: [] };
    const view = {
      name: "inventory",
      mode: "guard",
      status: "retrying",
      chunks: [],
      notCaptured: [],
      warnings: [],
    } as const;
    const trouble = { ...stopped, status: "retrying", what: "no server answers", next: "start it" } as const;
    api.connectors = async () => [{ ...view, tables: [table], trouble }];
    const text = await cli("can-i-release --table public.orders");
    expect(text.code).toBe(100);
    expect(text.out).toBe(
      "unknown: connector inventory is retrying, so later columns are not known: no server answers\n  next: start it\n",
    );
    const json = await cli("can-i-release --table public.orders --format json");
    expect(JSON.parse(json.out)).toMatchObject({ canRelease: false, troubled: [{ connector: "inventory" }] });
    const markdown = await cli("can-i-release --table public.orders --format markdown");
    expect(markdown.out).toMatch(/: no\n\nConnector `inventory` is retrying: no server answers\n/);
    expect((await cli("can-i-release --table public.items")).code).toBe(0);
  });

  it("takes --table, json and markdown", async () => {
    const json = await cli("can-i-release --table public.customers --format json");
    expect(json.code).toBe(100);
    expect(JSON.parse(json.out)).toMatchObject({
      canRelease: false,
      amendments: [{ id: ID, answer: "no", notReady: [{ consumer: "billing" }], notAsked: ["audit-sink"] }],
    });
    expect((await cli("can-i-release --table public.orders")).out).toBe("yes: nothing is withheld\n");
    expect((await cli(`can-i-release ${ID} --format markdown`)).out).toMatchInlineSnapshot(`
      "### fieldgate can-i-release: no

      | field | amendment | answer | why |
      |---|---|---|---|
      | \`nickname\` | \`inventory.public.customers/3\` | no | not ready: billing |

      | field | consumer | verdict | finding | what to do |
      |---|---|---|---|---|
      | \`nickname\` | \`billing\` (default) | not-ready | the consumer refuses fields it does not know | name nickname under ignores or fields |

      Groups that no contract names (not waited for): \`audit-sink\`
      "
    `);
  });
});

describe("rules", () => {
  it("lists every rule with its severity, problem and page", async () => {
    const { code, out } = await cli("rules");
    expect([code, out.split("\n")[0]]).toEqual([0, expect.stringMatching(/^RULE +SEVERITY +PAGE +PROBLEM$/)]);
    const { out: json } = await cli("rules --format json");
    expect(JSON.parse(json)).toContainEqual({
      id: "meaning/decimal-scale",
      severity: "error",
      problem: expect.stringContaining("powers of ten"),
      page: "docs/rules/meaning/decimal-scale.md",
    });
  });
});

describe("explain", () => {
  it.each<[string, string, number, string]>([
    ["int", "int", 0, "compatible\n"],
    ["long", "int", 0, "compatible\n"],
    [
      "int",
      "string",
      100,
      "not compatible\n  /  TYPE_MISMATCH  reader type: INT not compatible with writer type: STRING\n",
    ],
  ])("reader %s of writer %s exits %i", async (reader, writer, expected, text) => {
    writeFileSync(join(folder, "r.avsc"), `"${reader}" // the reader`);
    writeFileSync(join(folder, "w.avsc"), `{"type": "${writer}"}`);
    const { code, out } = await cli("explain --reader r.avsc --writer w.avsc");
    expect([code, out]).toEqual([expected, text]);
    const json = await cli("explain --reader r.avsc --writer w.avsc --format json");
    expect(JSON.parse(json.out)).toMatchObject({ compatible: expected === 0 });
  });

  it("of an invalid schema exits 1", async () => {
    writeFileSync(join(folder, "r.avsc"), '{"type": "recrd"}');
    const { code, err } = await cli("explain --reader r.avsc --writer r.avsc");
    expect([code, err]).toEqual([1, expect.stringMatching(/^fieldgate: \[schema-invalid\] reader/)]);
  });

  it("--stdin prints one answer per line", async () => {
    const input = [
      '{"reader":"int","writer":"string"}',
      '{"reader":"int","writer":"int"}',
      "{",
      '{"reader":"x","writer":"int"}',
    ];
    const { code, out } = await cli("explain --stdin", { input: `${input.join("\n")}\n` });
    expect(code).toBe(0);
    const answers = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers[0]).toEqual({
      compatible: false,
      incompatibility: [
        { type: "TYPE_MISMATCH", location: "/", message: "reader type: INT not compatible with writer type: STRING" },
      ],
    });
    expect(answers.slice(1)).toEqual([
      expect.objectContaining({ compatible: true }),
      { error: expect.any(String) },
      { error: expect.stringMatching(/reader/) },
    ]);
  });
});

describe("a command that ends normally on Ctrl-C", () => {
  it("still exits 130", async () => {
    const input = '{"reader":"int","writer":"int"}\n';
    const { code, err } = await cli("explain --stdin", {
      input,
      interruptWhen: (printed) => vi.waitFor(() => expect(printed()).toContain("compatible"), 10_000),
    });
    expect([code, err]).toEqual([130, ""]);
  });
});

/** Modules that `run` and `trigger` import only when they are called. */
const HEAVY = /\/service\/service\.ts$|\/config\/connectors\.ts$|\/postgres\//;

describe("all other commands", () => {
  it("load no Kafka, PostgreSQL or HTTP server library", () => {
    expect(packagesLoadedBy("cli.ts", HEAVY)).toEqual(["commander", "jsonc-parser", "libpg-query", "yaml", "zod"]);
  });
});
