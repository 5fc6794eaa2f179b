import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import type { Jvm } from "./cache.ts";
import { freePort } from "./ports.ts";
import { type Prepared, type Supervisor, runToEnd, untilReady } from "./supervisor.ts";

interface KafkaOptions extends Jvm {
  readonly properties: Readonly<Record<string, string>> | undefined;
  readonly flags: readonly string[] | undefined;
}

function properties(port: number, controllerPort: number, folder: string): Record<string, string> {
  return {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(folder, "kafka"),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "auto.create.topics.enable": "false",
    // Groups form at once and notice a dead member within what a test can wait for.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    // A dead producer's transaction is aborted soon after its timeout (default: a look every 10 s).
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    // 128 MB of heap by default; the topics of a test are small.
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.cleaner.backoff.ms": "500",
  };
}

async function ping(brokers: readonly string[]): Promise<void> {
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

/** A new, empty broker that is its own controller, with its log in the supervisor's folder. */
export async function createKafka(
  supervisor: Supervisor,
  options: KafkaOptions,
): Promise<Prepared<{ readonly brokers: readonly string[] }>> {
  const port = await freePort();
  const brokers = [`127.0.0.1:${port}`];
  const settings = { ...properties(port, await freePort(), supervisor.folder), ...options.properties };
  const file = join(supervisor.folder, "server.properties");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(file, `${lines.join("\n")}\n`);
  const jvm = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
  // May begin with a dash, hence the form with "=" below.
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
    ],
    stop: "SIGKILL",
  });
  return {
    address: { brokers },
    async start() {
      const server = await supervisor.launch("kafka", {
        command: options.java,
        args: ["-Xmx512m", ...jvm, ...(options.flags ?? []), "-cp", options.jars.kafka, "kafka.Kafka", file],
        stop: "SIGKILL",
      });
      await untilReady(server, () => ping(brokers));
      return server;
    },
  };
}
