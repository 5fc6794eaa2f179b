import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { Random } from "./random.ts";
import { type Added, BULK, BULK_ROWS, type KillTable, TABLES, valueOf } from "./tables.ts";

const WRITERS = 4;

/** Sessions that write at random, each to its own keys, except for some rows of `bulk` that all of them update. */
export interface Workload {
  /** The current columns by table, as writers also fill columns that were added. */
  readonly columns: Map<string, readonly Added[]>;
  /** Changes every row of `bulk` twice, in one transaction. */
  largeTransaction(): Promise<void>;
  /** Ends after the running transactions. Throws the error of a writer that failed. */
  stop(): Promise<void>;
}

/** A writer's keys in one table: those that exist, and the last counter of every key that ever existed. */
interface Owned {
  readonly table: KillTable;
  readonly live: Set<string>;
  readonly counters: Map<string, number>;
}

interface Writer {
  readonly client: Client;
  readonly random: Random;
  readonly owner: number;
  readonly owned: readonly Owned[];
  readonly columns: ReadonlyMap<string, readonly Added[]>;
}

export async function startWorkload(connect: () => Promise<Client>, random: Random): Promise<Workload> {
  const columns = new Map(TABLES.map((table) => [table.name, table.columns]));
  const stopping = new AbortController();
  const writers: Writer[] = [];
  for (let owner = 0; owner < WRITERS; owner++) {
    writers.push({ client: await connect(), random: random.fork(), owner, owned: ownedBy(owner), columns });
  }
  const running = writers.map((writer) => write(writer, stopping.signal));
  const failed = Promise.all(running).catch((error: unknown) => {
    stopping.abort();
    return error;
  });
  const bulk = await connect();
  return {
    columns,
    async largeTransaction() {
      await bulk.query(
        `begin; update ${BULK} set n = n + 1, note = 'large'; update ${BULK} set n = n + 1, note = 'larger'; commit`,
      );
    },
    async stop() {
      stopping.abort();
      const error = await failed;
      await Promise.all([...writers.map(({ client }) => client.end()), bulk.end()]);
      if (error instanceof Error) throw error;
    },
  };
}

function ownedBy(owner: number): readonly Owned[] {
  return TABLES.filter(({ name }) => name !== BULK).map((table) => {
    const keys = table.keys().filter(([first]) => Number(first) % WRITERS === owner);
    const texts = keys.map((key) => key.join("|"));
    return { table, live: new Set(texts), counters: new Map(texts.map((key) => [key, 1])) };
  });
}

async function write(writer: Writer, stopping: AbortSignal): Promise<void> {
  const { client, random } = writer;
  while (!stopping.aborted) {
    if (random.chance(0.15)) {
      const id = random.between(1, BULK_ROWS);
      await client.query(`update ${BULK} set n = n + 1, note = 'one' where id = $1`, [id]);
    } else await transaction(writer);
    await sleep(random.between(5, 50));
  }
}

/** One to six changes. Some transactions are rolled back, which leaves a gap in the counters. */
async function transaction(writer: Writer): Promise<void> {
  const { client, random } = writer;
  await client.query("begin");
  const done: (() => void)[] = [];
  const touched = new Set<string>();
  for (let left = random.between(1, 6); left > 0; left--) {
    const owned = random.pick(writer.owned);
    const step = await change(writer, owned, touched);
    if (step !== undefined) done.push(step);
  }
  if (random.chance(0.07)) await client.query("rollback");
  else {
    await client.query("commit");
    for (const step of done) step();
  }
}

/** Changes a key that this transaction has not changed yet. Returns what to record once it is committed. */
async function change(writer: Writer, owned: Owned, touched: Set<string>): Promise<(() => void) | undefined> {
  const { random } = writer;
  const drawn = owned.table.draw(random, writer.owner, WRITERS).join("|");
  const other = random.pick([...owned.live]);
  if ([drawn, other].some((key) => touched.has(`${owned.table.name}/${key}`))) return undefined;
  touched.add(`${owned.table.name}/${drawn}`).add(`${owned.table.name}/${other}`);
  if (owned.live.has(drawn))
    return random.chance(0.2) ? remove(writer, owned, drawn) : update(writer, owned, drawn, drawn);
  return random.chance(0.3) ? update(writer, owned, other, drawn) : insert(writer, owned, drawn);
}

function count(owned: Owned, ...keys: readonly string[]): number {
  const n = 1 + Math.max(0, ...keys.map((key) => owned.counters.get(key) ?? 0));
  for (const key of keys) owned.counters.set(key, n);
  return n;
}

/** Some of the columns, each with a new value. */
function some(writer: Writer, table: KillTable, share: number): readonly (readonly [string, string | null])[] {
  const all = writer.columns.get(table.name) ?? [];
  return all
    .filter((column) => writer.random.chance(share) || column.kind === "hush")
    .map((column) => [column.name, valueOf(column, writer.random)] as const);
}

async function insert(writer: Writer, owned: Owned, key: string): Promise<() => void> {
  const { table } = owned;
  const pairs = [
    ...table.key.map((name, index) => [name, key.split("|")[index]] as const),
    ["n", String(count(owned, key))] as const,
    ...some(writer, table, 0.8),
  ];
  const names = pairs.map(([name]) => name).join(", ");
  const places = pairs.map((_, index) => `$${index + 1}`).join(", ");
  const values = pairs.map(([, value]) => value ?? null);
  await one(writer, `insert into ${table.name} (${names}) values (${places})`, values);
  return () => owned.live.add(key);
}

/** If `to` differs, the key changes too. */
async function update(writer: Writer, owned: Owned, from: string, to: string): Promise<() => void> {
  const { table } = owned;
  const pairs = [
    ...(from === to ? [] : table.key.map((name, index) => [name, to.split("|")[index]] as const)),
    ["n", String(count(owned, from, to))] as const,
    ...some(writer, table, 0.4),
  ];
  const set = pairs.map(([name], index) => `${name} = $${index + 1}`).join(", ");
  const where = table.key.map((name, index) => `${name} = $${pairs.length + index + 1}`).join(" and ");
  const values = [...pairs.map(([, value]) => value ?? null), ...from.split("|")];
  await one(writer, `update ${table.name} set ${set} where ${where}`, values);
  return () => {
    owned.live.delete(from);
    owned.live.add(to);
  };
}

async function remove(writer: Writer, owned: Owned, key: string): Promise<() => void> {
  const { table } = owned;
  count(owned, key);
  const where = table.key.map((name, index) => `${name} = $${index + 1}`).join(" and ");
  await one(writer, `delete from ${table.name} where ${where}`, key.split("|"));
  return () => owned.live.delete(key);
}

async function one(writer: Writer, sql: string, values: readonly (string | null)[]): Promise<void> {
  const { rowCount } = await writer.client.query(sql, [...values]);
  if (rowCount !== 1) throw new Error(`the workload is wrong: ${rowCount} rows of ${sql}`);
}
