import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { PlannedAmendment } from "../../../src/api/plan.ts";
import { type HttpServer, startHttp } from "../../../src/http/start-http.ts";
import { amendment, type FakeApi, fakeApi } from "../../http/fake-api.ts";
import { type CliOptions, runCli } from "../run-cli.ts";

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
  return runCli(["plan", ...args.split(" ")], { cwd: folder, env, ...options });
}

const waiting: PlannedAmendment = {
  connector: "inventory",
  mode: "guard",
  topic: "inventory.public.customers",
  table: "public.customers",
  field: "zip",
  lines: [2],
  what: "column zip text was added",
  meanwhile: "Rows flow on without the field.",
  flows: false,
  why: "not ready: billing",
  verdicts: amendment.verdicts,
  schema: "{}",
};

test("a migration's steps are asked about, and someone who is not ready ends with 100", async () => {
  const { code, out, err } = await plan("zip.sql");
  expect(err).toBe("");
  expect(code).toBe(100);
  expect(api.planned).toMatchObject([
    [{ kind: "add", line: 2, table: { name: "customers" }, column: { name: "zip" } }],
  ]);
  expect(out).toMatchInlineSnapshot(`
    "inventory.public.customers: column zip text was added (line 2)
      waits: not ready: billing. Rows flow on without the field.
      billing (default): not ready
        nickname: the consumer refuses fields it does not know [contract/unknown-field]; name nickname under ignores or fields
    order
      1. billing: deploy a version that is ready, then fieldgate publish
      2. the migration: rows flow on, whatever waits stays out of the events
      3. fieldgate amendments: release what still waits
    "
  `);
});

test("markdown for a pull request, where a name is never markup", async () => {
  api.plans = {
    amendments: [{ ...waiting, what: "column a|b <b>_x_ was added" }],
    notes: [{ line: 3, table: null, message: "not read: a DO block", kind: "unknown" }],
  };
  const { code, out } = await plan("- --format markdown", { input: "select 1" });
  expect(code).toBe(100);
  expect(out).toMatchInlineSnapshot(`
    "### Fieldgate: what this migration does to events

    | topic | change | consumers | the field |
    |---|---|---|---|
    | inventory.public.customers | column a\\|b &lt;b>\\_x\\_ was added (line 2) | billing: not ready | waits: not ready: billing |

    **Why**

    - zip: billing: nickname: the consumer refuses fields it does not know \\[contract/unknown-field\\]; name nickname under ignores or fields

    **Not told**

    - unknown: line 3: not read: a DO block

    **Order**

    1. look at line 3: nobody can tell what it does
    2. billing: deploy a version that is ready, then fieldgate publish
    3. the migration: rows flow on, whatever waits stays out of the events
    4. fieldgate amendments: release what still waits
    "
  `);
});

test("everyone ready, or a table nobody captures, ends with 0", async () => {
  api.plans = { amendments: [{ ...waiting, flows: true, why: "no contract on the topic", verdicts: [] }], notes: [] };
  expect((await plan("zip.sql")).code).toBe(0);
  api.plans = { amendments: [], notes: [{ line: 1, table: "x", message: "a new table", kind: "fine" }] };
  const { code, out } = await plan("- --format json", { input: "" });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toStrictEqual(api.plans);
});

test("what nobody can tell ends with 100", async () => {
  api.plans = { amendments: [], notes: [{ line: 1, table: null, message: "not read: a DO block", kind: "unknown" }] };
  expect((await plan("zip.sql")).code).toBe(100);
});

test.each([
  [
    "-",
    "begin;\nalter tabel customers add zip text;",
    /^fieldgate: \[usage\] -:2:7: syntax error at or near "tabel"\n/,
  ],
  ["-", "\\set x 1", /^fieldgate: \[usage\] -:1:1: syntax error/],
  [
    "missing.sql",
    "",
    /^fieldgate: \[usage\] missing\.sql cannot be read: there is no such file\n {2}next: name a file of SQL, or - /,
  ],
])("%s with %j is one message with its place, and exit 1", async (file, input, message) => {
  const { code, out, err } = await plan(file, { input });
  expect(code).toBe(1);
  expect(out).toBe("");
  expect(err).toMatch(message);
  expect(err).not.toContain("    at ");
  expect(api.planned).toStrictEqual([]);
});

test("the service takes no other steps than its own", async () => {
  const answer = await fetch(`${http.url}/v1/plan`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ steps: [{ kind: "explode", line: 1 }] }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: "usage" });
});

test.each([
  ["Debezium's task stops at the first row: the registry refuses the schema: no", "1. the migration, not as it is"],
  ["the registry has not answered: down", "1. the migration: Debezium publishes it"],
])("where Debezium publishes and %s, the order is: %s", async (why, order) => {
  api.plans = { amendments: [{ ...waiting, mode: "watch", why, verdicts: [], schema: null }], notes: [] };
  expect((await plan("zip.sql")).out).toContain(order);
});
