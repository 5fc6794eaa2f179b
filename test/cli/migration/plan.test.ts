import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { PlannedAmendment } from "../../../src/api/plan.ts";
import { type HttpServer, startHttp } from "../../../src/http/start-http.ts";
import { amendment, type FakeApi, fakeApi } from "../../http/fake-api.ts";
import { runHere } from "../in-process.ts";
import type { CliOptions } from "../run-cli.ts";

const TOKEN = "a-token-of-some-length";
let api: FakeApi;
let http: HttpServer;
let folder: string;

beforeAll(async () => {
  api = fakeApi();
  http = await startHttp(api, { host: "127.0.0.1", port: 0, token: TOKEN, log: pino({ level: "silent" }) });
  folder = mkdtempSync(join(tmpdir(), "fieldgate-plan-"));
  writeFileSync(join(folder, "zip.sql"), "begin;\nalter table customers add zip text;\ncommit;\n");
});
beforeEach(() => {
  api.planned.length = 0;
  api.plans = { amendments: [waiting], notes: [] };
});
afterAll(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

function plan(args: string, options: CliOptions = {}) {
  const env = { FIELDGATE_URL: http.url, FIELDGATE_TOKEN: TOKEN };
  return runHere(["plan", ...args.split(" ")], { cwd: folder, env, ...options });
}

const waiting: PlannedAmendment = {
  connector: "inventory",
  mode: "guard",
  topic: "inventory.public.customers",
  table: "public.customers",
  field: "zip",
  lines: [2],
  what: "column zip text was added",
  meanwhile: "Events continue without the field.",
  flows: false,
  stops: false,
  why: "not ready: billing",
  verdicts: amendment.verdicts,
  schema: "{}",
};

test("the migration's statements are sent to the service, and a consumer that is not ready makes it exit 100", async () => {
  const { code, out, err } = await plan("zip.sql");
  expect(err).toBe("");
  expect(code).toBe(100);
  expect(api.planned).toMatchObject([
    [{ kind: "add", line: 2, table: { name: "customers" }, column: { name: "zip" } }],
  ]);
  expect(out).toMatchInlineSnapshot(`
    "inventory.public.customers: column zip text was added (line 2)
      waits: not ready: billing. Events continue without the field.
      billing (default): not ready
        nickname: the consumer refuses fields it does not know [contract/unknown-field]; name nickname under ignores or fields
    order
      1. billing: deploy a version that is ready, then fieldgate publish
      2. run the migration: rows continue to flow, without the withheld fields
      3. fieldgate amendments: release what is still withheld
    "
  `);
});

test("markdown for a pull request escapes names", async () => {
  api.plans = {
    amendments: [{ ...waiting, what: "column a|b <b>_x_ was added" }],
    notes: [{ line: 3, table: null, message: "not analysed: a DO block", kind: "unknown" }],
  };
  const { code, out } = await plan("- --format markdown", { input: "select 1" });
  expect(code).toBe(100);
  expect(out).toMatchInlineSnapshot(`
    "### Fieldgate: what this migration does to events

    | topic | change | consumers | outcome |
    |---|---|---|---|
    | inventory.public.customers | column a\\|b \\<b\\>\\_x\\_ was added (line 2) | billing: not ready | waits: not ready: billing |

    **Why**

    - zip: billing: nickname: the consumer refuses fields it does not know \\[contract/unknown-field\\]; name nickname under ignores or fields

    **Notes**

    - unknown: line 3: not analysed: a DO block

    **Order**

    1. line 3: review it by hand
    2. billing: deploy a version that is ready, then fieldgate publish
    3. run the migration: rows continue to flow, without the withheld fields
    4. fieldgate amendments: release what is still withheld
    "
  `);
});

test("exits 0 if every consumer is ready or the table is not captured", async () => {
  api.plans = { amendments: [{ ...waiting, flows: true, why: "no contract on the topic", verdicts: [] }], notes: [] };
  expect((await plan("zip.sql")).code).toBe(0);
  api.plans = { amendments: [], notes: [{ line: 1, table: "x", message: "a new table", kind: "fine" }] };
  const { code, out } = await plan("- --format json", { input: "" });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toStrictEqual(api.plans);
});

test("exits 100 for a statement that could not be analysed", async () => {
  api.plans = {
    amendments: [],
    notes: [{ line: 1, table: null, message: "not analysed: a DO block", kind: "unknown" }],
  };
  expect((await plan("zip.sql")).code).toBe(100);
});

test.each([
  [
    "-",
    "begin;\nalter tabel customers add zip text;",
    /^fieldgate: \[usage\] -:2:7: syntax error at or near "tabel"\n/,
  ],
  ["-", "alter table ${table} add x int", /^fieldgate: \[usage\] -:1:13: syntax error[^]*next: give SQL as it is sent/],
  [
    "missing.sql",
    "",
    /^fieldgate: \[usage\] missing\.sql cannot be read: the file does not exist\n {2}next: give SQL files, or - /,
  ],
])("%s with %j gives one message with its place, and exit 1", async (file, input, message) => {
  const { code, out, err } = await plan(file, { input });
  expect(code).toBe(1);
  expect(out).toBe("");
  expect(err).toMatch(message);
  expect(err).not.toContain("    at ");
  expect(api.planned).toStrictEqual([]);
});

test("the service rejects unknown steps", async () => {
  const answer = await fetch(`${http.url}/v1/plan`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ steps: [{ kind: "explode", line: 1 }] }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: "usage" });
});

