import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";

import { parseContractFile } from "../../src/contract/file.ts";
import { runSteps } from "./run-steps.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/ci.md"), "utf8");
const [github, gitlab, ignoring, weighing] = [...PAGE.matchAll(/^```yaml\n(.*?)^```$/gms)].map(
  (block) => block[1] ?? "",
);

const workflow = z.object({
  jobs: z.record(z.string(), z.object({ steps: z.array(z.object({ run: z.string().optional() })) })),
});
const pipeline = z.record(z.string(), z.object({ script: z.array(z.string()) }));

const githubSteps = (job: string) =>
  workflow.parse(parse(github ?? "")).jobs[job]?.steps.flatMap(({ run }) => (run === undefined ? [] : [run])) ?? [];
const gitlabSteps = (job: string) => pipeline.parse(parse(gitlab ?? ""))[job]?.script ?? [];

/** Runs a job's steps where a topic flows that has this field alone. */
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
    // The registry's part is played by a file: what a step prints and exits with is the same.
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
  it("GitHub's check job passes, and fails with a table and annotations", async () => {
    const passed = await runJob(githubSteps("check"), "id");
    expect([passed.code, passed.err]).toEqual([0, ""]);
    expect(passed.summary).toMatch(/^### fieldgate check: ready/);
    const failed = await runJob(githubSteps("check"), "other");
    expect([failed.code, failed.out]).toEqual([100, expect.stringMatching(/^::error file=fieldgate.yaml,line=4,/)]);
    expect(failed.summary).toMatch(/^### fieldgate check: not ready/);
  });

  it("GitLab's check job passes, and fails with both reports written", async () => {
    expect((await runJob(gitlabSteps("contracts"), "id")).code).toBe(0);
    const { code, reports } = await runJob(gitlabSteps("contracts"), "other");
    expect(code).toBe(100);
    expect(JSON.parse(reports?.quality ?? "")).toMatchObject([{ check_name: "contract/field-missing" }]);
    expect(reports?.junit).toMatch(/failures="1"/);
  });

  it("the publish jobs fail with 1 when no service is there", async () => {
    const [publish] = [githubSteps("publish"), gitlabSteps("publish")];
    expect(publish).toEqual(gitlabSteps("publish"));
    expect(await runJob(publish, "id")).toMatchObject({ code: 1, err: expect.stringMatching(/\[unreachable\]/) });
  });

  it("shows a fieldgate.yaml that is right", () => {
    expect(parseContractFile(ignoring ?? "", () => "")).toHaveLength(1);
    expect(parseContractFile(weighing ?? "", () => "")).toMatchObject([{ severity: [{ field: "born_at" }] }]);
  });
});
