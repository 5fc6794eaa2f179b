import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import type { Jvm } from "./cache.ts";
import { freePort } from "./ports.ts";
import { type Prepared, type Supervisor, runToEnd, untilReady } from "./supervisor.ts";

/** The Kafka broker of the local stack: its settings, optional secured listeners, and how it is started. */

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
}

/** The addresses of a broker; `secured` has those of the requested protocols. */
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

function properties(port: number, controllerPort: number, folder: string): Record<string, string> {
  return {
    ...SETTINGS,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    // Kafka's default applies only as long as no listener is secured.
    "listener.security.protocol.map":
      "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
    "log.dirs": join(folder, "kafka"),
  };
}

/** Throws as long as no broker has registered with the controller. */
export async function pingKafka(brokers: readonly string[]): Promise<void> {
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
    if (cluster.brokers.length === 0) throw new Error("no broker has registered yet");
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

/** Creates an empty broker that is its own controller, with its data in the supervisor's folder. */
export async function createKafka(supervisor: Supervisor, options: KafkaOptions): Promise<Prepared<KafkaAddress>> {
  const port = await freePort();
  const brokers = [`127.0.0.1:${port}`];
  const secured = await securedAddresses(options.secured);
  const settings = {
    ...withListeners(properties(port, await freePort(), supervisor.folder), secured),
    ...options.secured?.properties,
    ...options.properties,
  };
  const file = join(supervisor.folder, "server.properties");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(file, `${lines.join("\n")}\n`);
  const jvm = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
  // It may start with a dash, hence the form with "=" below.
  const clusterId = randomBytes(16).toString("base64url");
  await runToEnd(supervisor, "kafka-format", {
    command: options.java,
    args: [
      ...jvm,
      "-cp",
      options.jars.kafka,
      "kafka.tools.StorageTool",
      "format",
      `--cluster-id=${clusterId}`,
      "-c",
      file,
      ...(options.secured?.scram ?? []).flatMap((user) => ["--add-scram", user]),
    ],
    stop: "SIGKILL",
  });
  return {
    address: { brokers, secured },
    async start() {
      const server = await supervisor.launch("kafka", {
        command: options.java,
        args: ["-Xmx512m", ...jvm, ...(options.flags ?? []), "-cp", options.jars.kafka, "kafka.Kafka", file],
        stop: "SIGKILL",
      });
      await untilReady(server, () => pingKafka(brokers));
      return server;
    },
  };
}
