import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { TopicView } from "../../src/api/api.ts";
import { reportSchema } from "../../src/cli/check/format/report.ts";
import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import { type FakeApi, fakeApi } from "../http/fake-api.ts";
import { runHere } from "./in-process.ts";

/** A repository with several services, each of which has a contract file. */

const CUSTOMERS = "inventory.public.customers";
const ORDERS = "inventory.public.orders";

let api: FakeApi;
let http: HttpServer;
let folder: string;
beforeEach(async () => {
  api = fakeApi();
  for (const topic of [CUSTOMERS, ORDERS]) api.topics.set(topic, view(topic));
  http = await startHttp(api, { host: "127.0.0.1", port: 0, log: pino({ level: "silent" }) });
  folder = mkdtempSync(join(tmpdir(), "fieldgate-several-"));
  write("services/billing", contract("billing", CUSTOMERS, "id"));
  write("services/search", contract("search", CUSTOMERS, "city") + topicLine(ORDERS, "id"));
});
afterEach(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

function view(name: string): TopicView {
  const row = { type: "record", name: "Value", fields: [{ name: "id", type: "int" }] };
  const fields = [
    { name: "before", type: ["null", row], default: null },
    { name: "after", type: ["null", "Value"], default: null },
    { name: "op", type: "string" },
  ];
  const schema = JSON.stringify({ type: "record", name: "Envelope", namespace: name, fields });
  return { topic: name, flowing: [{ schemaId: 1, schema }], withheld: [] };
}

function topicLine(name: string, field: string): string {
  return `  - { topic: ${name}, decodes-with: writer, unknown-fields: accept, fields: [${field}] }\n`;
}

function contract(consumer: string, name: string, field: string): string {
  return `version: 1\nconsumer: ${consumer}\ntopics:\n${topicLine(name, field)}`;
}

function write(where: string, text: string): void {
  const path = join(folder, where, "fieldgate.yaml");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const PATTERN = "services/*/fieldgate.yaml";
const cli = (...args: readonly string[]) => runHere(args, { cwd: folder, env: { FIELDGATE_URL: http.url } });

describe("check", () => {
  it("of all files that match a pattern shows each result under its file's name, and exits with the worst code", async () => {
    const { code, out, err } = await cli("check", "--file", PATTERN);
    expect([code, err]).toEqual([100, ""]);
    expect(out).toMatchInlineSnapshot(`
      "services/billing/fieldgate.yaml
        inventory.public.customers: billing is ready for the current events
      services/search/fieldgate.yaml
        inventory.public.customers: search is not ready for the current events
          error: after.city: the consumer reads "city", which is missing from the events [contract/field-missing]
            remove "city" from \`fields\` once the consumer no longer needs it
        inventory.public.orders: search is ready for the current events
      2 of 3 ready for the current events
      "
    `);
  });

  it("takes --file several times, and counts a file once", async () => {
    const two = ["--file", "services/search/fieldgate.yaml", "--file", "services/billing/fieldgate.yaml"];
    const { out } = await cli("check", ...two, "--file", PATTERN);
    expect(out.split("\n").filter((line) => line.endsWith(".yaml"))).toEqual([
      "services/search/fieldgate.yaml",
      "services/billing/fieldgate.yaml",
    ]);
    expect((await cli("check", "--file", "services/billing/fieldgate.yaml")).code).toBe(0);
  });

  it("prints JSON of the documented form, in which each topic names its file", async () => {
    const { out } = await cli("check", "--file", PATTERN, "--format", "json");
    const report = reportSchema.parse(JSON.parse(out));
    expect(report.topics.map(({ place: { file }, verdict }) => [file, verdict])).toEqual([
      ["services/billing/fieldgate.yaml", "ready"],
      ["services/search/fieldgate.yaml", "not-ready"],
      ["services/search/fieldgate.yaml", "ready"],
    ]);
  });

  it("a pattern that no file matches is an error that names it, although another one matches", async () => {
    const { code, out, err } = await cli("check", "--file", PATTERN, "--file", "apps/*/fieldgate.yaml");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^fieldgate: \[usage\] no file matches apps\/\*\/fieldgate\.yaml\n {2}next: /);
  });

  it("leaves node_modules out of a pattern", async () => {
    write("node_modules/other", contract("other", CUSTOMERS, "gone"));
    const { out } = await cli("check", "--file", "**/fieldgate.yaml");
    expect(out).not.toContain("node_modules");
    expect(out).toContain("services/billing/fieldgate.yaml");
  });

  it("reports the mistakes of every file at once", async () => {
    write("services/billing", "version: 1\nconsumer: billing\n");
    write("services/search", "version: 1\nconsumer: search\ntopic: []\n");
    const { code, out, err } = await cli("check", "--file", PATTERN);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/services\/billing\/fieldgate\.yaml:[^]*services\/search\/fieldgate\.yaml:/);
  });

  it("applies a file's `ignore` to that file only", async () => {
    const ignore = "ignore:\n  - { rule: contract/field-missing, reason: known, until: 9999-12-31 }\n";
    write("services/billing", contract("billing", CUSTOMERS, "city") + ignore);
    const { out } = await cli("check", "--file", PATTERN, "--format", "json");
    const { topics } = reportSchema.parse(JSON.parse(out));
    expect(topics.slice(0, 2).map(({ verdict }) => verdict)).toEqual(["ready", "not-ready"]);
  });

  it("refuses two contracts of one consumer on one topic, because publishing one would replace the other", async () => {
    write("services/search", contract("billing", CUSTOMERS, "id"));
    const { code, err } = await cli("check", "--file", PATTERN);
    expect(code).toBe(1);
    expect(err).toMatch(
      /services\/search\/fieldgate\.yaml:4:\d+ inventory\.public\.customers .*billing.*services\/billing\/fieldgate\.yaml:4/,
    );
  });
});

