import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

import { parseContractFile } from "../../src/contract/file.ts";
import { createWaits } from "../../src/guard/waits.ts";
import { starting } from "../service/starting.ts";
import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import type { Registry } from "../../src/registry/client.ts";
import { createApi } from "../../src/service/api.ts";
import { runHere } from "../cli/in-process.ts";
import { column, fits, ID, idOf, NAME, play, publishing, RULES, seen, stateOf, TOPIC } from "../gate/customers.ts";

/*
 * A block of type `console` in a page begins with a command. The test runs the command against the HTTP API of a service
 * whose table customers has a new column, nickname, and the README's contract, and compares what it prints with the page.
 */

const ROOT = join(import.meta.dirname, "../..");
const PAGES = ["README.md", "docs/ci.md", "docs/consumers.md", "docs/plan.md"];
const [contractFile = ""] = /(?<=^```yaml\n)[^]*?(?=^```$)/m.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];

let http: HttpServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fieldgate-shown-"));
  writeFileSync(join(folder, "fieldgate.yaml"), contractFile);
  writeFileSync(join(folder, "0042_phone.sql"), "ALTER TABLE customers ADD COLUMN phone text;\n");
  const [written] = parseContractFile(contractFile, () => "");
  if (written === undefined) throw new Error("the README has no contract");
  const contract = { ...written, environment: "production" };
  const rules = { ...RULES, "fieldgate.environment": "production" };
  const [zip, nickname] = [column(3, "zip", "text"), column(4, "nickname", "text")];
  const before = stateOf(publishing([ID, NAME, zip]), contract);
  const { state } = play(rules, before, seen([ID, NAME, zip, nickname]), (now) => fits(now, idOf(nickname), rules));
  const registry = { check: async () => ({ kind: "compatible" }), level: async () => "BACKWARD" };
  const billing = { group: "billing", members: 3, offsets: new Map(), readers: new Map() };
  const api = createApi({
    deployment: "main",
    version: "0",
    connectors: [{ ...starting(createWaits(() => 0)), state }],
    planners: new Map([["inventory", { rules, registry: registry as unknown as Registry }]]), // a plan asks no more
    controlTopics: {
      topics: { contracts: "contracts", commands: "commands" },
      of: () => expect.fail("not asked for"),
      contracts: () => state.contracts,
      waitingCommands: () => 0,
      readContractsToEnd: async () => {},
      followCommands: async () => {},
      [Symbol.asyncDispose]: async () => {},
    },
    appender: { append: async () => ({ offset: 0n }), [Symbol.asyncDispose]: async () => {} },
    lastPoll: () => ({ kind: "seen", at: Date.now() - 20_000, byTopic: new Map([[TOPIC, [billing]]]) }),
  });
  http = await startHttp(api, { host: "127.0.0.1", port: 0, log: pino({ level: "silent" }) });
});
afterAll(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

test("a table or an amendment that the service does not know is an error with the nearest name", async () => {
  const env = { FIELDGATE_URL: http.url };
  const table = await runHere(["can-i-release", "--table", "public.custmers"], { env });
  expect(table).toEqual({ code: 1, out: "", err: expect.stringContaining("next: did you mean public.customers?") });
  const amendment = await runHere(["can-i-release", `${TOPIC}.nicknam`], { env });
  expect(amendment).toEqual({
    code: 1,
    out: "",
    err: expect.stringContaining(`next: did you mean ${TOPIC}.nickname?`),
  });
});

test.each(PAGES)("%s shows what the command line prints (vitest -u writes it)", async (page) => {
  const file = join(ROOT, page);
  let text = readFileSync(file, "utf8");
  const blocks = [...text.matchAll(/^```console\n\$ npx fieldgate (.+)\n[^]*?^```$/gm)];
  expect(blocks.length).toBeGreaterThan(0);
  for (const [block, command = ""] of blocks) {
    const { out, err } = await runHere(command.split(" "), { cwd: folder, env: { FIELDGATE_URL: http.url } });
    expect(err).toBe("");
    text = text.replace(block, () => `\`\`\`console\n$ npx fieldgate ${command}\n${out}\`\`\``);
  }
  await expect(text).toMatchFileSnapshot(file);
});
