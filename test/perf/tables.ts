/**
 * A connector with 2,000 tables, 6,000 withheld columns and 10,000 contracts: how long it takes to start, and how long a
 * committed row takes to be readable. Run `npm run perf:tables`; it takes several minutes.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { environmentAddresses } from "../../local/environment.ts";
import { startStack } from "../../local/stack.ts";
import { startService } from "../e2e/service.ts";
import { freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { consume, idOf, percentile } from "./scene.ts";

const TABLES = Number(process.argv[2] ?? 2000);
const COLUMNS = 3;
const CONTRACTS_EACH = 5;
/** Tables whose contracts are published at the same time. */
const TABLES_AT_ONCE = 8;
const ROWS = 200;
const EVERY_MS = 50;
const LONG_MS = 900_000;
const START_MS = 20_000;
const READABLE_MS = 200;

await using stack = new AsyncDisposableStack();
const addresses = process.env["FIELDGATE_STACK"] === "env" ? environmentAddresses() : stack.use(await startStack());
const database = stack.use(await freshDatabase(addresses.postgres));
await eachTable("create table t%1$s (id bigint primary key, a text)");
await eachTable("insert into t%1$s values (0, 'row')");
const prefix = uniquePrefix();
const topic = `${prefix}.public.t1`;
const options = {
  database: database.address,
  prefix,
  tables: ["public\\.t\\d+"],
  registryUrl: addresses.registry.url,
  kafkaBrokers: addresses.kafka.brokers,
  connector: { "fieldgate.release.policy": "manual" },
};
let isFine = true;
let started = performance.now();
let service = await start();
report(`first start with ${TABLES} tables, ${TABLES * 2} subjects and topics`, performance.now() - started, Infinity);
await service.idle(LONG_MS);
report("the same, with the snapshot done", performance.now() - started, Infinity);
const readable = new Map<bigint, number>();
await using _consumer = await consume({ addresses, topic }, (value) => {
  const id = idOf(value);
  if (id !== undefined && !readable.has(id)) readable.set(id, performance.now());
});
let lastId = 0n;
await measureRows("tables alone");
for (let column = 1; column <= COLUMNS; column++) await eachTable(`alter table t%1$s add column c${column} text`);
await eachTable("update t%1$s set c1 = 'one', c2 = 'two', c3 = 'three'");
started = performance.now();
await until(
  async () => {
    // The answer has thousands of amendments, so it is not asked for often.
    await sleep(5000);
    return (await service.amendments()).length === TABLES * COLUMNS;
  },
  "every column is withheld",
  LONG_MS,
);
report(`${TABLES * COLUMNS} columns withheld`, performance.now() - started, Infinity);
await measureRows("with withheld columns");
for (let from = 1; from <= TABLES; from += TABLES_AT_ONCE) {
  const tables = Array.from({ length: Math.min(TABLES_AT_ONCE, TABLES + 1 - from) }, (_, at) => from + at);
  await Promise.all(tables.flatMap(publishContracts));
}
await measureRows("with contracts, just published");
await service[Symbol.asyncDispose]();
started = performance.now();
service = await start();
report("start with all of them", performance.now() - started, START_MS);
await measureRows("after that start");
await service[Symbol.asyncDispose]();
process.exitCode = isFine ? 0 : 1;

async function start() {
  const begun = await startService(options, false);
  await until(async () => (await health(begun.url)) === "ok", "the service streams", LONG_MS);
  return begun;
}

/** No consumer may have more than a thousand contracts. */
function publishContracts(table: number): readonly Promise<unknown>[] {
  return Array.from({ length: CONTRACTS_EACH }, (_, consumer) =>
    service.publishContract({
      consumer: `consumer-${consumer}-${table % 4}`,
      topic: `${prefix}.public.t${table}`,
      decodesWith: "writer",
      unknownFields: consumer === 0 ? "reject" : "accept",
      fields: ["id", "a"],
    }),
  );
}

async function health(url: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/health`).catch(() => undefined);
  return answer === undefined ? undefined : ((await answer.json()) as { status: string }).status; // the service's answer
}

/** Runs a statement for each table; `%1$s` is its number. */
async function eachTable(statement: string): Promise<void> {
  for (let from = 1; from <= TABLES; from += 100) {
    const to = Math.min(from + 99, TABLES);
    await database.query(
      `do $$ begin for i in ${from}..${to} loop execute format('${statement.replaceAll("'", "''")}', i); end loop; end $$`,
    );
  }
}

/** Measures how long a row takes from its commit until a consumer can read it. */
async function measureRows(when: string): Promise<void> {
  const committed = new Map<bigint, number>();
  for (let i = 0; i < ROWS; i++) {
    lastId += 1n;
    await database.query("insert into t1 values ($1, 'row')", [lastId.toString()]);
    committed.set(lastId, performance.now());
    await sleep(EVERY_MS);
  }
  await until(() => [...committed.keys()].every((id) => readable.has(id)), "all rows are readable", LONG_MS);
  const waits = [...committed].map(([id, at]) => Math.max(0, (readable.get(id) ?? Number.NaN) - at));
  const [half, most] = [percentile(waits, 0.5), percentile(waits, 0.99)];
  const status = await readFile(`/proc/${service.pid}/status`, "utf8");
  const memory = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  isFine &&= half <= READABLE_MS;
  console.log(
    `${when}: a row is readable after ${half.toFixed(0)} ms (p99 ${most.toFixed(0)}, at most ${READABLE_MS}); RSS ${memory.toFixed(0)} MB`,
  );
}

function report(what: string, ms: number, limit: number): void {
  isFine &&= ms <= limit;
  const most = limit === Infinity ? "" : ` (at most ${limit / 1000} s)`;
  console.log(`${what}: ${(ms / 1000).toFixed(1)} s${most}`);
}