describe("publish", () => {
  it("sends the contracts of all files, each under its file's name", async () => {
    const { code, out } = await cli("publish", "--env", "production", "--file", PATTERN);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "services/billing/fieldgate.yaml
        published: billing reads inventory.public.customers in production
          counts for connector inventory
      services/search/fieldgate.yaml
        published: search reads inventory.public.customers in production
          counts for connector inventory
        published: search reads inventory.public.orders in production
          counts for connector inventory
      3 of 3 count and fit the current events
      "
    `);
    expect(api.published.map(({ consumer, topic: name, environment }) => [consumer, name, environment])).toEqual([
      ["billing", CUSTOMERS, "production"],
      ["search", CUSTOMERS, "production"],
      ["search", ORDERS, "production"],
    ]);
  });

  it("sends nothing if --env makes two contracts the same", async () => {
    write("services/billing", `environment: eu\n${contract("search", CUSTOMERS, "id")}`);
    const { code, err } = await cli("publish", "--env", "production", "--file", PATTERN);
    expect([code, api.published]).toEqual([1, []]);
    expect(err).toContain("services/billing/fieldgate.yaml");
  });

  it("refuses --tested, which is about one consumer", async () => {
    const { code, err } = await cli("publish", "--file", PATTERN, "--tested", "inventory.public.customers/3");
    expect([code, api.published]).toEqual([1, []]);
    expect(err).toMatch(/--tested is about one consumer/);
  });
});

describe("retire", () => {
  it("withdraws the contracts of all files", async () => {
    const { code, out } = await cli("retire", "--env", "production", "--file", PATTERN);
    expect(code).toBe(0);
    expect(out).toMatch(/^services\/billing\/fieldgate\.yaml: retired: billing on /);
    expect(out).toMatch(/\n3 of 3 retired\n$/);
    expect(api.retired).toHaveLength(3);
  });

  it("refuses --consumer, which names one consumer", async () => {
    expect((await cli("retire", "--consumer", "old", "--file", PATTERN)).code).toBe(1);
    expect(api.retired).toEqual([]);
  });
});

it("plan reads the files that match a pattern, in the order of their names", async () => {
  for (const name of ["2.sql", "1.sql"]) writeFileSync(join(folder, name), `ALTER TABLE t${name[0]} ADD c text;`);
  await cli("plan", "*.sql");
  expect(JSON.stringify(api.planned)).toMatch(/t1[^]*t2/);
  expect((await cli("plan", "gone/*.sql")).err).toContain("no file matches gone/*.sql");
});
