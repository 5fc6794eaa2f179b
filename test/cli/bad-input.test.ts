import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";

import { runCli } from "./run-cli.ts";

/** Accepts and counts everything that is published. */
let published = 0;
const service = createServer((request, response) => {
  published += 1;
  request.resume();
  response
    .writeHead(202, { "content-type": "application/json" })
    .end('{"id": "1", "counts": {"kind": "counts", "connectors": ["inventory"], "errors": [], "withheld": []}}');
});
let url: string;
let folder: string;
let outside: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
afterAll(() => void service.close());
beforeEach(() => {
  published = 0;
  folder = mkdtempSync(join(tmpdir(), "fieldgate-bad-"));
  outside = join(mkdtempSync(join(tmpdir(), "fieldgate-outside-")), "row.avsc");
  writeFileSync(outside, record(2, "a"));
  mkdirSync(join(folder, "folder"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
});
afterEach(() => {
  for (const made of [folder, dirname(outside)]) rmSync(made, { recursive: true });
});

function record(fields: number, name: string): string {
  const row = Array.from({ length: fields }, (_, at) => ({
    name: `${name}${at}`,
    type: ["null", "int"],
    default: null,
  }));
  return JSON.stringify({ type: "record", name: "Value", fields: row });
}

const FILES: Readonly<Record<string, string | Buffer>> = {
  "no-json.avsc": '{"type": "record",\n "name": }',
  "lenient.avsc": '{"type": "record", "name": "Value",\n "fields": [{"name": "the id", "type": "int"}]}',
  "wide.avsc": record(10_000, "column_"),
  "wider.avsc": record(10_000, `column_${"of_a_long_name_".repeat(5)}`),
  "utf-16.yaml": utf16(file("topic: t, decodes-with: writer, unknown-fields: accept")),
  "utf-16.avsc": utf16(record(1, "a")),
  "deep.avsc": `${'{"type":"array","items":'.repeat(200)}"nothing"${"}".repeat(200)}`,
};

function utf16(text: string): Buffer {
  return Buffer.from(`\uFEFF${text}`, "utf16le");
}

/** A valid topic and the tested one, so that publishing only half of the file would show. */
function file(topic: string, head = "consumer: billing"): string {
  const good = "decodes-with: writer, unknown-fields: accept";
  return `version: 1\n${head}\ntopics:\n  - { topic: good, ${good} }\n  - { ${topic} }\n`;
}
const reader = (schema: string): string =>
  file(`topic: t, decodes-with: reader, unknown-fields: accept, schema: ${schema}`);

it.each<[string, string, RegExp, string?]>([
  [
    "a typo",
    file("topic: t, decode-with: writer, unknown-fields: accept"),
    /yaml:5:\d+ .*decode-with is not a known key/,
  ],
  ["a missing file", reader("gone.avsc"), /yaml:5:\d+ .*gone\.avsc cannot be used: the file does not exist/],
  ["a file that is a folder", reader("folder"), /yaml:5:\d+ .*folder cannot be used: it is a directory/],
  ["a schema that is not JSON", reader("no-json.avsc"), /yaml:5:\d+ .*no-json\.avsc:2:10 cannot be used: .* not JSON/],
  [
    "a schema that only a lenient parser accepts",
    reader("lenient.avsc"),
    /yaml:5:\d+ .*avsc:2:13 cannot be used: .*"the id"/,
  ],
  [
    "a schema 200 levels deep with a mistake",
    reader("deep.avsc"),
    /yaml:5:\d+ .*deep\.avsc:1:\d+ cannot be used: .*"nothing"/,
  ],
  [
    "a contract of more than 1 MB",
    reader("wider.avsc"),
    /the contract for t has \d+ bytes; the limit is 1000000\n {2}next: /,
  ],
  [
    "two contracts for one topic",
    file("topic: good, decodes-with: writer, unknown-fields: accept"),
    /yaml:5:\d+ .*listed twice/,
  ],
  [
    "a topic that is a path",
    file("topic: ../t, decodes-with: writer, unknown-fields: accept"),
    /yaml:5:\d+ .*must be letters/,
  ],
  ["an environment that is a path", reader("wide.avsc"), /environment must be letters/, "--env ../production"],
  ["a contract file that is a folder", "", / folder cannot be read: it is a directory/, "--file folder"],
  ["the current folder", "", / \. cannot be read: it is a directory/, "--file ."],
  [
    "a contract file that PowerShell wrote",
    "",
    /utf-16\.yaml cannot be read: it is not UTF-8 text/,
    "--file utf-16.yaml",
  ],
  [
    "a schema that PowerShell wrote",
    reader("utf-16.avsc"),
    /yaml:5:\d+ .*utf-16\.avsc cannot be used: it is not UTF-8/,
  ],
  ["a missing contract file", "", / gone\.yaml cannot be read: the file does not exist/, "--file gone.yaml"],
])("publish of %s: one message, exit 1, nothing published", async (_, text, message, more = "") => {
  writeFileSync(join(folder, "fieldgate.yaml"), text);
  const args = ["publish", ...more.split(" ").filter((word) => word !== "")];
  const { code, out, err } = await runCli(args, { cwd: folder, env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: "t" } });
  expect([code, out, published]).toEqual([1, "", 0]);
  expect(err).toMatch(message);
  expect(err).toMatch(/^fieldgate: \[[a-z-]+\]/);
  expect(err).not.toMatch(/^\s+at /m);
  expect(err.match(/fieldgate: \[/g)).toHaveLength(1);
});

it.each<[string, (path: string) => void, RegExp]>([
  ["leads out of the repository", (path) => symlinkSync(outside, path), /yaml:5:\d+ .*it is outside the repository/],
  ["is a pipe", (path) => void execFileSync("mkfifo", [path]), /yaml:5:\d+ .*it is not an ordinary file/],
  [
    "is a device",
    (path) => symlinkSync("/dev/zero", path),
    /yaml:5:\d+ .*it is (outside the repository|not an ordinary file)/,
  ],
  [
    "has 20 MB",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, 20_000_000);
    },
    /yaml:5:\d+ .*it is larger than 16 MiB/,
  ],
])("a schema file of a repository that %s is refused at once", async (_what, make, message) => {
  mkdirSync(join(folder, ".git"));
  make(join(folder, "own.avsc"));
  writeFileSync(join(folder, "fieldgate.yaml"), reader("own.avsc"));
  const { code, err } = await runCli(["publish"], { cwd: folder, env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: "t" } });
  expect([code, err, published]).toEqual([1, expect.stringMatching(message), 0]);
});

