import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";

import { parseContractFile } from "../../src/contract/file.ts";
import { OID } from "../../src/event/types/table.ts";
import { envelopeSchema } from "../../src/event/envelope/schema.ts";
import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import { field } from "../event/row.ts";
import { amendment, type FakeApi, fakeApi } from "../http/fake-api.ts";
import { runSteps } from "./run-steps.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/ci.md"), "utf8");
const [github, gitlab, ignoring, weighing, trying] = [...PAGE.matchAll(/^```yaml\n(.*?)^```$/gms)].map(
  (block) => block[1] ?? "",
);

const workflow = z.object({
  jobs: z.record(z.string(), z.object({ steps: z.array(z.object({ run: z.string().optional() })) })),
});
const pipeline = z.record(z.string(), z.object({ script: z.array(z.string()) }));

const githubSteps = (job: string, page = github) =>
  workflow.parse(parse(page ?? "")).jobs[job]?.steps.flatMap(({ run }) => (run === undefined ? [] : [run])) ?? [];
const gitlabSteps = (job: string) => pipeline.parse(parse(gitlab ?? ""))[job]?.script ?? [];

/** Runs a job's steps against a topic whose events have only this field. */
async function runJob(steps: readonly string[], flows: "id" | "other") {
  const folder = mkdtempSync(join(tmpdir(), "fieldgate-ci-"));
  try {
    writeFileSync(
      join(folder, "fieldgate.yaml"),
      "version: 1\nconsumer: c\ntopics:\n  - { topic: t, decodes-with: writer, unknown-fields: accept, fields: [id] }\n",
    );
    const row = { type: "record", name: "Value", fields: [{ name: flows, type: "int" }] };
    const fields = [
      { name: "before", type: ["null", row], default: null },
      { name: "after", type: ["null", "Value"], default: null },
    ];
    writeFileSync(join(folder, "t.avsc"), JSON.stringify({ type: "record", name: "Envelope", namespace: "t", fields }));
    const summary = join(folder, "summary.md");
    writeFileSync(summary, "");
    // A file stands in for the registry; a step's output and exit code are the same.
    const against = `case "$*" in check*) set -- "$@" --against ${folder}/t.avsc ;; esac`;
    const env = { GITHUB_STEP_SUMMARY: summary, FIELDGATE_URL: "http://127.0.0.1:1" };
    const run = await runSteps(folder, steps, env, against);
    const file = (name: string) => readFileSync(join(folder, name), "utf8");
    const reports = steps.some((step) => step.includes("gitlab"))
      ? { quality: file("gl-code-quality-report.json"), junit: file("fieldgate-junit.xml") }
      : undefined;
    return { ...run, summary: file("summary.md"), reports };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("docs/ci.md", () => {
  it("has a check job for GitHub that passes, and that fails with a table and annotations", async () => {
    const passed = await runJob(githubSteps("check"), "id");
    expect([passed.code, passed.err]).toEqual([0, ""]);
    expect(passed.summary).toMatch(/^### fieldgate check: ready/);
    const failed = await runJob(githubSteps("check"), "other");
    expect([failed.code, failed.out]).toEqual([100, expect.stringMatching(/^::error file=fieldgate.yaml,line=4,/)]);
    expect(failed.summary).toMatch(/^### fieldgate check: not ready/);
  });

  it("has a check job for GitLab that passes, and that fails after writing both reports", async () => {
    expect((await runJob(gitlabSteps("contracts"), "id")).code).toBe(0);
    const { code, reports } = await runJob(gitlabSteps("contracts"), "other");
    expect(code).toBe(100);
    expect(JSON.parse(reports?.quality ?? "")).toMatchObject([{ check_name: "contract/field-missing" }]);
    expect(reports?.junit).toMatch(/failures="1"/);
  });

  it("has publish jobs that exit with 1 if there is no service", async () => {
    const [publish] = [githubSteps("publish"), gitlabSteps("publish")];
    expect(publish).toEqual(gitlabSteps("publish"));
    expect(await runJob(publish, "id")).toMatchObject({ code: 1, err: expect.stringMatching(/\[unreachable\]/) });
  });

  it("shows fieldgate.yaml files that are valid", () => {
    expect(parseContractFile(ignoring ?? "", () => "")).toHaveLength(1);
    expect(parseContractFile(weighing ?? "", () => "")).toMatchObject([{ severity: [{ field: "born_at" }] }]);
  });
});

describe("docs/ci.md's workflow that tests a new field", () => {
  const TOKEN = "a-token-of-some-length";
  const TOPIC = amendment.topic;
  const FIELD = `${TOPIC}.nickname`;
  const id = field({ name: "id", oid: OID.int8, notNull: true }, 0);
  const nickname = field({ name: "nickname", oid: OID.text }, 1);

  let api: FakeApi;
  let http: HttpServer;
  let folder: string;
  beforeEach(async () => {
    api = fakeApi();
    const schema = JSON.stringify(envelopeSchema(TOPIC, [id]));
    api.topics.set(TOPIC, { topic: TOPIC, flowing: [{ schemaId: 1, schema }], withheld: [] });
    api.changes = [{ candidate: { schema: JSON.stringify(envelopeSchema(TOPIC, [id, nickname])) } }];
    http = await startHttp(api, { host: "127.0.0.1", port: 0, token: TOKEN, log: pino({ level: "silent" }) });
    folder = mkdtempSync(join(tmpdir(), "fieldgate-try-"));
  });
  afterEach(async () => {
    await http.close();
    rmSync(folder, { recursive: true });
  });

  /** A team's repository whose test passes each event to its handler. */
  async function runTry(handler: string) {
    const topic = `{ topic: ${TOPIC}, decodes-with: writer, unknown-fields: reject, fields: [id] }`;
    const files = {
      "fieldgate.yaml": `version: 1\nconsumer: billing\ntopics:\n  - ${topic}\n`,
      "package.json": JSON.stringify({ type: "module", scripts: { test: "node test.js" } }),
      "test.js": [
        'import { readFileSync } from "node:fs";',
        `const events = JSON.parse(readFileSync("test/events/${FIELD}.json", "utf8"));`,
        "let taken = 0;",
        `for (const { after } of events) ${handler}`,
        "console.log(`took ${taken} of ${events.length}`);",
      ].join("\n"),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return runSteps(folder, githubSteps("try", trying), { FIELD, FIELDGATE_URL: http.url, FIELDGATE_TOKEN: TOKEN });
  }

  it("passes events with the field to the handler, and publishes that the field was tested", async () => {
    const { code, out } = await runTry("taken += after === null || typeof after.id === 'number' ? 1 : 0;");
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/took (\d+) of \1\n[^]*tested with nickname\n  counts for connector inventory\n$/),
    ]);
    expect(api.published).toMatchObject([
      { consumer: "billing", environment: "production", tested: [{ amendment: amendment.id, field: "nickname" }] },
    ]);
  });

  it("publishes nothing if the handler does not accept the events", async () => {
    const { code, err } = await runTry("if (after?.nickname !== undefined) throw new Error('no column nickname');");
    expect([code, err]).toEqual([1, expect.stringContaining("no column nickname")]);
    expect(existsSync(join(folder, `test/events/${FIELD}.json`))).toBe(true);
    expect(api.published).toEqual([]);
  });
});
