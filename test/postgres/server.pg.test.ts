import { chmod, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { startStack } from "../../local/stack.ts";
import { checkSource } from "../../src/postgres/check.ts";
import { connect, type PostgresOptions, query } from "../../src/postgres/connection.ts";
import { readSnapshot, writeMarkForXid, writeMark } from "../../src/postgres/mark.ts";
import { isVisible } from "../../src/wal/snapshot.ts";
import { until } from "../stack/until.ts";
import { servers } from "../stack/servers.ts";
import { commits, failure, follow, newRows, session, type Source, source } from "./follow.ts";

const alone = (...postgresFlags: readonly string[]) => startStack({ kafka: false, registry: false, postgresFlags });

test("a suitable server is described with its id, timeline and version", async () => {
  await using client = await session(servers.postgres);
  const facts = await checkSource(client);
  expect(facts).toMatchObject({ timeline: 1, database: servers.postgres.database, encoding: "UTF8" });
  expect(facts.systemId).toMatch(/^\d{19}$/);
  expect(facts.version).toBeGreaterThanOrEqual(140_000);
  expect(facts.end).toBeGreaterThan(0n);
  expect((await checkSource(client)).systemId).toBe(facts.systemId);
});

test("a text that is not UTF-8, which a database with encoding SQL_ASCII may have, is refused with what to do", async () => {
  await using from = await source("CREATE TABLE t ()");
  const name = `ascii_${from.database.address.database}`;
  await from.app.query(`CREATE DATABASE ${name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`);
  {
    await using client = await session({ ...from.database.address, database: name });
    expect((await checkSource(client)).encoding).toBe("SQL_ASCII");
    const bad = query(client, "reading", "SELECT convert_from('\\xe9'::bytea, 'SQL_ASCII') AS v");
    expect(await failure(bad)).toMatchObject({ code: "postgres-refused", next: expect.stringContaining("SQL_ASCII") });
  }
  await from.app.query(`DROP DATABASE ${name} WITH (FORCE)`);
});

test("a role without REPLICATION is refused with the statement that helps; a member of rds_replication is accepted", async () => {
  await using from = await source("CREATE TABLE t ()");
  const role = `Role_${from.database.address.database}`;
  await from.app.query(`CREATE ROLE "${role}" LOGIN PASSWORD 'of-the-role'`);
  await using client = await session({ ...from.database.address, user: role, password: "of-the-role" });
  expect(await failure(checkSource(client))).toMatchObject({
    code: "replication-right",
    next: expect.stringContaining(`ALTER ROLE "${role}" REPLICATION;`),
  });
  await from.app.query(`CREATE ROLE rds_replication; GRANT rds_replication TO "${role}"`);
  const facts = await checkSource(client);
  await from.app.query(`DROP ROLE rds_replication; DROP ROLE "${role}"`);
  expect(facts.database).toBe(from.database.address.database);
});

test("a server whose wal_level is not logical is refused with the statement that helps", async () => {
  await using stack = await alone("wal_level=replica");
  await using client = await session(stack.postgres);
  expect(await failure(checkSource(client))).toMatchObject({
    code: "wal-level",
    next: expect.stringContaining("ALTER SYSTEM SET wal_level = 'logical'"),
  });
});

test("a standby is refused", async () => {
  await using stack = await alone();
  {
    await using client = await session(stack.postgres);
    const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
    const signal = `${rows[0]?.data_directory}/standby.signal`;
    await writeFile(signal, "");
    await chmod(signal, 0o666);
  }
  await stack.kill("postgres");
  await stack.restart("postgres");
  await using client = await session(stack.postgres);
  expect(await failure(checkSource(client))).toMatchObject({ code: "source-is-standby" });
});

test("a commit that waits for a standby is streamed before any snapshot sees it; marks do not wait", async () => {
  await using stack = await alone();
  await using from = await source("CREATE TABLE t (id int PRIMARY KEY)", stack.postgres);
  await using followed = await follow(from);
  await using standby = await absentStandby(stack.postgres);
  const { waiting, id } = await insertThatWaits(from);
  const before = await commits(followed, id);
  const xid = before.findLast((message) => message.kind === "begin")?.xid ?? 0;
  expect(newRows(before).at(-1)).toEqual([String(id)]);
  expect(isVisible(await readSnapshot(from.client), xid)).toBe(false);
  expect((await from.client.query("SELECT FROM public.t WHERE id = $1", [id])).rows).toEqual([]);
  // The mark does not wait, and it follows the transaction that is not visible yet.
  await writeMark(from.client, "fieldgate.low", "1");
  const mark = await writeMarkForXid(from.client, "fieldgate.high", "2");
  const messages = (await commits(followed, id + 2)).slice(before.length);
  const xids = messages.flatMap((message) => (message.kind === "begin" ? [message.xid] : []));
  expect(xids).toHaveLength(2);
  expect(xids.at(-1)).toBe(Number(mark));
  const snapshot = await readSnapshot(from.client);
  expect(isVisible(snapshot, xid)).toBe(false);
  expect(isVisible(snapshot, Number(mark))).toBe(true);
  expect(snapshot.xmin).toBe(BigInt(xid));
  await standby[Symbol.asyncDispose]();
  await waiting;
  expect(isVisible(await readSnapshot(from.client), xid)).toBe(true);
});

/** Inserts until a commit waits: the setting does not reach all processes of the server at the same time. */
async function insertThatWaits(from: Source): Promise<{ readonly waiting: Promise<unknown>; readonly id: number }> {
  for (let id = 1; ; id++) {
    let done = false;
    const waiting = from.app.query(`INSERT INTO t VALUES (${id})`).then(() => (done = true));
    const held = await until(async () => {
      const { rows } = await from.client.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
      return rows.length > 0 ? "held" : done && "done";
    }, "the insert has finished or is waiting");
    if (held === "held") return { waiting, id };
  }
}

/** Until it is disposed, every commit waits for a standby that does not exist. */
async function absentStandby(address: PostgresOptions): Promise<AsyncDisposable> {
  const client = await connect(address, { applicationName: "operator" });
  const setTo = async (names: string): Promise<void> => {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await client.query("SELECT pg_reload_conf()");
    await until(async () => {
      const { rows } = await client.query<{ names: string }>(
        "SELECT current_setting('synchronous_standby_names') AS names",
      );
      return rows[0]?.names === names;
    }, `synchronous_standby_names is '${names}'`);
  };
  await setTo("nobody");
  const stack = new AsyncDisposableStack();
  stack.defer(() => client.end());
  stack.defer(() => setTo(""));
  return stack;
}

test("a server can stop even if its reader has acknowledged nothing", async () => {
  await using stack = await alone();
  const from = await source("CREATE TABLE t (id int PRIMARY KEY)", stack.postgres);
  await using followed = await follow(from);
  await from.app.query("INSERT INTO t VALUES (1)");
  await commits(followed, 1);
  const pid = stack.pids.postgres;
  if (pid === undefined) throw new Error("no pid");
  process.kill(pid, "SIGINT");
  const error: unknown = await until(() => {
    try {
      followed.items();
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  }, "the stream has ended");
  expect(error).toMatchObject({ code: "postgres-down" });
  await until(() => stack.pids.postgres === undefined || !alive(pid), "the server has stopped");
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
