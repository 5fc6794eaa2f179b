import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../ports.ts";
import type { Stack } from "../stack.ts";
import { type Supervisor, startSupervisor } from "../supervisor.ts";
import { createDatabase, type Database } from "./database.ts";
import { type Program, launch } from "./program.ts";
import { type Repository, createGreeterRepository, createReplicaRepository } from "./repositories.ts";
import { createService, type Service } from "./service.ts";
import { CUSTOMERS, openShop, type Shop } from "./shop.ts";
import { type SlackReceiver, startSlackReceiver } from "./slack.ts";

/** The stage of the demo: two databases, the shop, a Slack receiver, and the processes of Fieldgate and of the consumers. */

/** Everything that the story uses. All of it is created for the stage and ends with it. */
export interface Stage extends AsyncDisposable {
  readonly stack: Stack;
  readonly topic: string;
  readonly source: Database;
  readonly shop: Shop;
  readonly service: Service;
  readonly slack: SlackReceiver;
  readonly greeter: Greeter;
  readonly replica: Replica;
  /** The processes that are expected to be running. */
  readonly running: Map<Role, Program>;
  /** Describes a process that ended unexpectedly; undefined if there is none. */
  trouble(): Promise<string | undefined>;
}

type Role = "service" | "greeter" | "replica";

interface Greeter {
  readonly url: string;
  readonly repository: Repository;
  start(): Promise<Program>;
}

interface Replica {
  readonly database: Database;
  readonly repository: Repository;
  start(): Promise<Program>;
}

const INITIAL_ROWS = 200;

/** Makes names unique on servers that others may be using. */
function suffixFor(stack: Stack): string {
  return stack.pids.kafka === undefined ? `_${randomBytes(3).toString("hex")}` : "";
}

async function troubleOf(running: Stage["running"], failed: Error | undefined): Promise<string | undefined> {
  if (failed !== undefined) return `the shop stopped writing: ${failed.message}`;
  const ended = [...running.values()].find((program) => program.ended() !== undefined);
  return ended === undefined ? undefined : `${ended.name} ended with ${ended.ended()}: ${await lastWords(ended)}`;
}

/** The last lines a process printed. */
export async function lastWords(program: Program): Promise<string> {
  return (await program.output()).trimEnd().split("\n").slice(-3).join("\n");
}

async function setConsumers(stack: Stack, supervisor: Supervisor, topic: string, copy: Database) {
  const env = { KAFKA_BROKERS: stack.kafka.brokers.join(","), REGISTRY_URL: stack.registry.url, TOPIC: topic };
  const port = await freePort();
  const greeterHome = await createGreeterRepository(supervisor.folder, topic);
  const replicaHome = await createReplicaRepository(supervisor.folder, topic);
  const start = (consumer: string, home: Repository, more: Readonly<Record<string, string>>): Promise<Program> =>
    launch(supervisor, consumer, {
      script: join(import.meta.dirname, `${consumer}.ts`),
      cwd: home.folder,
      env: { ...env, ...more },
    });
  const greeter: Greeter = {
    url: `http://127.0.0.1:${port}`,
    repository: greeterHome,
    start: () => start("greeter", greeterHome, { GREETER_PORT: String(port) }),
  };
  const replica: Replica = {
    database: copy,
    repository: replicaHome,
    start: () => start("replica", replicaHome, { DATABASE_URL: copy.url }),
  };
  return { greeter, replica };
}

async function createTables(source: Database, copy: Database): Promise<void> {
  await source.query(CUSTOMERS);
  await source.query(`insert into customers (name, city)
    select (array['Ada', 'Grace', 'Edsger', 'Barbara'])[1 + i % 4], (array['London', 'Turin', null])[1 + i % 3]
    from generate_series(1, ${INITIAL_ROWS}) i`);
  await copy.query(
    "create table customers (id int primary key, name text, city text, visits int, changed_at timestamptz)",
  );
}

/** Sets the stage on running servers: databases, the shop, which writes at once, and the consumers' repositories. */
export async function setStage(stack: Stack): Promise<Stage> {
  await using cleanup = new AsyncDisposableStack();
  const suffix = suffixFor(stack);
  const name = `shop${suffix}`;
  const topic = `${name}.public.customers`;
  const source = cleanup.use(await createDatabase(stack.postgres, name));
  const copy = cleanup.use(await createDatabase(stack.postgres, `replica${suffix}`));
  await createTables(source, copy);
  const slack = cleanup.use(await startSlackReceiver(process.env["FIELDGATE_SLACK_WEBHOOK_URL"]));
  const supervisor = cleanup.use(await startSupervisor());
  let failed: Error | undefined;
  const shop = cleanup.use(await openShop(source.address, (error) => (failed = error)));
  const connectors = join(supervisor.folder, "connectors");
  await mkdir(connectors);
  const token = randomBytes(16).toString("hex");
  const service = await createService({
    supervisor,
    folder: connectors,
    stack,
    database: source.address,
    name,
    token,
    slackUrl: slack.url,
  });
  const running: Stage["running"] = new Map();
  const consumers = await setConsumers(stack, supervisor, topic, copy);
  const owned = cleanup.move();
  return {
    stack,
    topic,
    source,
    shop,
    service,
    slack,
    running,
    ...consumers,
    trouble: () => troubleOf(running, failed),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
