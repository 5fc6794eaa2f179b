import type { Client } from "pg";
import type { Addresses } from "../../local/environment.ts";
import { type Service, type ServiceOptions, startService } from "../e2e/service.ts";
import { collect } from "../stack/collect.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { registryDecoder } from "../stack/decode.ts";
import { kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { type AcknowledgedSampler, sampleAcknowledged } from "./acknowledged.ts";
import { type Checks, openChecks } from "./check.ts";
import type { Random } from "./random.ts";
import { type StateTopic, stateTopic } from "./state.ts";
import { TABLES } from "./tables.ts";
import { openTruth } from "./truth.ts";
import { startWorkload, type Workload } from "./workload.ts";

/** Everything that one run uses. The service is started and killed many times. */
export interface World extends AsyncDisposable {
  readonly random: Random;
  readonly prefix: string;
  readonly database: Database;
  readonly ddl: Client;
  readonly workload: Workload;
  readonly state: StateTopic;
  readonly acknowledged: AcknowledgedSampler;
  readonly checks: Checks;
  readonly stack: Addresses;
  /**
   * The rate of snapshots and backfills, in rows per second, of the services that are started next. Slow enough for a
   * kill in the middle of a table; the first snapshots, which no later ones replace, have to be still running after the
   * preparations, however slow the machine is.
   */
  readonly pace: { rate: number };
  /** Starts another process of the service. */
  readonly start: () => Promise<Service>;
  service: Service;
  /** The highest attnum that the database has committed, by table. */
  readonly altered: Map<string, number>;
  /** How many columns have been added so far. */
  added: number;
}

const CONNECTOR = {
  "fieldgate.release.policy": "manual",
  "fieldgate.release.policy.public.documents": "contracts",
  "fieldgate.release.policy.public.accounts": "observe",
  "fieldgate.chunk.rows": "200",
  "topic.creation.default.partitions": "3",
};

export async function openWorld(stack: Addresses, random: Random): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await freshDatabase(stack.postgres));
  for (const table of TABLES) await database.query(`${table.create}; ${table.fill}`);
  const prefix = uniquePrefix();
  const truth = await openTruth(await database.connect(), `truth_${prefix}`);
  const kafka = kafkaClient(stack.kafka.brokers);
  const stateCollector = opened.use(collect([`__fieldgate.${prefix}.state.${prefix}`], kafka));
  const topics = TABLES.map(({ name }) => `${prefix}.public.${name}`);
  const events = opened.use(collect(topics, kafka));
  const workload = await startWorkload(() => database.connect(), random.fork());
  opened.defer(() => workload.stop().catch(() => {})); // an earlier stop has thrown its error
  const options: ServiceOptions = {
    database: database.address,
    prefix,
    tables: TABLES.map(({ name }) => `public.${name}`),
    connector: { ...CONNECTOR, "slot.name": prefix },
    registryUrl: stack.registry.url,
    kafkaBrokers: stack.kafka.brokers,
  };
  const acknowledged = opened.use(sampleAcknowledged(await database.connect(), prefix));
  const state = stateTopic(stateCollector);
  const pace = { rate: 1000 };
  const start = () => {
    const connector = { ...options.connector, "fieldgate.backfill.rate": String(pace.rate) };
    return startService({ ...options, connector }, false);
  };
  let held: AsyncDisposableStack;
  const world: World = {
    random,
    prefix,
    database,
    pace,
    ddl: await database.connect(),
    workload,
    state,
    acknowledged,
    checks: openChecks({ truth, events, decoder: registryDecoder(stack.registry.url), state, acknowledged }),
    start,
    service: await start(),
    altered: new Map(),
    added: 0,
    stack,
    [Symbol.asyncDispose]: async () => {
      await world.service[Symbol.asyncDispose]();
      await held.disposeAsync();
    },
  };
  held = opened.move();
  return world;
}
