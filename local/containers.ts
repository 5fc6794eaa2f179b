/**
 * FIELDGATE_STACK=containers: the same servers from the images in docker-compose.yml, for machines with a container
 * engine. We choose the ports of this machine ourselves, so that a killed server restarts at the same address.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  Network,
  type StartedNetwork,
} from "testcontainers";
import { parse } from "yaml";
import { pingKafka, SETTINGS as KAFKA_SETTINGS } from "./kafka.ts";
import { freePort } from "./ports.ts";
import { pingPostgres, SETTINGS as POSTGRES_SETTINGS } from "./postgres.ts";
import { expectOk, requireBackward } from "./registry.ts";
import type { Part, Process, StackOptions, StartedParts } from "./stack.ts";

/** One server in its container. */
interface Contained {
  /** Id of its process on the machine of the container engine. */
  readonly pid: () => number;
  kill(): Promise<void>;
  restart(): Promise<void>;
  remove(): Promise<void>;
}

type Images = Readonly<Record<Part, string>>;

async function readImages(): Promise<Images> {
  const { services } = parse(await readFile(join(import.meta.dirname, "../docker-compose.yml"), "utf8"));
  return { postgres: services.postgres.image, kafka: services.kafka.image, registry: services.registry.image };
}

/** Why containers cannot be used here: no engine answers, or an image is missing and cannot be pulled. */
export async function whyNoContainers(parts: readonly Part[]): Promise<string | undefined> {
  const engine = await getContainerRuntimeClient().catch(() => undefined);
  if (engine === undefined) return "no container engine answers";
  const images = await readImages();
  for (const part of parts) {
    const image = ImageName.fromString(images[part]);
    if (await engine.image.exists(image)) continue;
    const pulled = await engine.image.pull(image).then(
      () => true,
      () => false,
    );
    if (!pulled) return `image ${images[part]} is missing and cannot be pulled`;
  }
  return undefined;
}

interface Wanted {
  readonly image: string;
  readonly alias: Part;
  /** The port in the container, and the one on this machine. */
  readonly port: readonly [inside: number, outside: number];
  readonly environment: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly ready: () => Promise<unknown>;
}

const READY_MS = 180_000;

async function untilReady(alias: Part, ready: Wanted["ready"]): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    try {
      await ready();
      return;
    } catch (cause) {
      if (performance.now() > deadline) throw new Error(`container ${alias} does not answer`, { cause });
    }
    await sleep(100);
  }
}

async function startOne(engine: ContainerRuntimeClient, network: StartedNetwork, wanted: Wanted): Promise<Contained> {
  const [inside, outside] = wanted.port;
  const container = new GenericContainer(wanted.image)
    .withNetwork(network)
    .withNetworkAliases(wanted.alias)
    .withExposedPorts({ container: inside, host: outside })
    .withEnvironment({ ...wanted.environment })
    .withStartupTimeout(READY_MS);
  if (wanted.command !== undefined) container.withCommand([...wanted.command]);
  const handle = engine.container.getById((await container.start()).getId());
  let pid = 0;
  const answering = async (): Promise<void> => {
    await untilReady(wanted.alias, wanted.ready);
    pid = (await engine.container.inspect(handle)).State.Pid;
  };
  const remove = () => handle.remove({ force: true, v: true });
  await answering().catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    pid: () => pid,
    async kill() {
      const gone = handle.wait();
      await handle.kill({ signal: "SIGKILL" });
      await gone;
    },
    async restart() {
      await handle.start();
      await answering();
    },
    remove,
  };
}

function postgresWanted(image: string, host: string, port: number, flags: readonly string[]) {
  const password = randomBytes(12).toString("hex");
  const address = { host, port, user: "postgres", password, database: "postgres" };
  const settings = [...POSTGRES_SETTINGS, ...flags].flatMap((setting) => ["-c", setting]);
  const wanted: Wanted = {
    image,
    alias: "postgres",
    port: [5432, port],
    environment: { POSTGRES_PASSWORD: password },
    command: ["postgres", ...settings],
    ready: () => pingPostgres(address),
  };
  return { address, wanted };
}

