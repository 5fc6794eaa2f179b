import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findJava } from "../../local/java.ts";
import { type Server, startSupervisor, untilReady } from "../../local/supervisor.ts";
import type { Database } from "../stack/database.ts";
import { servers } from "../stack/servers.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { engineClassPath } from "./engine.ts";

export interface DebeziumOptions {
  readonly database: Database;
  /** `schema.table` */
  readonly tables: readonly string[];
  /** Further keys of the connector's configuration, which take precedence. By default `snapshot.mode` is `no_data`. */
  readonly connector?: Readonly<Record<string, string>> | undefined;
  readonly prefix?: string | undefined;
  readonly registryUrl?: string | undefined;
  readonly kafkaBrokers?: readonly string[] | undefined;
}

/** A real Debezium that is streaming. Its slot and publication are named like its topic prefix. */
export interface Debezium extends AsyncDisposable {
  readonly prefix: string;
  readonly slot: string;
  readonly publication: string;
  /** `{"name", "config"}` for Kafka Connect, with Confluent's Avro converter. */
  readonly connectorFile: { readonly name: string; readonly config: Readonly<Record<string, string>> };
  /** Waits until it has ended by itself: with `exit code 1` if the registry refuses a schema. */
  ended(): Promise<string>;
  /** Its output: warnings, errors and the reason for its end. */
  log(): Promise<string>;
}

/**
 * Starts Debezium as a separate process and waits until it reads its slot. Every change after that becomes an event in
 * Kafka. When it ends, the slot remains, unused. If it ends unexpectedly, its log is printed on stderr.
 */
export async function openDebezium(options: DebeziumOptions): Promise<Debezium> {
  await using stack = new AsyncDisposableStack();
  const prefix = options.prefix ?? uniquePrefix();
  const config = connectorConfig(options, prefix);
  const supervisor = stack.use(await startSupervisor());
  const file = join(supervisor.folder, "debezium.properties");
  await writeFile(file, properties(workerProperties(options, prefix, config)));
  const java = await findJava();
  const server = await supervisor.launch("debezium", {
    command: java,
    args: [...JVM, "-cp", await engineClassPath(java), "Engine", file],
    stop: "SIGKILL",
  });
  await streams(server, options.database, prefix);
  let isWanted = false;
  const log = () => readFile(server.log, "utf8");
  const tell = async () => {
    const how = await server.exited;
    if (!isWanted) process.stderr.write(`debezium ended with ${how}:\n${await log().catch(() => "")}\n`);
  };
  void tell();
  const open = stack.move();
  return {
    prefix,
    slot: prefix,
    publication: prefix,
    connectorFile: { name: prefix, config },
    ended() {
      isWanted = true;
      return server.exited;
    },
    log,
    async [Symbol.asyncDispose]() {
      isWanted = true;
      await open.disposeAsync();
    },
  };
}

const LOGGER = "org.slf4j.simpleLogger";
const JVM = [
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Xshare:auto",
  `-D${LOGGER}.defaultLogLevel=error`,
  // It would print a warning for every measurement that it drops.
  `-D${LOGGER}.log.io.debezium.metrics.stats.MeasurementCollector=off`,
];

/** The file of a team with Debezium and Confluent's converter; slot and publication are named like the prefix. */
export function connectorConfig(options: DebeziumOptions, prefix: string): Readonly<Record<string, string>> {
  const { tables, registryUrl = servers.registry.url } = options;
  const { address } = options.database;
  const converter = (side: "key" | "value") => ({
    [`${side}.converter`]: "io.confluent.connect.avro.AvroConverter",
    [`${side}.converter.schema.registry.url`]: registryUrl,
  });
  return {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": address.host,
    "database.port": String(address.port),
    "database.user": address.user,
    "database.password": address.password,
    "database.dbname": address.database,
    "topic.prefix": prefix,
    "table.include.list": tables.join(","),
    "plugin.name": "pgoutput",
    "slot.name": prefix,
    "publication.name": prefix,
    "publication.autocreate.mode": "filtered",
    "snapshot.mode": "no_data",
    ...converter("key"),
    ...converter("value"),
    ...options.connector,
  };
}

/** The converters are ours (Engine.java), so Debezium is told by a key of its own which names to adjust. */
function workerProperties(
  options: DebeziumOptions,
  prefix: string,
  config: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = Object.entries(config).filter(([key]) => !/^(?:key|value)\.converter/.test(key));
  return {
    "field.name.adjustment.mode": "avro",
    ...Object.fromEntries(own),
    name: prefix,
    "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
    // By default every event waits for half a second.
    "poll.interval.ms": "10",
    "beside.registry": options.registryUrl ?? servers.registry.url,
    "beside.brokers": (options.kafkaBrokers ?? servers.kafka.brokers).join(","),
  };
}

/** For java.util.Properties, in which a backslash starts an escape sequence. */
export function properties(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value.replaceAll("\\", "\\\\")}\n`)
    .join("");
}

/** Throws an error with its log if it ends first. */
async function streams(server: Server, database: Database, slot: string): Promise<void> {
  const client = await database.connect();
  try {
    await untilReady(server, async () => {
      const { rows } = await client.query(
        `SELECT FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid
          WHERE s.slot_name = $1 AND r.state = 'streaming'`,
        [slot],
      );
      if (rows.length === 0) throw new Error(`slot ${slot} is not read yet`);
    });
  } finally {
    await client.end();
  }
}
