import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";

import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import { amendment, type FakeApi, fakeApi } from "../http/fake-api.ts";
import { runSteps } from "./run-steps.ts";

const TOKEN = "a-token-of-some-length";
const PAGE = readFileSync(join(import.meta.dirname, "../../docs/plan.md"), "utf8");
const [yaml] = [...PAGE.matchAll(/^```yaml\n(.*?)^```$/gms)].map((block) => block[1] ?? "");
const { jobs } = z
  .object({ jobs: z.record(z.string(), z.object({ steps: z.array(z.object({ run: z.string().optional() })) })) })
  .parse(parse(yaml ?? ""));
const stepsOf = (job: string) => jobs[job]?.steps.flatMap(({ run }) => run ?? []) ?? [];

let api: FakeApi;
let http: HttpServer;
let folder: string;
beforeEach(async () => {
  api = fakeApi();
  http = await startHttp(api, { host: "127.0.0.1", port: 0, token: TOKEN, log: pino({ level: "silent" }) });
  folder = mkdtempSync(join(tmpdir(), "fieldgate-migrations-"));
});
afterEach(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

function git(...args: readonly string[]): void {
  const who = ["-c", "user.name=anna", "-c", "user.email=anna@example.com"];
  execFileSync("git", [...who, ...args], { cwd: folder, stdio: "ignore" });
}

function migration(name: string, sql: string): void {
  writeFileSync(join(folder, "migrations", name), sql);
  git("add", "migrations");
  git("commit", "--message", name);
}

/** A branch with two more migrations than main; one has a space in its name. */
function pullRequest(): void {
  mkdirSync(join(folder, "migrations"));
  git("init", "--quiet");
  migration("0001.sql", "create table customers (id int primary key);\n");
  git("update-ref", "refs/remotes/origin/main", "HEAD");
  migration("0003 more.sql", "alter table customers add column zip text;\n");
  migration("0002.sql", "alter table customers add column nickname text;\n");
}

async function runJob(job: string) {
  const summary = join(folder, "summary.md");
  writeFileSync(summary, "");
  const env = {
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_BASE_REF: "main",
    FIELDGATE_URL: http.url,
    FIELDGATE_TOKEN: TOKEN,
  };
  const { code, err } = await runSteps(folder, stepsOf(job), env);
  return { code, err, summary: readFileSync(summary, "utf8") };
}

describe("docs/plan.md's workflow", () => {
  it("plans what the pull request adds, in order, and writes a table", async () => {
    pullRequest();
    expect(await runJob("plan")).toMatchObject({ code: 0, err: "", summary: expect.stringMatching(/^### Fieldgate/) });
    expect(api.planned).toMatchObject([
      [
        { kind: "add", column: { name: "nickname" } },
        { kind: "add", column: { name: "zip" } },
      ],
    ]);
  });

  it("fails the pull request, with the table, while a contract is not ready", async () => {
    const { connector, mode, topic, field, what, meanwhile, verdicts } = amendment;
    const planned = { connector, mode, topic, table: "public.customers", field, lines: [1], what, meanwhile, verdicts };
    api.plans = {
      amendments: [{ ...planned, flows: false, stops: false, why: "billing is not ready", schema: null }],
      notes: [],
    };
    pullRequest();
    expect(await runJob("plan")).toMatchObject({ code: 100, summary: expect.stringContaining("billing: not ready") });
  });

  it("waits after the migration until every contract is ready", async () => {
    const ready = amendment.verdicts.map((one) => ({ ...one, verdict: "ready" as const, findings: [] }));
    let asked = 0;
    api.amendments = async () => [{ ...amendment, verdicts: ++asked < 3 ? amendment.verdicts : ready }];
    expect(await runJob("release")).toMatchObject({
      code: 0,
      err: "waiting, up to 600 s more: nickname: not ready: billing\n",
      summary: expect.stringMatching(/nickname/),
    });
    expect(asked).toBe(3);
  });
});
