import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import type { Jvm } from "./cache.ts";
import { freePort } from "./ports.ts";
import { type Server, type Supervisor, runToEnd, untilReady } from "./supervisor.ts";

/** The Kafka brokers of the local stack: their settings, optional secured listeners, and how they are started. */

/** Listeners in addition to the open one, which the broker itself and all other clients continue to use. */
export interface SecuredListeners {
  readonly protocols: readonly SecurityProtocol[];
  /** Keys, certificates and mechanisms: `ssl.*`, `sasl.*`, `listener.name.<protocol in lower case>.*`. */
  readonly properties: Readonly<Record<string, string>>;
  /** Users created with the broker: `SCRAM-SHA-512=[name=…,password=…]`. */
  readonly scram?: readonly string[] | undefined;
}

export type SecurityProtocol = "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";

interface KafkaOptions extends Jvm {
  readonly properties: Readonly<Record<string, string>> | undefined;
  readonly flags: readonly string[] | undefined;
  readonly secured: SecuredListeners | undefined;
  /** How many brokers the cluster has; only a single one may have secured listeners. */
  readonly brokers: number;
}

/** The addresses of the brokers; `secured` has those of the requested protocols. */
export interface KafkaAddress {
  readonly brokers: readonly string[];
  readonly secured?: Readonly<Partial<Record<SecurityProtocol, string>>> | undefined;
}

/** The settings that tests rely on, wherever the broker runs. */
export const SETTINGS: Readonly<Record<string, string>> = {
  "process.roles": "broker,controller",
  "node.id": "1",
  "controller.listener.names": "CONTROLLER",
  "offsets.topic.replication.factor": "1",
  "offsets.topic.num.partitions": "4",
  "transaction.state.log.replication.factor": "1",
  "transaction.state.log.min.isr": "1",
  "transaction.state.log.num.partitions": "4",
  "share.coordinator.state.topic.replication.factor": "1",
  "share.coordinator.state.topic.min.isr": "1",
  "auto.create.topics.enable": "false",
  // Groups form at once, and notice a dead member soon enough for a test.
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "500",
  // A dead producer's transaction is aborted soon after its timeout (by default, the broker checks every 10 s).
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
  // The default is 128 MB of heap; the topics of a test are small.
  "log.cleaner.dedupe.buffer.size": "8388608",
  "log.cleaner.backoff.ms": "500",
};

/** The ports of one broker, which is also a controller. */
interface Node {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
}

/** Every topic, also Kafka's own, has a replica on each of up to three brokers, and may miss one of three. */
function replication(brokers: number): Readonly<Record<string, string>> {
  if (brokers === 1) return {};
  const [replicas, inSync] = [String(Math.min(brokers, 3)), "2"];
  return {
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.min.isr": inSync,
  };
}

function properties(node: Node, nodes: readonly Node[], folder: string): Record<string, string> {
  return {
    ...SETTINGS,
    ...replication(nodes.length),
    "node.id": String(node.id),
    "controller.quorum.voters": nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(","),
    listeners: `PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${node.port}`,
    // Kafka's default applies only as long as no listener is secured.
    "listener.security.protocol.map":
      "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
    "log.dirs": join(folder, nodes.length === 1 ? "kafka" : `kafka-${node.id}`),
  };
}

/** Throws as long as fewer than `count` brokers have registered with the controller. */
export async function pingKafka(brokers: readonly string[], count = 1): Promise<void> {
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length < count)
      throw new Error(`${cluster.brokers.length} of ${count} brokers have registered`);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function securedAddresses(secured: SecuredListeners | undefined): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  for (const protocol of secured?.protocols ?? []) addresses[protocol] = `127.0.0.1:${await freePort()}`;
  return addresses;
}

/** Adds listeners to a broker's settings. */
function withListeners(settings: Record<string, string>, addresses: Readonly<Record<string, string>>) {
  const more = Object.entries(addresses).map(([protocol, address]) => `,${protocol}://${address}`);
  const listeners = ["listeners", "advertised.listeners"].map((name) => [name, `${settings[name]}${more.join("")}`]);
  return { ...settings, ...(Object.fromEntries(listeners) as Record<string, string>) }; // each pair is a name and a text
}

/** The settings of a broker that is its own controller, or of one of several, in a file. */
async function writeSettings(
  node: Node,
  nodes: readonly Node[],
  addresses: Readonly<Record<string, string>>,
  supervisor: Supervisor,
  options: KafkaOptions,
): Promise<string> {
  const settings = {
    ...withListeners(properties(node, nodes, supervisor.folder), addresses),
    ...options.secured?.properties,
    ...options.properties,
  };
  const file = join(supervisor.folder, `server-${node.id}.properties`);
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

/** A cluster that is prepared. */
export interface PreparedKafka {
  readonly address: KafkaAddress;
  /** Returns once the broker answers and has registered, or once all have if `count` is their number. */
  readonly starts: readonly ((count?: number) => Promise<Server>)[];
}

/** Creates empty brokers that are also the controllers, with their data in the supervisor's folder. */
export async function createKafka(supervisor: Supervisor, options: KafkaOptions): Promise<PreparedKafka> {
  const nodes: Node[] = [];
  for (let id = 1; id <= options.brokers; id++) {
    nodes.push({ id, port: await freePort(), controllerPort: await freePort() });
  }
  const secured = await securedAddresses(options.secured);
  const jvm = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
  // It may start with a dash, hence the form with "=" below.
  const clusterId = randomBytes(16).toString("base64url");
  const files = await Promise.all(
    nodes.map(async (node) => {
      const file = await writeSettings(node, nodes, secured, supervisor, options);
      const format = ["kafka.tools.StorageTool", "format", `--cluster-id=${clusterId}`, "-c", file];
      const users = (options.secured?.scram ?? []).flatMap((user) => ["--add-scram", user]);
      const args = [...jvm, "-cp", options.jars.kafka, ...format, ...users];
      await runToEnd(supervisor, `kafka-format-${node.id}`, { command: options.java, args, stop: "SIGKILL" });
      return { file, own: [`127.0.0.1:${node.port}`], name: node.id === 1 ? "kafka" : `kafka-${node.id}` };
    }),
  );
  const starts = files.map(({ file, own, name }) => async (count = 1) => {
    const server = await supervisor.launch(name, {
      command: options.java,
      args: ["-Xmx512m", ...jvm, ...(options.flags ?? []), "-cp", options.jars.kafka, "kafka.Kafka", file],
      stop: "SIGKILL",
    });
    await untilReady(server, () => pingKafka(own, count));
    return server;
  });
  return { address: { brokers: files.flatMap(({ own }) => own), secured }, starts };
}
