import { type Jvm, ensureJars } from "./cache.ts";
import { type Addresses, environmentAddresses } from "./environment.ts";
import { findJava } from "./java.ts";
import { type KafkaAddress, type SecuredListeners, createKafka } from "./kafka.ts";
import { createPostgres } from "./postgres.ts";
import { killFamily } from "./processes.ts";
import { createRegistry, type RegistryProgram } from "./registry.ts";
import { type Prepared, type Server, type Supervisor, startSupervisor } from "./supervisor.ts";

/**
 * The servers that Fieldgate needs, for tests and the demo: PostgreSQL, Kafka and a schema registry. FIELDGATE_STACK
 * decides whether they are processes on this machine, containers, or servers that already run elsewhere.
 */

export type Part = "postgres" | "kafka" | "registry";

/** One server. With several brokers, `kafka` is the first. */
export type Process = Part | "kafka-2" | "kafka-3";

/** The brokers of a cluster of three. */
const BROKERS = ["kafka", "kafka-2", "kafka-3"] as const;

/** A part is started unless it is set to false. Settings given here take precedence over the stack's own. */
export interface StackOptions {
  readonly postgres?: boolean | undefined;
  readonly kafka?: boolean | undefined;
  readonly registry?: boolean | undefined;
  /** How many Kafka brokers there are; by default one. Three have all topics on each, of which one may be missing. */
  readonly brokers?: 1 | 3 | undefined;
  /** `name=value` settings of PostgreSQL. */
  readonly postgresFlags?: readonly string[] | undefined;
  readonly kafkaProperties?: Readonly<Record<string, string>> | undefined;
  /** Listeners that require certificates or passwords, in addition to the open one. */
  readonly kafkaSecured?: SecuredListeners | undefined;
  /** Further flags for Kafka's JVM, which is tuned to start fast; measurements need `-XX:TieredStopAtLevel=4`. */
  readonly kafkaJvmFlags?: readonly string[] | undefined;
  /** The registry keeps its data in this stack's Kafka and so survives a restart; it takes some seconds longer to start. */
  readonly registryInKafka?: boolean | undefined;
  /** A different version of the registry. */
  readonly registryProgram?: RegistryProgram | undefined;
}

/** The servers of a stack. Reading the address of a part that was not started throws. */
export interface Stack extends Addresses, AsyncDisposable {
  /** Current process ids; none for servers that this process did not start. */
  readonly pids: Readonly<Partial<Record<Process, number>>>;
  /** Kills a server with SIGKILL and waits until it has ended. */
  kill(process: Process): Promise<void>;
  /** Starts a killed server again with the same address and data (for the registry, only with `registryInKafka`). */
  restart(process: Process): Promise<void>;
  /** Ends all servers and removes their data. */
  stop(): Promise<void>;
}

/** PostgreSQL alone needs neither java nor Maven. */
async function findJvm(options: StackOptions): Promise<Jvm | undefined> {
  if (options.kafka === false && options.registry === false) return undefined;
  const java = await findJava();
  return { java, jars: await ensureJars() };
}

interface Running {
  server: Server;
  readonly start: () => Promise<Server>;
}

function present<T>(part: Process, value: T | undefined): T {
  if (value === undefined) throw new Error(`this stack was started without ${part}`);
  return value;
}

async function startParts(supervisor: Supervisor, running: Map<Process, Running>, options: StackOptions) {
  const jvm = await findJvm(options);
  async function up<Address>(part: Part, preparing: Promise<Prepared<Address>>): Promise<Address> {
    const prepared = await preparing;
    running.set(part, { server: await prepared.start(), start: () => prepared.start() });
    return prepared.address;
  }
  const { postgresFlags = [], kafkaProperties: properties, kafkaJvmFlags: flags, kafkaSecured: secured } = options;
  const postgres = options.postgres === false ? undefined : up("postgres", createPostgres(supervisor, postgresFlags));
  async function brokers(of: Jvm): Promise<KafkaAddress> {
    const { brokers: count = 1 } = options;
    const { address, starts } = await createKafka(supervisor, { ...of, properties, flags, secured, brokers: count });
    await Promise.all(
      starts.map(async (start, index) => {
        const server = await start(count);
        running.set(BROKERS[index] ?? "kafka", { server, start: () => start() });
      }),
    );
    return address;
  }
  const kafka = options.kafka === false || jvm === undefined ? undefined : brokers(jvm);
  async function registry(): Promise<Addresses["registry"] | undefined> {
    if (options.registry === false || jvm === undefined) return undefined;
    const storage = options.registryInKafka === true ? await kafka : undefined;
    const program = options.registryProgram ?? { java: jvm.java, jar: jvm.jars.registry };
    return up("registry", createRegistry(supervisor, program, storage?.brokers));
  }
  const [atPostgres, atKafka, atRegistry] = await Promise.all([postgres, kafka, registry()]);
  return { postgres: atPostgres, kafka: atKafka, registry: atRegistry };
}

/** Servers that this process started, wherever they run. */
export interface StartedParts {
  readonly addresses: { readonly [Name in Part]: Addresses[Name] | undefined };
  readonly pids: () => ReadonlyMap<Process, number>;
  readonly kill: (process: Process) => Promise<void>;
  readonly restart: (process: Process) => Promise<void>;
  readonly stop: () => Promise<void>;
}

async function startLocal(options: StackOptions): Promise<StartedParts> {
  const supervisor = await startSupervisor();
  const running = new Map<Process, Running>();
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
      await killFamily(server.pid);
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
  throw new Error("FIELDGATE_STACK=env: this process did not start the servers, so it cannot kill or restart them");
}

function fromEnvironment(): Stack {
  const theirs = { pids: {}, kill: notOurs, restart: notOurs, stop: nothing, [Symbol.asyncDispose]: nothing };
  return { ...environmentAddresses(), ...theirs };
}

/**
 * Starts PostgreSQL with logical decoding, a Kafka broker and a schema registry with level BACKWARD.
 * - FIELDGATE_STACK unset or `local`: on free ports of 127.0.0.1, with new data. They end with this process, however it
 *   ends. Throws if java or Maven is missing; the error lists the alternatives.
 * - `containers`: from images.
 * - `env`: nothing is started; the environment has the addresses (see `environmentAddresses`).
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const kind = process.env["FIELDGATE_STACK"] ?? "local";
  switch (kind) {
    case "local":
      return stackOf(await startLocal(options));
    case "containers": {
      // Loaded only here, because it is large.
      const { startContainers } = await import("./containers.ts");
      return stackOf(await startContainers(options));
    }
    case "env":
      return fromEnvironment();
    default:
      throw new Error(`FIELDGATE_STACK must be local, containers or env, not ${kind}`);
  }
}