it("a schema file may be a link to another folder of the repository", async () => {
  mkdirSync(join(folder, ".git"));
  mkdirSync(join(folder, "schemas"));
  writeFileSync(join(folder, "schemas", "row.avsc"), record(2, "a"));
  symlinkSync(join("schemas", "row.avsc"), join(folder, "own.avsc"));
  writeFileSync(join(folder, "fieldgate.yaml"), reader("own.avsc"));
  const { code, err } = await runCli(["publish"], { cwd: folder, env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: "t" } });
  expect([code, err, published]).toEqual([0, "", 2]);
});

it("a contract with 10,000 fields is published", async () => {
  writeFileSync(join(folder, "fieldgate.yaml"), reader("wide.avsc"));
  const { code, err } = await runCli(["publish"], { cwd: folder, env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: "t" } });
  expect([code, err, published]).toEqual([0, "", 2]);
});

it.each([
  "check --format json --format text",
  "contract init --client s3 --client s3",
  "release x --reason one --reason two",
])("an option that is given twice is refused, because one of the values would be ignored: %s", async (line) => {
  const { code, out, err } = await runCli(line.split(" "), { cwd: folder });
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/^error: option '--(format|client|reason) <\w+>' may be given only once$/m);
});

it("an option that takes several values may be given several times", async () => {
  const { err } = await runCli("retire --topic one --topic two --file missing.yaml".split(" "), { cwd: folder });
  expect(err).toContain("missing.yaml");
});
