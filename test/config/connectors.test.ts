import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readConnectors } from "../../src/config/connectors.ts";

const connector = (keys: object = {}) =>
  JSON.stringify({
    "database.hostname": "db",
    "database.user": "u",
    "database.password": "",
    "database.dbname": "d",
    "topic.prefix": "p",
    "table.include.list": "public.t",
    ...keys,
  });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fieldgate-connectors-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function read(files: Readonly<Record<string, string | Buffer>>) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return readConnectors(directory, () => undefined);
}

describe("readConnectors", () => {
  it("reads every .json in the order of their names, and no other files", async () => {
    const configs = await read({ "b.json": connector({ "topic.prefix": "q" }), "a.json": connector(), "c.txt": "x" });
    expect(configs.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("lists the mistakes of every file at once", async () => {
    const reading = read({ "a.json": connector({ "database.port": 0 }), "b.json": "{", "c.json": connector() });
    await expect(reading).rejects.toThrow(/2 mistakes\n.*a\.json\n.*database\.port.*\n.*b\.json\n.*is not JSON/);
  });

  it("refuses two connectors that claim the same slot, publication or topic, and names the other file", async () => {
    const reading = read({ "in-v.json": connector(), "in_v.json": connector() });
    await expect(reading).rejects.toThrow(
      /in_v\.json\n.*slot\.name is already used in .*in-v\.json: slot fieldgate_in_v.*\n.*publication.*\n.*topic p\.public\.t/,
    );
  });

  it("accepts a byte order mark, and refuses a file that is not UTF-8", async () => {
    expect(await read({ "a.json": `\uFEFF${connector()}` })).toHaveLength(1);
    await expect(read({ "a.json": Buffer.from(connector(), "utf16le").fill(0xff, 0, 1) })).rejects.toThrow(
      /^\[config-invalid\] .*a\.json cannot be read: it is not UTF-8 text/,
    );
  });

  it("refuses a file name that is not a valid connector name", async () => {
    await expect(read({ "my db.json": connector() })).rejects.toThrow(/name must be 1 to 100 letters/);
  });

  it("refuses a directory that is empty or missing", async () => {
    await expect(read({})).rejects.toMatchObject({
      code: "config-invalid",
      next: expect.stringMatching(/FIELDGATE_CONN/),
    });
    await expect(readConnectors(join(directory, "no"), () => undefined)).rejects.toMatchObject({
      code: "config-invalid",
    });
  });
});
