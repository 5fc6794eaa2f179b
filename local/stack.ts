import { type Jvm, ensureJars } from "./cache.ts";
import { type Addresses, environmentAddresses } from "./environment.ts";
import { findJava } from "./java.ts";
import { type SecuredListeners, createKafka } from "./kafka.ts";
import { createPostgres } from "./postgres.ts";
import { createRegistry } from "./registry.ts";
import { type Prepared, type Server, type Supervisor, startSupervisor } from "./supervisor.ts";

export type Part = "postgres" | "kafka" | "registry";

/** Every part is started unless its name is false. Settings given here win over the stack's own. */
export interface StackOptions {
  readonly postgres?: boolean | undefined;
  readonly kafka?: boolean | undefined;
  readonly registry?: boolean | undefined;
  /** `name=value` settings of PostgreSQL. */
  readonly postgresFlags?: readonly string[] | undefined;
  readonly kafkaProperties?: Readonly<Record<string, string>> | undefined;
  /** Listeners that ask for certificates or passwords, beside the open one. */
  readonly kafkaSecured?: SecuredListeners | undefined;
  /** More flags of Kafka's JVM, which by default starts fast rather than runs fast: `-XX:TieredStopAtLevel=4` for figures. */
  readonly kafkaJvmFlags?: readonly string[] | undefined;
  /** The registry keeps its data in this stack's Kafka and so over a restart; it is then up some seconds later. */
  readonly registryInKafka?: boolean | undefined;
}

/** The servers of a stack. The address of a part that was not started throws when read. */
export interface Stack extends Addresses, AsyncDisposable {
  /** Process ids as of now; none for servers this process did not start. */
  readonly pids: Readonly<Partial<Record<Part, number>>>;
  /** Kills a server as kill -9 does and waits until it is gone. */
  kill(part: Part): Promise<void>;
  /** Starts a killed server again: same address, same data (the registry's only with `registryInKafka`). */
  restart(part: Part): Promise<void>;
  /** Ends all servers and removes their data. */
  stop(): Promise<void>;
}

/** Neither java nor Maven is looked for when only PostgreSQL is wanted. */
async function findJvm(options: StackOptions): Promise<Jvm | undefined> {
  if (options.kafka === false && options.registry === false) return undefined;
  const java = await findJava();
  return { java, jars: await ensureJars() };
}

interface Running {
  server: Server;
  readonly start: () => Promise<Server>;
}

function present<T>(part: Part, value: T | undefined): T {
  if (value === undefined) throw new Error(`this stack was started without ${part}`);
  return value;
}

async function startParts(supervisor: Supervisor, running: Map<Part, Running>, options: StackOptions) {
  const jvm = await findJvm(options);
  async function up<Address>(part: Part, preparing: Promise<Prepared<Address>>): Promise<Address> {
    const prepared = await preparing;
    running.set(part, { server: await prepared.start(), start: () => prepared.start() });
    return prepared.address;
  }
  const { postgresFlags = [], kafkaProperties: properties, kafkaJvmFlags: flags, kafkaSecured: secured } = options;
  const postgres = options.postgres === false ? undefined : up("postgres", createPostgres(supervisor, postgresFlags));
  const kafka =
    options.kafka === false || jvm === undefined
      ? undefined
      : up("kafka", createKafka(supervisor, { ...jvm, properties, flags, secured }));
  async function registry(): Promise<Addresses["registry"] | undefined> {
    if (options.registry === false || jvm === undefined) return undefined;
    const storage = options.registryInKafka === true ? await kafka : undefined;
    return up("registry", createRegistry(supervisor, jvm, storage?.brokers));
  }
  const [atPostgres, atKafka, atRegistry] = await Promise.all([postgres, kafka, registry()]);
  return { postgres: atPostgres, kafka: atKafka, registry: atRegistry };
}

/** Servers that this process started, wherever they run. */
export interface StartedParts {
  readonly addresses: { readonly [Name in Part]: Addresses[Name] | undefined };
  readonly pids: () => ReadonlyMap<Part, number>;
  readonly kill: (part: Part) => Promise<void>;
  readonly restart: (part: Part) => Promise<void>;
  readonly stop: () => Promise<void>;
}

async function startLocal(options: StackOptions): Promise<StartedParts> {
  const supervisor = await startSupervisor();
  const running = new Map<Part, Running>();
  const stop = async () => supervisor[Symbol.asyncDispose]();
  const addresses = await startParts(supervisor, running, options).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    addresses,
    pids: () => new Map([...running].map(([part, { server }]) => [part, server.pid])),
    async kill(part) {
      const { server } = present(part, running.get(part));
      process.kill(server.pid, "SIGKILL");
      await server.exited;
    },
    async restart(part) {
      const entry = present(part, running.get(part));
      entry.server = await entry.start();
    },
    stop,
  };
}

function stackOf({ addresses, pids, kill, restart, stop }: StartedParts): Stack {
  return {
    get postgres() {
      return present("postgres", addresses.postgres);
    },
    get kafka() {
      return present("kafka", addresses.kafka);
    },
    get registry() {
      return present("registry", addresses.registry);
    },
    get pids() {
      return Object.fromEntries(pids());
    },
    kill,
    restart,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function nothing(): Promise<void> {}

function notOurs(): never {
  throw new Error("FIELDGATE_STACK=env: servers this process did not start are not killed or restarted");
}

function fromEnvironment(): Stack {
  const theirs = { pids: {}, kill: notOurs, restart: notOurs, stop: nothing, [Symbol.asyncDispose]: nothing };
  return { ...environmentAddresses(), ...theirs };
}

/**
 * The servers Fieldgate works between: PostgreSQL with logical decoding, a Kafka broker, a schema registry at level
 * BACKWARD. With FIELDGATE_STACK unset or `local` they are started on free ports of 127.0.0.1, with data of their own,
 * and end with this process however it ends; with `env` they are the ones the environment names (see
 * `environmentAddresses`) and nothing is started; with `containers` they are started from images. Throws when java or Maven is missing, naming the ways on.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const kind = process.env["FIELDGATE_STACK"] ?? "local";
  switch (kind) {
    case "local":
      return stackOf(await startLocal(options));
    case "containers": {
      // Loaded here only: it is large.
      const { startContainers } = await import("./containers.ts");
      return stackOf(await startContainers(options));
    }
    case "env":
      return fromEnvironment();
    default:
      throw new Error(`FIELDGATE_STACK is local, containers or env, not ${kind}`);
  }
}
