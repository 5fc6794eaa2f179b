import { stripVTControlCharacters } from "node:util";

import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { AmendmentView } from "../../src/api/amendment.ts";
import type { ConnectorView } from "../../src/api/api.ts";
import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import { amendment, type FakeApi, fakeApi } from "../http/fake-api.ts";
import { runCli } from "./run-cli.ts";

/** What the commands print to a terminal of 80 columns. */

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const WHY = "not ready: billing, and the group search-indexer-2026 is named by no contract of this environment";
const withheld: AmendmentView = { ...amendment, gate: { ...amendment.gate, since: ago(3), why: WHY } };
const released: AmendmentView = {
  ...amendment,
  id: "inventory.public.customers/4",
  field: "zip",
  verdicts: [],
  gate: { ...amendment.gate, kind: "released", since: ago(50), why: "every contract is ready" },
};
const [verdict] = amendment.verdicts;
if (verdict === undefined) throw new Error("the amendment has no verdict");

let api: FakeApi;
let http: HttpServer;
beforeAll(async () => {
  api = fakeApi();
  api.amendments = async () => [withheld, released];
  api.amendment = async () => ({ ...withheld, verdicts: [verdict, { ...verdict, consumer: "search" }] });
  api.connectors = async () => [CONNECTOR];
  http = await startHttp(api, { host: "127.0.0.1", port: 0, log: pino({ level: "silent" }) });
});
afterAll(() => http.close());

const CONNECTOR: ConnectorView = {
  name: "inventory",
  mode: "guard",
  status: "stopped",
  trouble: { status: "stopped", takesCommands: false, what: "the slot is gone", next: null, since: ago(0.1) },
  tables: [],
  chunks: [],
  notCaptured: [],
  warnings: [],
};

const GREEN = "\u001b[32m";
const RED = "\u001b[31m";
/** The text without colours. */
const plain = stripVTControlCharacters;
const cli = (args: string, env: Readonly<Record<string, string>> = {}, terminal: number | "pipe" = 80) =>
  runCli(args.split(" "), {
    env: { FIELDGATE_URL: http.url, ...env },
    terminal: terminal === "pipe" ? undefined : terminal,
  });

describe("on a terminal of 80 columns", () => {
  it("amendments have ages and colours, each in a block of lines that fit, and the total at the end", async () => {
    const { code, out } = await cli("amendments");
    expect(code).toBe(0);
    expect(out).toContain(`${GREEN}released`);
    expect(plain(out)).toMatchInlineSnapshot(`
      "inventory.public.customers/3
        field      nickname
        kind       added
        gate       withheld for 3 h
        not ready  billing
        why        not ready: billing, and the group search-indexer-2026 is named by
                   no contract of this environment
      inventory.public.customers/4
        field      zip
        kind       added
        gate       released for 2 days
        why        every contract is ready
      2 amendments: 1 withheld, 1 released

      stopped: connector inventory, for 6 min: the slot is gone
      "
    `);
  });

  it("one amendment is broken between words, and its consumers' shared remedy is printed once", async () => {
    const { out } = await cli("amendments show inventory.public.customers/3");
    expect(out).toContain(`${RED}not-ready`);
    expect(plain(out)).toMatchInlineSnapshot(`
      "inventory.public.customers/3
        topic      inventory.public.customers
        what       column nickname text was added
        meanwhile  Events continue without the field.
        column     nickname text
        gate       withheld for 3 h: not ready: billing, and the group
                   search-indexer-2026 is named by no contract of this environment
        not asked  groups that no contract names: audit-sink
        next       fieldgate release inventory.public.customers/3
      consumers
        billing (default): not-ready
          nickname: the consumer refuses fields it does not know
            [contract/unknown-field]
        search (default): not-ready
          nickname: the consumer refuses fields it does not know
            [contract/unknown-field]
      what to do
        [contract/unknown-field] (2 times): name nickname under ignores or fields
      0 of 2 ready
      "
    `);
  });

  it.each(["contract init --help", "publish --help"])("%s fits", async (args) => {
    const lines = (await cli(args)).out.split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.length).toBeGreaterThan(10);
  });

  it("NO_COLOR turns colours off, and nothing else", async () => {
    const { out } = await cli("amendments", { NO_COLOR: "1" });
    expect(out).toBe(plain((await cli("amendments")).out));
  });

  it("JSON is not changed at all", async () => {
    const { out } = await cli("amendments --format json");
    expect(out).toBe(`${JSON.stringify([withheld, released], null, 2)}\n`);
  });
});

describe("in a pipe", () => {
  it("FORCE_COLOR adds colours, and nothing else", async () => {
    const { out } = await cli("amendments", { FORCE_COLOR: "1" }, "pipe");
    expect(out).toContain(`${GREEN}released`);
    expect(plain(out).split("\n")[1]).toMatch(/^inventory\.public\.customers\/3 .* 20\d\d-.*Z .*of this environment$/);
  });

  it("an empty FORCE_COLOR or NO_COLOR counts as not set", async () => {
    expect((await cli("amendments", { FORCE_COLOR: "" }, "pipe")).out).not.toContain("\u001b");
    expect((await cli("amendments", { NO_COLOR: "" })).out).toContain(GREEN);
  });
});
