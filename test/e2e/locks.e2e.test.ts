import { expect, test } from "vitest";
import type { Health } from "../../src/api/api.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { type Service, startService } from "./service.ts";

/**
 * Other sessions hold locks on captured tables, on rows and on transactions, as migrations do: the rows of every other
 * table are published meanwhile, and what waits is named.
 */

async function idsOf(topic: string) {
  const events = readEvents([topic]);
  const has = (id: number) => events.until((all) => all.some(({ after }) => after?.["id"] === id), `row ${id}`);
  return Object.assign(events, { has });
}

function options(database: Database, tables: readonly string[], connector: Readonly<Record<string, string>> = {}) {
  return { database: database.address, prefix: uniquePrefix(), tables, connector };
}

/** Waits until a session of the database waits for a lock. */
async function untilBlocked(database: Database): Promise<void> {
  const sql = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  await until(async () => (await database.query(sql)).length > 0, "a session waits for a lock");
}

const statusOf = async (service: Service) => (await service.connector()).status;

test("a migration that holds a table's lock stops no other table, neither at a start nor at the table's next row", async () => {
  await using database = await freshDatabase();
  await database.query(
    `CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'x'); CREATE TABLE other (id int PRIMARY KEY)`,
  );
  const given = options(database, ["public.t", "public.other"]);
  {
    await using service = await startService(given);
    await service.idle();
  }
  await database.query("INSERT INTO t VALUES (1)");
  const migration = await database.connect();
  await migration.query("BEGIN; ALTER TABLE t ADD COLUMN b int DEFAULT 7");
  await using service = await startService(given, false);
  await database.query("INSERT INTO other VALUES (2)");
  await using others = await idsOf(`${given.prefix}.public.other`);
  await others.has(2);
  await migration.query("ROLLBACK");
  expect(await statusOf(service)).not.toBe("stopped");
});

test("a table that is locked during its snapshot holds up neither looks at other tables nor their snapshots", async () => {
  await using database = await freshDatabase();
  await database.query(`
    CREATE TYPE mood AS ENUM ('sad');
    CREATE TABLE big (id int PRIMARY KEY, a text); INSERT INTO big SELECT i, 'x' FROM generate_series(1, 20000) AS i;
    CREATE TABLE m (id int PRIMARY KEY, mood mood); INSERT INTO m VALUES (1, 'sad')`);
  const given = options(database, ["public.big", "public.m"], {
    "fieldgate.chunk.rows": "50",
    "fieldgate.backfill.rate": "400",
  });
  await using service = await startService(given);
  await using moods = await idsOf(`${given.prefix}.public.m`);
  const running = async () =>
    (await service.connector()).chunks.some(({ table, rows }) => table === "public.big" && rows > 0);
  await until(running, "the snapshot of big runs");
  await database.query("INSERT INTO m VALUES (2, 'sad')");
  await moods.has(2);
  await database.query("ALTER TYPE mood ADD VALUE 'glad'");
  const migration = await database.connect();
  await migration.query("BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE");
  // The next chunk waits for the lock when a label that no schema lists causes a look, which writes a mark.
  await untilBlocked(database);
  await database.query("INSERT INTO m VALUES (3, 'glad')");
  await moods.has(3);
  await moods.has(1);
  // A chunk gives up its wait now and then, and waits again.
  const waiting = await until(async () => {
    const { waiting: shown } = await service.connector();
    return shown !== undefined && shown.causes.length > 0 ? shown : undefined;
  }, "the wait for the lock is shown");
  expect(waiting).toMatchObject({ for: "PostgreSQL, to read rows of public.big, which is locked" });
  expect(waiting.causes).toEqual([expect.stringMatching(/^pid \d+ \(.*, user postgres, in a transaction since 20/)]);
  await service.said(/has waited \d+ s for PostgreSQL, to read rows of public.big, which is locked, held up by pid/);
  const health = () => service.get<Health>("/health");
  const shown = await until(async () => (await health()).waiting, "the health shows a wait");
  expect(shown).toMatchObject([{ for: "PostgreSQL" }]);
  await migration.query("COMMIT");
  expect(await statusOf(service)).not.toBe("stopped");
});

test("a heartbeat's query that waits for a lock holds up no row", async () => {
  await using database = await freshDatabase();
  await database.query(`
    CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE hb (id int PRIMARY KEY, at timestamptz);
    INSERT INTO hb VALUES (1, now())`);
  const given = options(database, ["public.t"], {
    "heartbeat.interval.ms": "300",
    "heartbeat.action.query": "UPDATE public.hb SET at = now() WHERE id = 1",
  });
  await using service = await startService(given);
  await service.idle();
  const forgotten = await database.connect();
  await forgotten.query("BEGIN; UPDATE hb SET at = now()");
  await untilBlocked(database);
  await database.query("ALTER TABLE t ADD COLUMN b text; INSERT INTO t VALUES (3, 'three')");
  await using rows = await idsOf(`${given.prefix}.public.t`);
  await rows.has(3);
  await forgotten.query("ROLLBACK");
  expect(await statusOf(service)).not.toBe("stopped");
});
