import { type Database, freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { type Events, readEvents, type Row } from "./events.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

/** A captured table t(id, a) with one row, the service that follows it, and what it publishes. */
export interface World extends AsyncDisposable {
  readonly database: Database;
  readonly topic: string;
  readonly events: Events;
  /** The service now: another after a restart. */
  readonly service: Service;
  /** Ends the service (SIGTERM) and waits until it has ended. */
  stop(): Promise<void>;
  /** Starts it again, with other keys of the connector file if given. */
  start(connector?: Readonly<Record<string, string>>): Promise<Service>;
}

export interface WorldOptions extends Partial<Omit<ServiceOptions, "database">> {
  readonly database?: Database | undefined;
  /** Instead of t(id, a) with a row. */
  readonly setup?: string | undefined;
  /** Where the test itself finds schemas, when the service's registry is to fail. */
  readonly schemasFrom?: string | undefined;
  /** Before the service starts, with the topic's name. */
  readonly before?: (topic: string) => Promise<void>;
}

const SETUP = "create table t (id int primary key, a text); insert into t values (1, 'one')";

export async function captured(options: WorldOptions = {}): Promise<World> {
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

/** The last row of each key, deletes left out: what a consumer that keeps the newest has. */
export function latest(rows: readonly (Row | null)[]): Row[] {
  const byId = new Map<unknown, Row>();
  for (const row of rows) if (row !== null) byId.set(row["id"], row);
  return [...byId.values()];
}
