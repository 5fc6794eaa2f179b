import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Counts, TopicView } from "../../src/api/api.ts";
import { envelopeSchema } from "../../src/event/envelope/schema.ts";
import { OID } from "../../src/event/types/table.ts";
import { type HttpServer, startHttp } from "../../src/http/start-http.ts";
import { commandsByName, runHere } from "../cli/in-process.ts";
import { field } from "../event/row.ts";
import { amendment, type FakeApi, fakeApi } from "../http/fake-api.ts";

/*
 * Each command's exit codes are those of the table in docs/errors.md. A command that is not in the table, or a code of it
 * without a run here, is a failure.
 */

const ROOT = join(import.meta.dirname, "../..");
const { id: ID, topic: TOPIC } = amendment;
const COLUMNS = [
  field({ name: "id", oid: OID.int8, notNull: true }, 0),
  field({ name: "nickname", oid: OID.text }, 1),
] as const;
const FLOWING = JSON.stringify(envelopeSchema(TOPIC, COLUMNS.slice(0, 1)));
const CANDIDATE = JSON.stringify(envelopeSchema(TOPIC, COLUMNS));
const FILES: Readonly<Record<string, string>> = {
  "fieldgate.yaml": `version: 1\nconsumer: billing\ntopics:\n  - { topic: ${TOPIC}, decodes-with: writer, unknown-fields: reject, fields: [id] }\n`,
  "now.avsc": FLOWING,
  "later.avsc": CANDIDATE,
  "int.avsc": '"int"',
  "text.avsc": '"string"',
  "1.sql": "ALTER TABLE customers ADD COLUMN nickname text;",
};

interface Run {
  readonly command: string;
  readonly code: 0 | 1 | 100;
  readonly args: string;
  readonly given?: (api: FakeApi) => void;
  readonly input?: string;
}

const flows = (api: FakeApi): void => {
  const view: TopicView = { topic: TOPIC, flowing: [{ schemaId: 1, schema: FLOWING }], withheld: [] };
  const withheld = [{ amendmentId: ID, field: "nickname", candidate: CANDIDATE }];
  api.topics.set(TOPIC, { ...view, withheld });
};
const counts = (answer: Counts) => (api: FakeApi) => void (api.answered = { counts: answer, otherTopics: [] });
const unknownStep = { line: 1, table: null, message: "EXECUTE", kind: "unknown" } as const;
const error = {
  rule: "contract/field-missing",
  severity: "error",
  certainty: "always",
  message: "is missing",
} as const;