test.each<[Pick<PlannedAmendment, "mode" | "stops">, string]>([
  [{ mode: "watch", stops: true }, "1. do not run this migration as it is: Debezium's task would stop"],
  [{ mode: "watch", stops: false }, "1. run the migration: Debezium publishes the change"],
  [{ mode: "guard", stops: true }, "1. run the migration, with an operator at hand"],
])("the migration's step depends on what stops: %j", async (what, order) => {
  api.plans = { amendments: [{ ...waiting, ...what, verdicts: [], schema: null }], notes: [] };
  expect((await plan("zip.sql")).out).toContain(order);
});

test("if a table is dropped, the order does not promise that its rows continue after a release", async () => {
  const message =
    "the table is dropped: its topic inventory.public.customers gets no more events, and billing reads it";
  api.plans = { amendments: [], notes: [{ line: 1, table: "customers", message, kind: "unknown", stops: true }] };
  const { out, code } = await plan("zip.sql");
  expect(code).toBe(100);
  expect(out).toContain(`stops: line 1, customers: ${message}\n`);
  expect(out).toContain("1. run the migration, with an operator at hand: a table's events stop\n");
});

test("what no release can let flow has its own step, and only the rest is released", async () => {
  const instead = "type tid is in no event: give the column a type that is mapped";
  const unmapped = { ...waiting, field: "at", instead, verdicts: [] };
  const step = `inventory.public.customers.at cannot be released: ${instead}`;
  api.plans = { amendments: [unmapped], notes: [] };
  expect(await orderOf()).toStrictEqual([
    step,
    "run the migration: rows continue to flow, without the withheld fields",
  ]);
  api.plans = { amendments: [unmapped, { ...waiting, verdicts: [] }], notes: [] };
  expect((await orderOf()).at(-1)).toBe("fieldgate amendments: release what is still withheld");
});

test("a key that no release can let flow promises no end of the stop, and asks no consumer", async () => {
  const instead = "the registry rejects the new key: keep the old one";
  api.plans = { amendments: [{ ...waiting, field: "key", stops: true, instead }], notes: [] };
  expect(await orderOf()).toStrictEqual([
    `inventory.public.customers.key cannot be released: ${instead}`,
    "do not run this migration as it is: the table's rows would stop, and no release could let them flow",
  ]);
});

/** The steps of the plan's last part, without their numbers. */
async function orderOf(): Promise<readonly string[]> {
  const { out } = await plan("zip.sql");
  return [...out.matchAll(/^ {2}\d+\. (.*)$/gm)].flatMap(([, step]) => step ?? []);
}
