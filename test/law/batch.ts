import { setTimeout as sleep } from "node:timers/promises";
import type { Schema } from "avsc";
import type { Client } from "pg";
import type { Addresses } from "../../local/environment.ts";
import type { Health } from "../../src/api/api.ts";
import { installTrigger, uninstallTrigger } from "../../src/postgres/trigger.ts";
import { type Service, type ServiceOptions, startService } from "../e2e/service.ts";
import type { Random } from "../kill/random.ts";
import { collect } from "../stack/collect.ts";
import { freshDatabase } from "../stack/database.ts";
import { registryDecoder } from "../stack/decode.ts";
import { kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import type { LawEvent } from "./check.ts";
import { compare, type Table, type Trigger, type World } from "./compare.ts";
import { createTable, isOfFirst, type Model, MOST_COLUMNS, openModel } from "./model.ts";
import { PUBLICATION, sqlOf } from "./sql.ts";
import type { Step, Story } from "./story.ts";
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

export interface Played {
  readonly story: Story;
  readonly statements: readonly string[];
  /** undefined: every check held. */
  readonly difference: string | undefined;
}

export async function playBatch(stack: Addresses, batch: Batch, random: Random): Promise<readonly Played[]> {
  await using opened = new AsyncDisposableStack();
  const world = await openWorld(opened, stack, batch, random);
  try {
    for (const [round, fault] of batch.faults.entries()) {
      await playRound(world, round, fault);
    }
    // A row after all DDL: what no row has used is no amendment yet.
    for (const table of world.tables) await playStep(world.database, table, { kind: "insert", key: 1, nulls: 0 });
    return await settle(world);
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
    return { story, model: openModel(name), topic, statements: [], releasedAt: new Map() };
  });
  await database.query(tables.map(({ model }) => createTable(model)).join(";"));
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
  const isReady = async () => (await service.get<Health>("/health")).status !== "starting";
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
  await releaseAll(world, ({ model }) => model.base > 0 && world.random.chance(0.3), "table");
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

async function stop(world: World): Promise<void> {
  const { service } = world;
  await service?.[Symbol.asyncDispose]();
  world.printed += service?.output() ?? "";
  world.service = undefined;
}

/** An operator releases all that waits in some tables, or accepts the tables that took their names, until nothing waits. */
async function releaseAll(world: World, chosen: (table: Table) => boolean, only?: "table"): Promise<void> {
  const { service, tables, admin } = world;
  const wanted = tables.filter(chosen);
  if (service === undefined || wanted.length === 0) return;
  for (let tries = 0; tries < 5; tries += 1) {
    const open = (await service.amendments()).filter(
      ({ gate, kind }) => gate.kind === "withheld" && (only === undefined || kind === only),
    );
    const waiting = wanted.filter(({ topic }) => open.some((one) => one.topic === topic));
    if (waiting.length === 0) return;
    for (const { topic, model, releasedAt } of waiting) {
      const all = open.filter((one) => one.topic === topic);
      // Once another table is accepted, what waited for its columns does so no longer.
      const accepting = all.filter(({ kind }) => kind === "table");
      const ids = (accepting.length > 0 ? accepting : all).map(({ id }) => id);
      const [end] = await admin.fetchTopicOffsets(topic);
      const released = accepting.length > 0 ? columnsTakenWith(model) : ids.flatMap((id) => columnsOf(model, id));
      for (const attnum of released) if (!releasedAt.has(attnum)) releasedAt.set(attnum, BigInt(end?.high ?? 0));
      await service
        .command({ kind: "release", ids, reason: "the story", force: true, backfill: "all" })
        .catch(() => {});
    }
  }
}

/** A table that is accepted as it is gives its columns to the fields of the same names. */
function columnsTakenWith({ live, gone }: Model): readonly number[] {
  return [...live, ...gone].filter((column) => !isOfFirst(column)).map(({ attnum }) => attnum);
}

/** The service may be behind, so an amendment may be about a column of any table that has had the name. */
function columnsOf({ base }: Model, id: string): readonly number[] {
  const attnum = Number(id.split("/")[1]);
  return Array.from({ length: base / MOST_COLUMNS + 1 }, (_, table) => table * MOST_COLUMNS + attnum);
}

/** Longer than the service takes between two looks at anything, which are rarer where each takes its time. */
const STILL_MS = 30_000;
/** Events that came so recently may not be all. */
const QUIET_MS = 500;

/** A service that still publishes after so long publishes the same again and again. */
const REST_MS = 600_000;

/** Waits until the events are the truth, and says of each story what is left of a difference. */
async function settle(world: World): Promise<readonly Played[]> {
  const { service, tables } = world;
  const end = performance.now() + REST_MS;
  let found: readonly (string | undefined)[];
  let signs = "";
  let since = performance.now();
  for (;;) {
    await sleep(QUIET_MS / 2);
    await releaseAll(world, () => true);
    const chunks = (await service?.connector())?.chunks.map(({ state, scanned }) => [state, scanned]);
    const now = JSON.stringify([world.collector.records.length, chunks]);
    if (now !== signs) since = performance.now();
    signs = now;
    const still = performance.now() - since;
    if (still < QUIET_MS && performance.now() < end) continue;
    found = await compare(world);
    if (found.every((difference) => difference === undefined) || still > STILL_MS) break;
    if (performance.now() < end) continue;
    const open = `${chunks?.filter(([state]) => state === "running").length} jobs run`;
    found = found.map((one) => `${one ?? "no difference"}, and the service does not come to rest: ${open}`);
    break;
  }
  const problem = (await service?.connector())?.problem;
  const amendments = (await service?.amendments()) ?? [];
  return tables.map(({ story, statements, topic }, index) => {
    const difference = found[index];
    if (difference === undefined) return { story, statements, difference };
    const open = amendments
      .filter((one) => one.topic === topic)
      .map(({ id, field, kind, gate }) => `\n     ${id} ${field} ${kind} ${gate.kind}: ${gate.why}`);
    const why = problem === undefined ? "" : `\n     the connector: ${problem.message}`;
    return { story, statements, difference: `${difference}${why}${open.join("")}` };
  });
}
