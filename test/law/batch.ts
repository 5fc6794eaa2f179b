import { setTimeout as sleep } from "node:timers/promises";
import type { Schema } from "avsc";
import type { Client } from "pg";
import type { Addresses } from "../../local/environment.ts";
import type { Health } from "../../src/api/api.ts";
import { installTrigger, uninstallTrigger } from "../../src/postgres/trigger.ts";
import { isRead, type Service, type ServiceOptions, startService } from "../e2e/service.ts";
import type { Random } from "../kill/random.ts";
import { collect } from "../stack/collect.ts";
import { freshDatabase } from "../stack/database.ts";
import { registryDecoder } from "../stack/decode.ts";
import { kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import type { LawEvent } from "./check.ts";
import type { Table, Trigger, World } from "./compare.ts";
import { createTable, openModel } from "./model.ts";
import { type Played, played, releaseAll, REST_MS, settle } from "./settle.ts";
import { PUBLICATION } from "./rows.ts";
import { sqlOf } from "./sql.ts";
import { KEYS, type Step, type Story } from "./story.ts";
import { noteVersionsOf, openTruth } from "./truth.ts";

/**
 * A batch is some stories at once, each in a table of its own, under one connector of the real service: what happens
 * to the service between the rounds happens to all of them. A batch with one story is how a failure is looked at.
 */
export interface Batch {
  readonly stories: readonly Story[];
  readonly trigger: Trigger;
  /** What happens to the service in each round. */
  readonly faults: readonly Fault[];
}

/** `down`: the service is off while the round's statements run. `kill`: it dies in the middle of them. */
export type Fault = "none" | "idle" | "restart" | "down" | "kill";

/** @throws Error for a batch that could not be played, which shows nothing about its stories */
export async function playBatch(stack: Addresses, batch: Batch, random: Random): Promise<readonly Played[]> {
  await using opened = new AsyncDisposableStack();
  const world = await openWorld(opened, stack, batch, random);
  try {
    for (const [round, fault] of batch.faults.entries()) {
      await playRound(world, round, fault);
    }
    // A row after all DDL: what no row has used is no amendment yet.
    for (const table of world.tables) await playStep(world.database, table, { kind: "insert", key: 1, nulls: 0 });
    await Promise.all([stir(world), releaseAll(world, () => true)]);
    return await played(world, await settle(world));
  } catch (cause) {
    if (world.service === undefined || (await world.service.connector().catch(() => undefined)) !== undefined)
      throw cause;
    const last = world.service.output().trim().split("\n").slice(-3).join("\n    ");
    return world.tables.map(({ story, statements }) => ({ story, statements, difference: `${ENDED}${last}` }));
  }
}

/** The difference of every story of a batch in which the service ended by itself. */
export const ENDED = "the service ended:\n    ";

async function openWorld(
  opened: AsyncDisposableStack,
  stack: Addresses,
  { stories, trigger }: Batch,
  random: Random,
): Promise<World> {
  const database = opened.use(await freshDatabase(stack.postgres));
  const prefix = uniquePrefix();
  const tables = stories.map((story, index): Table => {
    const name = `s${index}`;
    const topic = `${prefix}.public.${name}`;
    return { story, model: openModel(name, story), topic, statements: [], releasedAt: new Map() };
  });
  await database.query(tables.map(({ model }) => createTable(model)).join("; "));
  const clients = await Promise.all(Array.from({ length: 4 }, () => database.connect()));
  if (trigger === "with") await installTrigger(await database.connect(), stack.postgres.user);
  await openTruth(database);
  const options: ServiceOptions = {
    database: database.address,
    prefix,
    tables: tables.map(({ model }) => `public.${model.table}`),
    connector: {
      "skipped.operations": "none",
      "publication.name": PUBLICATION,
      "publish.via.partition.root": "true",
      ...Object.fromEntries(
        tables.map(({ model, story }) => [`fieldgate.release.policy.public.${model.table}`, story.policy]),
      ),
    },
    registryUrl: stack.registry.url,
    kafkaBrokers: stack.kafka.brokers,
  };
  const start = () => startPatiently(options);
  const kafka = kafkaClient(stack.kafka.brokers);
  const admin = kafka.admin();
  await admin.connect();
  // Thousands of topics make a broker slow.
  opened.defer(async () => {
    const names = (await admin.listTopics()).filter((name) => name.includes(prefix));
    await admin.deleteTopics({ topics: names }).catch(() => {});
    await admin.disconnect();
  });
  const service = await start();
  await service.idle(REST_MS);
  await database.query(tables.map(({ model }) => noteVersionsOf(model.table)).join(";"));
  const collector = opened.use(
    collect(
      tables.map(({ topic }) => topic),
      kafka,
    ),
  );
  const decoder = registryDecoder(stack.registry.url);
  const seen = {
    trigger,
    printed: "",
    events: new Map<string, LawEvent[]>(),
    schemas: new Map<number, Schema>(),
    decoded: 0,
  };
  const world: World = { database, clients, tables, start, admin, collector, decoder, random, service, ...seen };
  opened.defer(async () => world.service?.[Symbol.asyncDispose]());
  return world;
}

/** On a busy machine, fifty tables take longer than a test would wait. */
async function startPatiently(options: ServiceOptions): Promise<Service> {
  const service = await startService(options, false);
  let ended = false;
  void service.exited.then(() => (ended = true));
  const isReady = async () => isRead(await service.get<Health>("/health"));
  await until(async () => ended || isReady(), "the service streams", REST_MS);
  return service;
}

async function playRound(world: World, round: number, fault: Fault): Promise<void> {
  if (fault === "down" || fault === "restart") await stop(world);
  if (fault === "restart") world.service = await world.start();
  const playing = Promise.all([
    ...world.clients.map(async (client, share) => {
      for (const [index, table] of world.tables.entries()) {
        if (index % world.clients.length === share) await playSteps(client, table, round);
      }
    }),
    changeTrigger(world),
  ]);
  if (fault === "kill") {
    world.service?.kill("SIGKILL");
    await stop(world);
  }
  await playing;
  world.service ??= await world.start();
  // Whether it comes to rest at all is asked in the end.
  if (fault === "idle") await world.service.idle().catch(() => {});
  await releaseAll(world, ({ story }) => story.policy === "manual" && world.random.chance(0.3));
  await releaseAll(world, ({ model }) => model.highest > 0 && world.random.chance(0.3), "table");
}

/** DDL of the same moment may be reported or not. */
async function changeTrigger({ database, trigger, random }: World): Promise<void> {
  if (trigger !== "changing") return;
  const client = await database.connect();
  await sleep(random.between(0, 200));
  if (random.chance(0.5)) await installTrigger(client, database.address.user);
  else await uninstallTrigger(client);
  await client.end();
}

async function playSteps(client: Client, table: Table, round: number): Promise<void> {
  for (const step of table.story.rounds[round] ?? []) await playStep(client, table, step);
}

async function playStep(
  client: { query(sql: string): Promise<unknown> },
  { model, statements }: Table,
  step: Step,
): Promise<void> {
  for (const sql of sqlOf(model, step) ?? []) {
    statements.push(sql.replaceAll(/x{9,}/g, "xxx…"));
    try {
      await client.query(sql);
    } catch (cause) {
      throw new Error(`the story's own SQL: ${statements.join("\n  ")}`, { cause });
    }
  }
}

/** So long at most, rows are written while chunks are read. */
const STIR_MS = 10_000;

/** Writes rows of all tables, time and again, while backfills read them. */
async function stir({ clients, tables, service, random }: World): Promise<void> {
  const done = new AbortController();
  const write = async (client: Client, share: number): Promise<void> => {
    const own = tables.filter(({ story }, index) => story.stirred && index % clients.length === share);
    // There are hundreds, which say nothing to whoever looks at a difference.
    const unlisted = own.map((table) => ({ ...table, statements: [] }));
    for (const { statements } of own) statements.push("-- rows are written while backfills read");
    while (!done.signal.aborted && own.length > 0) {
      for (const table of unlisted) {
        const key = { key: random.between(1, KEYS), nulls: random.between(0, 7) };
        await playStep(client, table, { kind: random.chance(0.3) ? "insert" : "update", ...key });
      }
    }
  };
  const watch = async (): Promise<void> => {
    const end = performance.now() + STIR_MS;
    for (let quiet = 0; quiet < 3 && performance.now() < end;) {
      const chunks = (await service?.connector())?.chunks ?? [];
      quiet = chunks.some(({ state }) => state === "running") ? 0 : quiet + 1;
      await sleep(100);
    }
  };
  await Promise.all([watch().finally(() => done.abort()), ...clients.map(write)]);
}

async function stop(world: World): Promise<void> {
  const { service } = world;
  await service?.[Symbol.asyncDispose]();
  world.printed += service?.output() ?? "";
  world.service = undefined;
}