/** The image's variable for a setting: KAFKA_ and upper case, with `_` for `.`, `__` for `_` and `___` for `-`. */
function kafkaVariable(setting: string): string {
  return `KAFKA_${setting.replaceAll("_", "__").replaceAll("-", "___").replaceAll(".", "_").toUpperCase()}`;
}

/** Has one listener for this machine and another, kafka:19092, for the registry's container. */
function kafkaWanted(image: string, host: string, port: number, properties: StackOptions["kafkaProperties"]) {
  const brokers = [`${host}:${port}`];
  const settings = {
    ...KAFKA_SETTINGS,
    "controller.quorum.voters": "1@localhost:9093",
    listeners: "INSIDE://:19092,PLAINTEXT://:9092,CONTROLLER://localhost:9093",
    "advertised.listeners": `INSIDE://kafka:19092,PLAINTEXT://${host}:${port}`,
    "listener.security.protocol.map": "INSIDE:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "INSIDE",
    ...properties,
  };
  const variables = Object.entries(settings).map(([name, value]) => [kafkaVariable(name), value]);
  const wanted: Wanted = {
    image,
    alias: "kafka",
    port: [9092, port],
    environment: Object.fromEntries(variables),
    ready: () => pingKafka(brokers),
  };
  return { address: { brokers }, wanted };
}

function registryWanted(image: string, host: string, port: number, inKafka: boolean) {
  const url = `http://${host}:${port}/apis/ccompat/v7`;
  const storage = { APICURIO_STORAGE_KIND: "kafkasql", APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: "kafka:19092" };
  const wanted: Wanted = {
    image,
    alias: "registry",
    port: [8080, port],
    environment: inKafka ? storage : {},
    async ready() {
      await expectOk(fetch(`http://${host}:${port}/health/ready`));
      await requireBackward(url);
    },
  };
  return { address: { url }, wanted };
}

/** Starts the requested parts in containers that end with this process. Throws for options that need local servers. */
export async function startContainers(options: StackOptions): Promise<StartedParts> {
  if (options.kafkaSecured !== undefined) throw new Error("secured listeners require FIELDGATE_STACK=local");
  if (options.brokers === 3) throw new Error("three brokers require FIELDGATE_STACK=local");
  const engine = await getContainerRuntimeClient();
  const { host } = engine.info.containerRuntime;
  const images = await readImages();
  const network = await new Network().start();
  const contained = new Map<Process, Contained>();
  const stop = async (): Promise<void> => {
    await Promise.all([...contained.values()].map((each) => each.remove()));
    await network.stop();
  };
  async function up<Address>(part: Part, { address, wanted }: { address: Address; wanted: Wanted }): Promise<Address> {
    contained.set(part, await startOne(engine, network, wanted));
    return address;
  }
  const { registryInKafka = false, postgresFlags = [], kafkaProperties } = options;
  const unlessLeftOut = async <T>(part: Part, start: () => Promise<T>): Promise<T | undefined> =>
    options[part] === false ? undefined : start();
  const kafkaUp = unlessLeftOut("kafka", async () =>
    up("kafka", kafkaWanted(images.kafka, host, await freePort(), kafkaProperties)),
  );
  const starting = [
    unlessLeftOut("postgres", async () =>
      up("postgres", postgresWanted(images.postgres, host, await freePort(), postgresFlags)),
    ),
    kafkaUp,
    unlessLeftOut("registry", async () => {
      if (registryInKafka) await kafkaUp;
      return up("registry", registryWanted(images.registry, host, await freePort(), registryInKafka));
    }),
  ] as const;
  const [postgres, kafka, registry] = await Promise.all(starting).catch(async (error: unknown) => {
    // A container can only be removed once it has started.
    await Promise.allSettled(starting);
    await stop();
    throw error;
  });
  return {
    addresses: { postgres, kafka, registry },
    pids: () => new Map([...contained].map(([part, { pid }]) => [part, pid()])),
    kill: async (part) => contained.get(part)?.kill(),
    restart: async (part) => contained.get(part)?.restart(),
    stop,
  };
}
