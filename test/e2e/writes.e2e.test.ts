import { describe, expect, it } from "vitest";
import { type Database, freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { type Service, startService } from "./service.ts";
import { captureTable } from "./world.ts";

/** The application's UPDATE and DELETE keep working, whatever the connector's file captures. */

const LOOK = { "fieldgate.look.ms": "200" };
const PATTERN = { ...LOOK, "table.include.list": "public\\..*" };
const SETUP = "create table t (id int primary key, a text); insert into t values (1, 'one')";
const LOG = `${SETUP}; create table log (a text); insert into log values ('x')`;
const FULL = 'ALTER TABLE "public"."log" REPLICA IDENTITY FULL;';

function left(service: Service, table = "public.log") {
  return until(
    async () => (await service.connector()).notCaptured.find((one) => one.table === table),
    `${table} is reported`,
  );
}

async function expectWarning(service: Service, what: RegExp) {
  const found = await until(
    async () => (await service.connector()).warnings.find((one) => what.test(one.what)),
    `a warning like ${String(what)}`,
  );
  await until(() => service.output().includes(found.what), "the warning is in the log");
  return found;
}

/** The warnings, once there is none any longer. */
function lastWarnings(service: Service) {
  return until(async () => {
    const { warnings } = await service.connector();
    return warnings.length === 0 ? warnings : undefined;
  }, "no warning is left");
}

/** Runs the first statement of a warning. */
async function run(database: Database, next: string): Promise<void> {
  await database.query(next.split(";")[0] ?? "");
}

/** The output of a service that does not start. */
async function refusal(database: Database, connector: Record<string, string>, tables = ["public.t"]): Promise<string> {
  const options = { database: database.address, prefix: uniquePrefix(), tables, connector };
  await using service = await startService(options, false);
  await service.exited;
  const line = service
    .output()
    .split("\n")
    .find((one) => one.includes("cannot be captured") || one.includes("publication"));
  return line === undefined ? service.output() : (JSON.parse(line) as { readonly msg: string }).msg;
}

describe("a table whose rows the log cannot identify", () => {
  it("is left out if a pattern includes it, so its UPDATE works, and is captured after the statement", async () => {
    await using world = await captureTable({ connector: PATTERN, setup: LOG });
    const { database, service, topic } = world;
    await database.query("update log set a = 'y'");
    const { why, next } = await left(service);
    expect(why).toMatch(/cannot identify its rows/);
    expect(next).toContain(FULL);
    await run(database, next);
    await using events = readEvents([topic.replace(/t$/, "log")]);
    await until(
      async () => (await service.connector()).tables.some(({ table }) => table === "public.log"),
      "it is captured",
    );
    await database.query("update log set a = 'z'");
    const all = await events.until((seen) => seen.length > 0, "the update");
    expect(all.at(-1)).toMatchObject({ op: "u", before: { a: "y" }, after: { a: "z" } });
    await until(async () => (await service.connector()).notCaptured.length === 0, "no table is left out");
  });

  it("is refused at the start if it is listed by its name, with the statement, and nothing is published", async () => {
    await using database = await freshDatabase();
    await database.query(LOG);
    const message = await refusal(database, {}, ["public.t", "public.log"]);
    expect(message).toContain("public.log: the log cannot identify its rows");
    expect(message).toContain(FULL);
    expect(await database.query("select from pg_publication")).toEqual([]);
    await database.query("update log set a = 'y'");
  });

  it("is not added to the publication at a restart", async () => {
    await using world = await captureTable({ connector: PATTERN });
    const { database } = world;
    await world.stop();
    await database.query("create table log (a text); insert into log values ('x')");
    const service = await world.start();
    await database.query("update log set a = 'y'");
    expect((await left(service)).next).toContain(FULL);
  });

  it("is not added again if it lost its key while it was not in the publication", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, service } = world;
    await world.stop();
    await database.query(`do $$ begin execute (select format('alter publication %I drop table t', pubname) from pg_publication); end $$;
      alter table t drop constraint t_pkey`);
    const again = await world.start();
    await database.query("update t set a = 'changed'");
    const gap = await until(async () => (await again.connector()).tables[0]?.gap, "the gap");
    expect(gap).toMatchObject({ open: true, next: expect.stringContaining('ALTER TABLE "public"."t"') as unknown });
    expect(service.output()).not.toContain("reject");
  });

  it("keeps its partitioned table out if it is a partition", async () => {
    await using world = await captureTable({
      connector: { ...PATTERN, "publish.via.partition.root": "true" },
      setup: `${SETUP}; create table p (id int, a text) partition by range (id); alter table p replica identity full;
        create table p1 partition of p for values from (0) to (10); insert into p values (1, 'one')`,
    });
    const { database, service } = world;
    await database.query("update p set a = 'changed'");
    const { why, next } = await left(service, "public.p");
    expect(why).toContain("public.p1");
    await run(database, next);
    await until(
      async () => (await service.connector()).tables.some(({ table }) => table === "public.p"),
      "it is captured",
    );
  });
});

