import { type Database, freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { type Events, readEvents, type Row } from "./events.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

/** A database with a captured table, t(id, a) with one row unless set up otherwise, its service and its events. */
export interface World extends AsyncDisposable {
  readonly database: Database;
  readonly topic: string;
  readonly events: Events;
  /** The current service; `start` replaces it. */
  readonly service: Service;
  /** Ends the service with SIGTERM and waits until it has exited. */
  stop(): Promise<void>;
  /** Starts the service again, with other keys in the connector file if given. */
  start(connector?: Readonly<Record<string, string>>): Promise<Service>;
}

export interface WorldOptions extends Partial<Omit<ServiceOptions, "database">> {
  readonly database?: Database | undefined;
  /** SQL that replaces t(id, a) and its row. */
  readonly setup?: string | undefined;
  /** The registry that the test itself reads, for tests in which the service's registry fails. */
  readonly schemasFrom?: string | undefined;
  /** Runs before the service starts. */
  readonly before?: (topic: string) => Promise<void>;
}

const SETUP = "create table t (id int primary key, a text); insert into t values (1, 'one')";

export async function captureTable(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(options.database ?? (await freshDatabase()));
  await database.query(options.setup ?? SETUP);
  const prefix = options.prefix ?? uniquePrefix();
  const topic = `${prefix}.public.t`;
  await options.before?.(topic);
  const base: ServiceOptions = { tables: ["public.t"], ...options, database: database.address, prefix };
  let service = await startService(base);
  const events = stack.use(readEvents([topic], options.schemasFrom ?? options.registryUrl, options.kafkaBrokers));
  const open = stack.move();
  await service.idle();
  return {
    database,
    topic,
    events,
    get service() {
      return service;
    },
    async stop() {
      await service[Symbol.asyncDispose]();
    },
    async start(connector) {
      service = await startService({ ...base, connector: connector ?? base.connector ?? {} });
      return service;
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await open.disposeAsync();
    },
  };
}

/** The last row of each key, ignoring deletes: the rows of a consumer that keeps the newest event. */
export function latest(rows: readonly (Row | null)[]): Row[] {
  const byId = new Map<unknown, Row>();
  for (const row of rows) if (row !== null) byId.set(row["id"], row);
  return [...byId.values()];
}
