import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Addresses } from "../../local/environment.ts";
import { findJava } from "../../local/java.ts";
import { parseLsn } from "../../src/wal/lsn.ts";
import { properties } from "../debezium/debezium.ts";
import { engineClassPath } from "../debezium/engine.ts";
import { type Service, startService } from "../e2e/service.ts";
import type { Database } from "../stack/database.ts";
import { createTopics, kafkaClient, uniquePrefix } from "../stack/topic.ts";

/**
 * Who drains the same log: the naive reader, which throws it away; Fieldgate, exactly once; and Debezium. Each has a slot
 * of its own, and a process of its own that is started for each round.
 */

export interface Scene {
  readonly addresses: Addresses;
  readonly database: Database;
  /** For files. */
  readonly folder: string;
}

export interface Contender {
  readonly name: "reader" | "fieldgate" | "debezium";
  /** The topic with its events, and how their keys are written; undefined if it publishes nothing. */
  readonly topic: string | undefined;
  readonly keys: "avro" | "json";
  start(rows: number, log: LogRange): Promise<Drain>;
}

/** What the round wrote to the log. */
export interface LogRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** A running contender. Disposing it ends the process, and lets it acknowledge what it has done. */
export interface Drain extends AsyncDisposable {
  readonly pid: number;
  /** How many rows of this round are done: thrown away, or acknowledged by Kafka. */
  done(): Promise<number>;
}

const PUBLICATION = "bench";

export async function openContender(name: Contender["name"], scene: Scene): Promise<Contender> {
  switch (name) {
    case "reader":
      return openReader(scene);
    case "fieldgate":
      return openFieldgate(scene);
    case "debezium":
      return openDebezium(scene);
    default:
      return name satisfies never;
  }
}

async function createSlot({ database }: Scene, name: string): Promise<void> {
  await database.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
}

async function openReader(scene: Scene): Promise<Contender> {
  const slot = `reader_${uniquePrefix()}`;
  await createSlot(scene, slot);
  const { user, password, host, port, database } = scene.database.address;
  const url = `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
  return {
    name: "reader",
    topic: undefined,
    keys: "avro",
    async start(rows) {
      const script = join(import.meta.dirname, "reader.ts");
      const child = spawn(process.execPath, [script, url, slot, String(rows)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const counter = countOf(child);
      return { pid: child.pid ?? 0, done: async () => counter.rows, [Symbol.asyncDispose]: () => counter.exited };
    },
  };
}

async function openFieldgate({ addresses, database }: Scene): Promise<Contender> {
  const prefix = uniquePrefix();
  const open = (): Promise<Service> =>
    startService({
      database: database.address,
      prefix,
      tables: ["public.t"],
      registryUrl: addresses.registry.url,
      kafkaBrokers: addresses.kafka.brokers,
      connector: { "publication.name": PUBLICATION, "snapshot.mode": "no_data" },
      env: { FIELDGATE_LOG_LEVEL: "warn" },
    });
  // The first start creates the slot.
  const first = await open();
  await first.streams();
  await stop(first);
  return {
    name: "fieldgate",
    topic: `${prefix}.public.t`,
    keys: "avro",
    async start(rows, { from, to }) {
      const service = await open();
      return {
        pid: service.pid,
        async done() {
          const { position } = await service.connector();
          const at = parseLsn(position?.endLsn ?? "") ?? from;
          if (at >= to) return rows;
          return at <= from ? 0 : Math.floor((rows * Number(at - from)) / Number(to - from));
        },
        [Symbol.asyncDispose]: () => stop(service),
      };
    },
  };
}

async function stop(service: Service): Promise<void> {
  service.kill("SIGTERM");
  await service.exited;
  await service[Symbol.asyncDispose]();
}

async function openDebezium(scene: Scene): Promise<Contender> {
  const { addresses, database, folder } = scene;
  const prefix = uniquePrefix();
  const topic = `${prefix}.public.t`;
  await createSlot(scene, prefix);
  await createTopics([topic], kafkaClient(addresses.kafka.brokers));
  const java = await findJava();
  const classPath = await engineClassPath(java, join(import.meta.dirname, "DebeziumDrain.java"));
  const file = join(folder, `${prefix}.properties`);
  const { host, port, user, password } = database.address;
  const settings = {
    name: prefix,
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": host,
    "database.port": String(port),
    "database.user": user,
    "database.password": password,
    "database.dbname": database.address.database,
    "topic.prefix": prefix,
    "table.include.list": "public.t",
    "plugin.name": "pgoutput",
    "slot.name": prefix,
    "publication.name": PUBLICATION,
    "publication.autocreate.mode": "disabled",
    "snapshot.mode": "no_data",
    "poll.interval.ms": "10",
    "converter.schemas.enable": "false",
    "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
    "offset.storage.file.filename": join(folder, `${prefix}.offsets`),
    "offset.flush.interval.ms": "1000",
    "bench.brokers": addresses.kafka.brokers.join(","),
  };
  await writeFile(file, properties(settings));
  return {
    name: "debezium",
    topic,
    keys: "json",
    async start() {
      const child = spawn(java, [...JVM, "-cp", classPath, "DebeziumDrain", file], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      const counter = countOf(child);
      return {
        pid: child.pid ?? 0,
        done: async () => counter.rows,
        async [Symbol.asyncDispose]() {
          child.stdin?.end();
          await counter.exited;
        },
      };
    },
  };
}

const LOGGER = "org.slf4j.simpleLogger";
const JVM = [
  "-Xmx2g",
  `-D${LOGGER}.defaultLogLevel=error`,
  `-D${LOGGER}.log.io.debezium.metrics.stats.MeasurementCollector=off`,
];

/** Reads the lines `rows N` of a contender. */
function countOf(child: ChildProcess): { readonly rows: number; readonly exited: Promise<void> } {
  let rows = 0;
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = `${rest}${chunk.toString()}`.split("\n");
    rest = lines.pop() ?? "";
    const last = lines.findLast((line) => line.startsWith("rows "));
    if (last !== undefined) rows = Number(last.slice(5));
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    get rows() {
      return rows;
    },
    exited,
  };
}
