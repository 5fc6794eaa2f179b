import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { describeError } from "../../src/errors.ts";
import { readTable } from "../../src/postgres/catalog.ts";
import { connect, query } from "../../src/postgres/connection.ts";
import { tableOid } from "../../src/table/column.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { servers } from "../stack/servers.ts";
import { failure, follow, session, source } from "./follow.ts";

/** A role with these settings, and what a session of it needs. The role ends with the scope. */
async function roleWith(database: Database, settings: readonly string[]) {
  const user = `role_${randomBytes(4).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  await database.query(`CREATE ROLE ${user} LOGIN REPLICATION PASSWORD '${password}'`);
  for (const setting of settings) await database.query(`ALTER ROLE ${user} SET ${setting}`);
  return {
    address: { ...database.address, user, password },
    user,
    [Symbol.asyncDispose]: async () => void (await database.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`)),
  };
}

/** What a role or a hoster may set, and what a session of ours has instead. */
const OVERRIDDEN: readonly (readonly [name: string, ofRole: string, ours: string])[] = [
  ["statement_timeout", "'1s'", "0"],
  ["lock_timeout", "'1ms'", "10s"],
  ["idle_in_transaction_session_timeout", "'1s'", "0"],
  ["idle_session_timeout", "'1s'", "0"],
  ["row_security", "on", "off"],
  ["search_path", "public", "pg_catalog"],
  ["default_transaction_read_only", "on", "off"],
  ["default_transaction_isolation", "serializable", "read committed"],
  ["default_transaction_deferrable", "on", "off"],
  ["standard_conforming_strings", "off", "on"],
  ["quote_all_identifiers", "on", "off"],
  ["constraint_exclusion", "on", "off"],
  ["jit", "on", "off"],
  ["DateStyle", "'SQL, DMY'", "ISO, MDY"],
  ["IntervalStyle", "iso_8601", "postgres"],
  ["TimeZone", "'Asia/Kolkata'", "UTC"],
  ["extra_float_digits", "0", "3"],
  ["bytea_output", "escape", "hex"],
];

test.each([
  [
    "password",
    { password: "not-it" },
    /as postgres: password authentication failed/,
    /check user, password and pg_hba/,
  ],
  ["database", { database: "nowhere" }, /"nowhere" does not exist/, /check the database's name/],
])("a wrong %s is refused with what to check, and without the password", async (_, wrong, message, next) => {
  const error = await failure(connect({ ...servers.postgres, ...wrong }, { applicationName: "test" }));
  expect(error).toMatchObject({
    code: "postgres-refused",
    message: expect.stringMatching(message),
    next: expect.stringMatching(next),
  });
  const text = describeError(error);
  for (const secret of ["not-it", servers.postgres.password]) expect(text).not.toContain(secret);
});

test("every session overrides the settings of the role", async () => {
  await using database = await freshDatabase();
  const settings = OVERRIDDEN.map(([name, value]) => `${name} = ${value}`);
  const [version] = await database.query<{ newer: boolean }>(
    "SELECT current_setting('server_version_num')::int >= 170000 AS newer",
  );
  const newer = version?.newer === true;
  await using role = await roleWith(database, newer ? [...settings, "transaction_timeout = '1s'"] : settings);
  await using client = await session(role.address);
  const expected = newer ? [...OVERRIDDEN, ["transaction_timeout", "", "0"] as const] : OVERRIDDEN;
  const found = new Map<string, string>();
  for (const [name] of expected) {
    const [row] = await query<{ value: string }>(client, "reading", `SELECT current_setting('${name}') AS value`);
    found.set(name, row?.value ?? "");
  }
  expect(found).toEqual(new Map(expected.map(([name, , ours]) => [name, ours])));
});

test("database.query.timeout.ms is the statement_timeout of a session, whatever the role has", async () => {
  await using database = await freshDatabase();
  await using role = await roleWith(database, ["statement_timeout = '1s'"]);
  const client = await connect({ ...role.address, queryTimeoutMs: 1234 }, { applicationName: "test" });
  const rows = await query(client, "reading a setting", "SELECT current_setting('statement_timeout') AS value");
  await client.end();
  expect(rows).toEqual([{ value: "1234ms" }]);
});

test("the stream of a role with short timeouts continues", async () => {
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY)");
  await using role = await roleWith(from.database, ["statement_timeout = '200ms'", "idle_session_timeout = '200ms'"]);
  await using followed = await follow({ ...from, database: { ...from.database, address: role.address } });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(() => followed.items()).not.toThrow();
});

test("a table is read with its defaults while a migration holds its lock", async () => {
  await using from = await source("CREATE TABLE t (id serial PRIMARY KEY, a text DEFAULT upper('x'))");
  await using migration = await session(from.database.address);
  const [row] = await from.database.query<{ oid: number }>("SELECT 'public.t'::regclass::oid::int AS oid");
  const oid = tableOid(row?.oid ?? 0);
  const before = await readTable(from.client, oid);
  await migration.query("BEGIN; ALTER TABLE public.t ADD COLUMN b int DEFAULT 7");
  await from.client.query("SET lock_timeout = '200ms'");
  const { table } = await readTable(from.client, oid);
  await migration.query("ROLLBACK");
  expect(table?.columns.map(({ name, defaultExpr }) => [name, defaultExpr])).toEqual([
    ["id", "nextval('public.t_id_seq'::regclass)"],
    ["a", "upper('x'::text)"],
  ]);
  expect(table).toEqual(before.table);
});

/** SQLSTATEs of every kind: a function may raise any of them, also those whose texts PostgreSQL itself writes safely. */
const RAISED = ["P0001", "22012", "23505", "42501", "53000", "57014", "XX000", "40001", "08006", "Z1234"];

test.each(RAISED)("the text that a function raises with SQLSTATE %s is not shown", async (state) => {
  await using database = await freshDatabase();
  await database.query(`CREATE FUNCTION public.raises() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'row is 4111-1111' USING ERRCODE = '${state}', DETAIL = '4111-1111', HINT = '4111-1111'; END $$`);
  await using client = await session(database.address);
  const error = await failure(query(client, "running a query", "SELECT public.raises()"));
  expect(describeError(error)).toContain(`SQLSTATE ${state}`);
  expect(describeError(error)).not.toContain("4111");
});

test("the text of an error that PostgreSQL itself reports about an object is shown", async () => {
  await using database = await freshDatabase();
  await using client = await session(database.address);
  const error = await failure(query(client, "running a query", "SELECT 1 FROM public.nowhere"));
  expect(describeError(error)).toContain(`relation "public.nowhere" does not exist`);
});

test("queries that are made side by side on one session run one after the other, without the library's warning", async () => {
  const client = await connect(servers.postgres, { applicationName: "test" });
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", note);
  const numbers = [1, 2, 3];
  const answers = numbers.map((number) => query<{ n: string }>(client, "counting", `SELECT ${number} AS n`));
  const broken = query(client, "failing", "SELECT 1 / 0");
  const after = query<{ n: string }>(client, "counting", "SELECT 4 AS n");
  await expect(broken).rejects.toMatchObject({ code: "postgres-refused" });
  expect((await Promise.all([...answers, after])).map(([row]) => row?.n)).toEqual(["1", "2", "3", "4"]);
  await client.end();
  process.off("warning", note);
  expect(warnings.filter((warning) => warning.includes("client.query()"))).toEqual([]);
});
