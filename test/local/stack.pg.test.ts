import { expect, test } from "vitest";
import { startStack } from "../../local/stack.ts";
import { freshDatabase } from "../stack/database.ts";
import { pause } from "../stack/processes.ts";
import { until } from "../stack/until.ts";

const ONLY_POSTGRES = { kafka: false, registry: false };

test("two stacks started at the same time have separate ports and data", async () => {
  await using stacks = new AsyncDisposableStack();
  const both = await Promise.all([startStack(ONLY_POSTGRES), startStack(ONLY_POSTGRES)]);
  for (const stack of both) stacks.use(stack);
  const [one, other] = both;
  expect(one.postgres.port).not.toBe(other.postgres.port);
  await using database = await freshDatabase(one.postgres);
  const { database: name } = database.address;
  await expect(freshDatabase({ ...other.postgres, database: name })).rejects.toThrow("does not exist");
});

test("PostgreSQL keeps committed data after being killed and restarted", async () => {
  await using stack = await startStack(ONLY_POSTGRES);
  await using database = await freshDatabase(stack.postgres);
  await database.query("create table t as select 1 as id");
  const [session] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
  // Like a process that does not get to run for a while.
  process.kill(session?.pid ?? 0, "SIGSTOP");
  await stack.kill("postgres");
  await stack.restart("postgres");
  const client = await database.connect();
  expect((await client.query("select id from t")).rows).toStrictEqual([{ id: 1 }]);
  await client.end();
});

test("a paused PostgreSQL does not answer until it resumes", async () => {
  await using stack = await startStack(ONLY_POSTGRES);
  await using database = await freshDatabase(stack.postgres);
  let answered = false;
  const paused = pause(stack.pids.postgres);
  const answer = database.query("select 1").then(() => (answered = true));
  await expect(until(() => answered, "it answers", 300)).rejects.toThrow("in vain");
  paused[Symbol.dispose]();
  expect(await answer).toBe(true);
});

test("settings of the caller take precedence", async () => {
  await using stack = await startStack({ ...ONLY_POSTGRES, postgresFlags: ["wal_level=replica", "max_wal_senders=3"] });
  await using database = await freshDatabase(stack.postgres);
  expect(await database.query("show wal_level")).toStrictEqual([{ wal_level: "replica" }]);
});

test("reading the address of a part that was not started fails with the reason", async () => {
  await using stack = await startStack({ postgres: false, ...ONLY_POSTGRES });
  expect(() => stack.kafka).toThrow("this stack was started without kafka");
});
