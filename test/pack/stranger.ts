/**
 * A repository that has only our package, with two consumers: one decodes with each event's schema, the other with its
 * own. Every command is what a person would type; service, PostgreSQL, Kafka and registry are real.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { canReleaseSchema } from "../../src/cli/json-output.ts";
import { amendmentSchema, amendmentsSchema } from "../../src/api/amendment.ts";
import { planSchema } from "../../src/api/plan.ts";
import { captureTable } from "../e2e/world.ts";
import { install, type Installed, installNode, OLDEST_NODE } from "./install.ts";

const SETUP = `create table t (id int primary key, name text not null, points int, visits int);
  insert into t values (1, 'Ada', 10, 100)`;

let installed: Installed;
let oldestNode: string;
beforeAll(async () => {
  installed = await install(inject("tarball"));
  oldestNode = await installNode(OLDEST_NODE, dirname(installed.folder));
});
afterAll(() => installed[Symbol.asyncDispose]());

it("a new user's repository: init, check, a failing check, a corrected contract, publish, and the field flows", async () => {
  await using world = await captureTable({ setup: SETUP });
  const { topic, database, service, events } = world;
  const billing = await consumer("billing", oldestNode, service);
  const invoices = await consumer("invoices", process.execPath, service);
  const both = (line: string) => Promise.all([billing.types(line), invoices.types(line)]);

  expect(await billing.types(`npx fieldgate contract init --client kafkajs --topic ${topic}`)).toEqual([
    0,
    expect.stringMatching(
      /^wrote fieldgate\.yaml\nnext: review the lines marked Assumed, .*\nnote: .*decodes no event/,
    ),
  ]);
  expect(await billing.types("npx fieldgate check")).toEqual([
    100,
    expect.stringContaining("[runtime/long-precision]"),
  ]);
  await billing.edits("fieldgate.yaml", "longs: number", "longs: bigint");
  await billing.edits("fieldgate.yaml", "      - points\n      - visits\n", "");
  await billing.edits("fieldgate.yaml", "# ignores: []", "ignores: [points, visits]");
  const init = `npx fieldgate contract init --client java-specific --topic ${topic} --consumer invoicing`;
  expect(await invoices.types(init)).toEqual([0, expect.stringContaining(`wrote ${topic}.avsc\n`)]);
  expect(await both("npx fieldgate check")).toEqual([
    [0, `${topic}: billing is ready for the current events\n`],
    [0, `${topic}: invoicing is ready for the current events\n`],
  ]);
  expect(await both("npx fieldgate publish")).toEqual([
    [0, expect.stringMatching(/^published: billing reads .* in default\n {2}counts for connector [^\n]+\n$/)],
    [0, expect.stringMatching(/^published: invoicing reads .* in default\n {2}counts for connector [^\n]+\n$/)],
  ]);

  await database.query(`alter table t add nickname text, alter points type bigint, alter visits type bigint;
    insert into t values (2, 'Bob', 20, 200, 'bobby')`);
  await Promise.all(["nickname", "points", "visits"].map((field) => service.amendment(field, "withheld")));
  expect((await both("npx fieldgate check")).map(([code]) => code)).toEqual([0, 0]);
  expect(await both("npx fieldgate check --fail-on withheld")).toEqual([
    [100, expect.stringContaining("error: after.nickname: the consumer rejects unknown fields")],
    [
      100,
      expect.stringContaining("error: after.points: the reader expects null or int, but the events have null or long"),
    ],
  ]);
  expect(await billing.types(`npx fieldgate can-i-release ${topic}.nickname`)).toEqual([
    100,
    expect.stringMatching(/^no: nickname .*: not ready: billing\n/),
  ]);
  await writeFile(join(installed.folder, "billing/next.sql"), "alter table public.t drop column name;\n");
  for (const [line, schema] of [
    ["amendments", amendmentsSchema],
    [`amendments show ${topic}.nickname`, amendmentSchema],
    [`can-i-release --table ${topic}`, canReleaseSchema],
    ["plan next.sql", planSchema],
  ] as const) {
    const [, printed] = await billing.types(`npx fieldgate ${line} --format json`);
    expect({ line, error: schema.safeParse(JSON.parse(printed)).error }).toEqual({ line, error: undefined });
  }

  await billing.edits("fieldgate.yaml", "      - name\n", "      - name\n      - nickname\n");
  await invoices.edits(`${topic}.avsc`, /("points",\s+"type": \[\s+"null",\s+)"int"/, '$1"long"');
  expect((await billing.types("npx fieldgate check --fail-on withheld"))[0]).toBe(0);
  expect((await invoices.types("npx fieldgate check"))[0]).toBe(0);
  expect((await both("npx fieldgate publish")).map(([code]) => code)).toEqual([0, 0]);
  await events.until((seen) => seen.some(({ after }) => after?.["nickname"] === "bobby"), "nickname flows");
  await service.amendment("points", "released");
  await database.query("update t set points = 3000000000 where id = 1");
  await events.until((seen) => seen.some(({ after }) => after?.["points"] === 3_000_000_000n), "points flow as long");

  // An operator releases the remaining column anyway: now it flows, and a plain check fails.
  const release = `npx fieldgate release ${topic}.visits --force --reason "the audit is on Monday"`;
  expect(await billing.types(release)).toEqual([0, expect.stringMatching(/^done: /)]);
  expect(await invoices.types("npx fieldgate check")).toEqual([100, expect.stringContaining("error: after.visits")]);
  await invoices.edits(`${topic}.avsc`, /("visits",\s+"type": \[\s+"null",\s+)"int"/, '$1"long"');
  expect(await invoices.types("npx fieldgate check")).toEqual([0, expect.stringContaining("is ready")]);
}, 180_000);

interface Consumer {
  /** Runs one line in the folder. Returns its exit code and its output, with errors first. */
  types(line: string): Promise<readonly [code: number, printed: string]>;
  /** Replaces a text in the file, which must contain it. */
  edits(file: string, text: string | RegExp, by: string): Promise<void>;
}

/** A folder of the repository, for commands that run on this Node. */
async function consumer(
  name: string,
  node: string,
  service: { readonly url: string; readonly token: string },
): Promise<Consumer> {
  const cwd = join(installed.folder, name);
  await mkdir(cwd);
  // Variables that `npm run` sets would make npx search our checkout.
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^(?:FIELDGATE_|npm_(?!config_)|npm_config_local_prefix)/.test(key),
  );
  const env = {
    ...Object.fromEntries(inherited),
    PATH: `${dirname(node)}${delimiter}${process.env["PATH"]}`,
    FIELDGATE_URL: service.url,
    FIELDGATE_TOKEN: service.token,
  };
  return {
    types: (line) =>
      new Promise((resolve) => {
        execFile("sh", ["-c", line], { cwd, env }, (error, out, err) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
          resolve([code, code === 0 || code === 100 ? out : `${err}${out}`]);
        });
      }),
    async edits(file, text, by) {
      const before = await readFile(join(cwd, file), "utf8");
      const after = before.replace(text, by);
      expect(after, `${file} has ${text}`).not.toBe(before);
      await writeFile(join(cwd, file), after);
    },
  };
}
