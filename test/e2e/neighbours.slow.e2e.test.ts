import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { uniquePrefix } from "../stack/topic.ts";
import { readEvents } from "./events.ts";
import { captureTable } from "./world.ts";

/** One connector with thirty tables, four of which get into trouble: the others must not notice. */

const TABLES = Array.from({ length: 30 }, (_, index) => `t${index + 1}`);
const [PARKS, DROPPED, SWAPPED, , ...OTHERS] = TABLES;
const EVERY_MS = 200;
const MOST_MS = 2000;

it.each(["2000", "200"])(
  "of thirty tables, looked at every %s ms, one parks, one is dropped, one is created unreadable and one is swapped: the others flow on",
  async (every) => {
    const role = uniquePrefix();
    const password = "of-the-test";
    const setup = [
      ...TABLES.map((table) => `create table ${table} (id int primary key, v int not null)`),
      `create role "${role}" login replication password '${password}'`,
      `grant select on all tables in schema public to "${role}"`,
      "create publication p for all tables",
    ].join("; ");
    await using world = await captureTable({
      tables: ["public\\..*"],
      setup,
      connector: {
        "fieldgate.release.policy": "manual",
        "fieldgate.look.ms": every,
        "publication.autocreate.mode": "disabled",
        "publication.name": "p",
        "database.user": role,
        "database.password": password,
      },
    });
    const { database, service, topic } = world;
    const prefix = topic.replace(/\.public\.t$/, "");
    const topics = OTHERS.map((table) => `${prefix}.public.${table}`);
    await using events = readEvents(topics);
    const writer = await database.connect();
    const ending = new AbortController();
    const writing = (async () => {
      for (let id = 1; !ending.signal.aborted; id += 1) {
        await writer.query(OTHERS.map((table) => `insert into ${table} values (${id}, ${id})`).join("; "));
        await sleep(EVERY_MS);
      }
    })();
    await events.until((seen) => new Set(seen.map((event) => event.topic)).size === topics.length, "every table flows");
    // Until the columns of each are identified.
    await sleep(4000);
    const delays = new Map<string, number>();
    /** The longest time that a row of the others, committed while this happens, took until it was in Kafka. */
    const during = async (what: string, sql: string): Promise<void> => {
      const began = Date.now();
      await database.query(sql);
      await sleep(4000);
      const all = await events.all();
      const { records } = events.collector;
      const each = all.map(({ source }, index) => {
        const committed = Number(source["ts_ms"]);
        return committed < began ? 0 : Number(records[index]?.timestamp) - committed;
      });
      delays.set(what, Math.max(...each));
    };
    await during("nothing", "select 1");
    await during("one parks", `alter table ${PARKS} alter v type bigint; insert into ${PARKS} values (1, 5000000000)`);
    await during("one is dropped", `drop table ${DROPPED}`);
    await during("an unreadable one", "create table fresh (id int primary key); insert into fresh values (1)");
    await during(
      "one is swapped",
      `alter table ${SWAPPED} rename to old; create table ${SWAPPED} (id int primary key, v int not null);
     grant select on ${SWAPPED} to "${role}"; insert into ${SWAPPED} values (1, 1)`,
    );
    ending.abort();
    await writing;
    await writer.end();
    const { status, tables, notCaptured } = await service.connector();
    const of = (name: string | undefined) => tables.find(({ table }) => table === `public.${name}`);
    expect(status).toBe("streaming");
    expect(of(PARKS)?.parked?.code).toBe("value-unfit");
    expect(of(DROPPED)?.gap?.what).toMatch(/was dropped/);
    expect(tables.find(({ topic: one }) => one.endsWith(`.${SWAPPED}`))?.parked?.code).toBe("table-replaced");
    expect(notCaptured.map(({ table }) => table)).toContain("public.fresh");
    const figures = [...delays].map(([what, ms]) => `${what}: ${ms} ms`).join(", ");
    console.log(`the longest delay of ${topics.length} tables, each written to every ${EVERY_MS} ms: ${figures}`);
    expect(Math.max(...delays.values())).toBeLessThan(MOST_MS);
    await world.stop();
    await database.query(`drop owned by "${role}"; drop role "${role}"`);
  },
  120_000,
);
