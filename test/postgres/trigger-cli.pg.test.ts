import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTriggerSecret } from "../../src/postgres/trigger.ts";
import { type CliOptions, runCli } from "../cli/run-cli.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { session } from "./follow.ts";

let db: Database;
let folder: string;
let role: string;
beforeAll(async () => {
  db = await freshDatabase();
  role = `fieldgate_${db.address.database}`;
  await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'of-fieldgate'`);
  folder = await mkdtemp(join(tmpdir(), "fieldgate-trigger-"));
  const { host, port, database } = db.address;
  const connector = {
    "database.hostname": host,
    "database.port": String(port),
    "database.user": role,
    "database.password": "${env:DB_PASSWORD}",
    "database.dbname": database,
    "topic.prefix": "inventory",
    "table.include.list": "public.t",
  };
  await writeFile(join(folder, "inventory.json"), JSON.stringify(connector));
});
afterAll(async () => {
  await db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const cli = (args: string, options: CliOptions = {}) =>
  runCli(["trigger", ...args.split(" ")], {
    cwd: folder,
    ...options,
    env: { DB_PASSWORD: "of-fieldgate", ...options.env },
  });

const urlOf = ({ user, password, host, port, database }: Database["address"]) =>
  `postgres://${user}:${password}@${host}:${port}/${database}`;

async function secret() {
  await using client = await session(db.address);
  return await readTriggerSecret(client);
}

test("the connector's user installs the trigger if it has the right; otherwise nothing changes, and the error says what to do", async () => {
  const refused = await cli("install --connector inventory.json");
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(
    /\[postgres-refused\] installing the DDL trigger: permission denied .* \(SQLSTATE 42501\)/,
  );
  expect(refused.err).toContain("next: have an administrator run the output of `fieldgate trigger print`");
  expect(refused.err).not.toContain("of-fieldgate");
  expect(await secret()).toEqual({ kind: "absent" });
});

test("an owner's login installs the trigger for the connector's role, finds it up to date the second time, and removes it", async () => {
  const { host, port, database, user, password } = db.address;
  const where = `${host}:${port}/${database} as ${user}`;
  const first = await cli(`install --connector inventory.json --url ${urlOf(db.address)}`);
  expect(first).toMatchObject({
    code: 0,
    err: "",
    out: `installed the trigger in ${where}; role ${role} may read its secret\n`,
  });
  const before = await secret();
  const owner = { PGUSER: user, PGPASSWORD: password };
  const second = await cli("install --connector inventory.json", { env: owner });
  expect(second.out).toMatch(/^the trigger is already up to date in /);
  await db.query("ALTER EVENT TRIGGER fieldgate_sql_drop DISABLE");
  const all = { ...owner, PGHOST: host, PGPORT: String(port), PGDATABASE: database };
  const third = await cli(`install --role ${role}`, { env: all });
  expect(third.out).toMatch(/^updated the trigger to this version, keeping its secret, in/);
  expect(await secret()).toEqual(before);
  const removed = await cli("uninstall", { env: all });
  expect(removed).toMatchObject({ code: 0, out: `removed the trigger from ${where}\n` });
  expect((await cli("uninstall", { env: all })).out).toBe(`there was no trigger in ${where}\n`);
  expect(await secret()).toEqual({ kind: "absent" });
});

test("`trigger print` prints the SQL that `install` runs, without a secret and without a connection", async () => {
  const printed = await cli(`print --role ${role}`);
  expect(printed.code).toBe(0);
  expect(printed.out).toMatch(/^BEGIN;\n[^]*\nCOMMIT;\n$/);
  await db.query(printed.out);
  expect(await secret()).toMatchObject({ kind: "installed", warnings: [] });
  expect((await cli("print --connector inventory.json")).out).toBe(printed.out);
  await db.query((await cli("print --uninstall")).out);
  expect(await secret()).toEqual({ kind: "absent" });
});

describe("wrong use is reported", () => {
  test.each([
    ["install", {}, /--role is missing: which role may read the secret\?/],
    ["install --role r", {}, /no database was given/],
    ["uninstall", {}, /no database was given/],
    ["print", {}, /--role is missing: which role may read the secret\?/],
    ["install --role r --url mysql://u@h/d", {}, /--url is not a postgres:\/\/ address/],
    ["install --role r --url postgres://u:secret@h/d?sslmode=maybe", {}, /sslmode is not one of libpq's/],
    ["install --role r", { PGHOST: "h", PGUSER: "u", PGPORT: "x" }, /the port is not a number from 1 to 65535/],
    ["install --connector missing.json", {}, /missing.json cannot be read: the file does not exist/],
  ])("%s", async (args, env, message) => {
    const { code, err } = await cli(args, { env });
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toContain("secret@");
  });

  test.each(["", "install", "uninstall", "print"])("%s has help with an example", async (command) => {
    const { code, out } = await cli(`${command} --help`.trim());
    expect(code).toBe(0);
    expect(out).toMatch(/Example:\n {2}.*fieldgate trigger/);
  });
});