describe("a publication FOR ALL TABLES", () => {
  it("is not created if it would stop the UPDATE of any table of the database", async () => {
    await using database = await freshDatabase();
    await database.query(LOG);
    const message = await refusal(database, { "publication.autocreate.mode": "all_tables" });
    expect(message).toContain("public.log");
    expect(message).toContain(FULL);
    expect(message).toContain("filtered");
    await database.query("update log set a = 'y'");
  });
});

describe("a published table whose UPDATE PostgreSQL rejects", () => {
  it("in a publication that somebody else made is a warning until the statement was run", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "publication.autocreate.mode": "disabled", "publication.name": "p" },
      setup: `${LOG}; create publication p for all tables`,
    });
    const { database, service } = world;
    await expect(database.query("update log set a = 'y'")).rejects.toThrow(/replica identity/);
    const { next } = await expectWarning(service, /rejects UPDATE and DELETE on public\.log/);
    await run(database, next);
    await database.query("update log set a = 'y'");
    expect(await lastWarnings(service)).toEqual([]);
  });

  it("is reported when it loses its key while it is captured", async () => {
    await using world = await captureTable({ connector: LOOK });
    const { database, service } = world;
    await database.query("alter table t drop constraint t_pkey");
    const { next } = await expectWarning(service, /rejects UPDATE and DELETE on public\.t:/);
    await expect(database.query("update t set a = 'changed'")).rejects.toThrow(/replica identity/);
    await run(database, next);
    expect(await lastWarnings(service)).toEqual([]);
    await database.query("update t set a = 'changed'");
  });

  it("is reported if it is a new partition without an identity", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "publish.via.partition.root": "true" },
      setup: `create table t (id int, a text) partition by range (id);
        create table t1 partition of t for values from (0) to (10); alter table t1 replica identity full;
        alter table t replica identity full; insert into t values (1, 'one')`,
    });
    await world.database.query("create table t2 partition of t for values from (10) to (20)");
    const { next } = await expectWarning(world.service, /on public\.t2:/);
    await run(world.database, next);
    expect(await lastWarnings(world.service)).toEqual([]);
  });
});

describe("message.key.columns", () => {
  const setup = "create table t (id int primary key, b int, c int not null); insert into t values (1, 1, 1)";

  it("that can be NULL or are not in the replica identity are refused at the start, all at once, with the statements", async () => {
    await using database = await freshDatabase();
    await database.query(setup);
    const keys = { "message.key.columns": "public.t:b,c" };
    const message = await refusal(database, keys);
    expect(message).toContain("names b, which can be NULL");
    expect(message).toContain("names b, c, which are not in the replica identity");
    const next = message.slice(message.indexOf("ALTER TABLE"));
    for (const statement of next.split(";").slice(0, 2)) await database.query(statement);
    await using service = await startService({
      database: database.address,
      prefix: uniquePrefix(),
      tables: ["public.t"],
      connector: keys,
    });
    await service.idle();
  });

  it("that leave the replica identity later are a warning until the statement was run", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "message.key.columns": "public.t:c" },
      setup: `${setup}; alter table t replica identity full`,
    });
    const { database, service } = world;
    await database.query("alter table t replica identity default");
    const { next } = await expectWarning(service, /names c, which is not in the replica identity/);
    await run(database, next);
    expect(await lastWarnings(service)).toEqual([]);
  });

  it("outside the replica identity are fine where neither updates nor deletes are published", async () => {
    await using world = await captureTable({
      connector: { ...LOOK, "message.key.columns": "public.t:c", "skipped.operations": "u,d,t" },
      setup,
    });
    expect((await world.service.connector()).warnings).toEqual([]);
  });
});