const RUNS: readonly Run[] = [
  { command: "check", code: 0, args: "", given: flows },
  { command: "check", code: 0, args: "--against now.avsc" },
  { command: "check", code: 100, args: "--against later.avsc" },
  { command: "check", code: 100, args: "--fail-on withheld", given: flows },
  {
    command: "check",
    code: 100,
    args: "",
    given: (api) => void api.topics.set(TOPIC, { topic: TOPIC, flowing: [], withheld: [] }),
  },
  { command: "check", code: 1, args: "" },
  { command: "publish", code: 0, args: "" },
  { command: "publish", code: 100, args: "", given: counts({ kind: "nowhere", environments: [], nearest: null }) },
  { command: "publish", code: 100, args: "", given: counts({ kind: "unknown", connectors: ["inventory"] }) },
  {
    command: "publish",
    code: 100,
    args: "",
    given: counts({ kind: "counts", connectors: ["inventory"], errors: [error], withheld: [] }),
  },
  { command: "publish", code: 1, args: "--tested nothing/9" },
  { command: "retire", code: 0, args: "" },
  { command: "retire", code: 0, args: "--consumer nobody" },
  { command: "retire", code: 1, args: "--file missing.yaml" },
  { command: "can-i-release", code: 0, args: "--table public.orders" },
  {
    command: "can-i-release",
    code: 0,
    args: ID,
    given: (api) => void (api.changes = [{ verdicts: [], candidate: { schema: CANDIDATE } }]),
  },
  { command: "can-i-release", code: 100, args: ID },
  { command: "can-i-release", code: 100, args: `${ID} --wait 0.01` },
  {
    command: "can-i-release",
    code: 100,
    args: ID,
    given: (api) => void (api.changes = [{ verdicts: [], candidate: null }]),
  },
  { command: "can-i-release", code: 1, args: "nothing/9" },
  { command: "plan", code: 0, args: "1.sql" },
  {
    command: "plan",
    code: 100,
    args: "1.sql",
    given: (api) => void (api.plans = { amendments: [], notes: [unknownStep] }),
  },
  { command: "plan", code: 1, args: "missing.sql" },
  { command: "amendments", code: 0, args: "" },
  { command: "amendments", code: 0, args: "--parked" },
  { command: "amendments", code: 1, args: "--format xml" },
  { command: "amendments show", code: 0, args: ID },
  { command: "amendments show", code: 0, args: `${ID} --schema` },
  {
    command: "amendments show",
    code: 100,
    args: `${ID} --schema`,
    given: (api) => void (api.changes = [{ candidate: null }]),
  },
  { command: "amendments show", code: 1, args: "nothing/9" },
  ...["release", "withhold", "fill"].flatMap((command): readonly Run[] => {
    const args = `${ID}${command === "fill" ? " 0" : ""} --timeout 0`;
    return [
      { command, code: 0, args },
      { command, code: 100, args, given: (api) => void (api.outcomes = [{ kind: "refused", message: "not ready" }]) },
      { command, code: 100, args, given: (api) => void (api.outcomes = [{ kind: "pending" }]) },
      { command, code: 1, args: "" },
    ];
  }),
  { command: "coverage", code: 0, args: "" },
  {
    command: "coverage",
    code: 100,
    args: "",
    given: (api) => void (api.coverages = { complete: false, topics: [] }),
  },
  { command: "coverage", code: 1, args: "--policy none" },
  { command: "explain", code: 0, args: "--reader int.avsc --writer int.avsc" },
  { command: "explain", code: 0, args: "--stdin", input: '{"reader": "int", "writer": "string"}\nno JSON\n' },
  { command: "explain", code: 100, args: "--reader int.avsc --writer text.avsc" },
  { command: "explain", code: 1, args: "--reader int.avsc" },
  { command: "contract init", code: 0, args: `--client python --topic ${TOPIC} --file new.yaml`, given: flows },
  { command: "contract init", code: 1, args: `--client python --topic ${TOPIC}`, given: flows },
  {
    command: "sample",
    code: 0,
    args: `${ID} --out events`,
    given: (api) => void (api.changes = [{ candidate: { schema: CANDIDATE } }]),
  },
  { command: "sample", code: 1, args: "nothing/9 --out events" },
  { command: "rules", code: 0, args: "" },
  { command: "rules", code: 1, args: "--format xml" },
  { command: "token new", code: 0, args: "--name ci --scope read" },
  { command: "token new", code: 1, args: "--name ci --scope everything" },
  { command: "completion", code: 0, args: "bash" },
  { command: "completion", code: 1, args: "cmd" },
  { command: "trigger print", code: 0, args: "--role fieldgate" },
  { command: "trigger print", code: 1, args: "" },
  { command: "trigger install", code: 1, args: "--role fieldgate" },
  { command: "trigger uninstall", code: 1, args: "" },
];

/** Runs that need more than this file has: a database, or the whole service. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "run 0": "test/e2e/shutdown.e2e.test.ts",
  "run 1": "test/e2e/bad-input.e2e.test.ts",
  "trigger install 0": "test/postgres/trigger-cli.pg.test.ts",
  "trigger uninstall 0": "test/postgres/trigger-cli.pg.test.ts",
};

const page = readFileSync(join(ROOT, "docs/errors.md"), "utf8");
const [, section = ""] = page.split("\n## Exit codes\n");
const [table = ""] = section.split("\n## ");
const documented = [...table.matchAll(/^\| (`.+?`) \| .+? \| (.+?) \|$/gm)].flatMap(([, names = "", findings = ""]) =>
  names.split(", ").map((name) => ({ command: name.replaceAll("`", ""), has100: findings !== "never" })),
);

let api: FakeApi;
let http: HttpServer;
let folder: string;
beforeEach(async () => {
  api = fakeApi();
  http = await startHttp(api, { host: "127.0.0.1", port: 0, log: pino({ level: "silent" }) });
  folder = mkdtempSync(join(tmpdir(), "fieldgate-exit-"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
});
afterEach(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

test("docs/errors.md has the exit codes of every command", () => {
  expect(documented.map(({ command }) => command).toSorted()).toEqual([...commandsByName().keys()].toSorted());
});

test.each(documented)("each exit code of $command that docs/errors.md has is tried", ({ command, has100 }) => {
  const isTried = (code: number) =>
    RUNS.some((run) => run.command === command && run.code === code) || ELSEWHERE[`${command} ${code}`] !== undefined;
  expect([0, 1, 100].filter(isTried)).toEqual(has100 ? [0, 1, 100] : [0, 1]);
});

test("the tests that try an exit code elsewhere exist", () => {
  expect(Object.values(ELSEWHERE).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test.each(RUNS)("$command $args exits with $code", async ({ command, code, args, given, input }) => {
  given?.(api);
  const words = `${command} ${args}`.split(" ").filter((word) => word !== "");
  expect(await runHere(words, { env: { FIELDGATE_URL: http.url }, cwd: folder, input })).toMatchObject({ code });
});
