import type { Client } from "pg";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectorConfig } from "../config/connector/connector-config.ts";
import { GuardError } from "../errors.ts";
import type { Mode } from "../gate/state.ts";
import { ASK_REGISTRY } from "../guard/control/ask-registry.ts";
import type { Conduct, Log, Outside, Settings, Sink, Source } from "../guard/outside.ts";
import type { KafkaClient } from "../kafka/client.ts";
import { readToEnd } from "../kafka/read.ts";
import { createTopics, describeTopics, emptyTopics, parkedTopicConfig, stateTopicConfig } from "../kafka/topics.ts";
import { forgetTopic } from "../kafka/sends.ts";
import { openWriter } from "../kafka/writer.ts";
import { readCapturedTables } from "../postgres/captured.ts";
import { readTable, readTypes } from "../postgres/catalog.ts";
import { checkSource } from "../postgres/check.ts";
import { readChunk } from "../postgres/chunk.ts";
import { connect, type PostgresOptions, query } from "../postgres/connection.ts";
import { readSnapshot, writeMarkForXid, writeMark } from "../postgres/mark.ts";
import { readTablesLook } from "../postgres/look.ts";
import { ensurePublication, type PublishedOperation } from "../postgres/publication.ts";
import { backendPid, blockersOf, describeSession, lockHolders, openBelow, type Session } from "../postgres/session.ts";
import { createSlot, readSlot, terminateReader } from "../postgres/slot.ts";
import { openStream } from "../postgres/stream.ts";
import { readTriggerIdentity, readTriggerSecret } from "../postgres/trigger.ts";
import { connectFirst } from "../postgres/tls.ts";
import { MARK_PREFIX } from "../chunk/mark.ts";
import { type Registry, type RegistryClient, registryClient, withoutRegistering } from "../registry/client.ts";
import type { RegistryOptions } from "../registry/http.ts";
import type { StateRecord } from "../store/record.ts";
import { databaseLogin } from "./database-login.ts";
import { page } from "../page.ts";

/**
 * Puts one connector together: its settings, and everything outside the loop, connected to PostgreSQL, Kafka and the
 * registry.
 */

/** The connector's file after validation, and what the process adds to it. */
export function settingsOf(config: ConnectorConfig, deployment: string, version: string): Settings {
  const sent = { viaRoot: config["publish.via.partition.root"], operations: sentOperations(config) };
  const own = (kind: string): string => `__fieldgate.${deployment}.${kind}.${config.name}`;
  const parkedTopic = own("parked");
  return { ...config, stateTopic: own("state"), parkedTopic, deadLetterTopic: own("dead-letter"), version, sent };
}

/**
 * The behaviour that depends on the mode, which is decided only here and not in the loop. In watch mode nothing is
 * delivered and no marks are written, because Debezium would publish them. A table that the file names may be missing,
 * as it may for Debezium.
 */
const BY_MODE: Readonly<Record<Mode, Omit<Conduct, "askRegistry"> & { readonly mustExist: boolean }>> = {
  guard: { delivery: "exactly-once", writesMarks: true, mustExist: true },
  watch: { delivery: "none", writesMarks: false, mustExist: false },
};

/** Everything outside one connector, connected to the real systems. The caller passes the rest. */
export function outsideOf(
  settings: Settings,
  kafka: KafkaClient,
  rest: Pick<
    Outside,
    "registry" | "controlTopics" | "groups" | "log" | "waits" | "alert" | "onAlerted" | "notice" | "stopped" | "status"
  >,
): Outside {
  const { delivery, writesMarks } = BY_MODE[settings.mode];
  return {
    settings,
    delivery,
    writesMarks,
    askRegistry: (table, amendment, onAnswered) =>
      ASK_REGISTRY[settings.mode](settings, rest.registry, table, amendment, onAnswered),
    openSource: () => openSource(settings, rest.log),
    sink: sinkOf(kafka, settings),
    now: () => BigInt(Date.now()) * 1000n,
    uuid: randomUUID,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    ...rest,
  };
}

/**
 * The registry from the connector's converter settings, reached with the service's certificates. Without such settings,
 * the service's registry.
 */
export function registryOf(config: ConnectorConfig, service: RegistryClient, tls: RegistryOptions["tls"]): Registry {
  const client = config.registry === undefined ? service : registryClient({ ...config.registry, tls });
  return config["fieldgate.register"] === "external" ? withoutRegistering(client) : client;
}

function stateRecordOf(record: { readonly key: Buffer | null; readonly value: Buffer | null }): StateRecord {
  return { key: record.key?.toString("utf8") ?? "", value: record.value?.toString("utf8") ?? null };
}

/** The connector's own topics and its data topics. */
export function sinkOf(kafka: KafkaClient, { stateTopic, parkedTopic }: Settings): Sink {
  const ends = new Map<string, bigint>();
  return {
    openWriter: (maxBytes) => openWriter(kafka, { transactionalId: stateTopic, maxBytes, ends }),
    async readState(until, signal) {
      const records: StateRecord[] = [];
      await readToEnd(kafka, stateTopic, {
        onRecord: (record) => void records.push(stateRecordOf(record)),
        until: until && ((record) => until(stateRecordOf(record))),
        signal,
      });
      return records;
    },
    describeTopics: (names) => describeTopics(kafka, names),
    emptyTopics: (names) => emptyTopics(kafka, names),
    async createTopics(topics) {
      await createTopics(kafka, topics);
      for (const { name } of topics) forgetTopic(ends, name);
    },
    createStateTopic: () => createTopics(kafka, [{ name: stateTopic, partitions: 1, config: stateTopicConfig }]),
    createParkedTopic: () => createParkedTopic(kafka, parkedTopic),
    async readParked(from, take, signal) {
      let enough = false;
      await readToEnd(kafka, parkedTopic, {
        onRecord: (record) => void (enough = !take(record)),
        from: from === undefined ? undefined : new Map([[0, from]]),
        isEnough: () => enough,
        signal,
      });
    },
  };
}

/** A cluster may refuse records of this size. Changes that do not fit are then not kept, which is recorded. */
async function createParkedTopic(kafka: KafkaClient, name: string): Promise<void> {
  const { "max.message.bytes": _, ...others } = parkedTopicConfig;
  try {
    await createTopics(kafka, [{ name, partitions: 1, config: parkedTopicConfig }]);
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "kafka-refused") throw error;
    await createTopics(kafka, [{ name, partitions: 1, config: others }]);
  }
}

/** The DDL trigger's secret. If it cannot be read, logs one message that says what is lost. */
async function ddlSecret(client: Client, log: Log): Promise<string | undefined> {
  const found = await readTriggerSecret(client);
  switch (found.kind) {
    case "installed":
      for (const warning of found.warnings) log.warn(warning);
      return found.secret;
    case "absent":
      log.info(
        `no DDL trigger: amendments are noticed only at their first row, without command and role (${page("trigger.md")})`,
      );
      return undefined;
    case "unreadable":
      log.warn(`the DDL trigger's messages cannot be verified: ${found.why} (${page("trigger.md")})`);
      return undefined;
    default:
      return found satisfies never;
  }
}

const OPERATION_NAMES = { c: "insert", u: "update", d: "delete", t: "truncate" } as const;

/** The operations that the publication must send. */
function sentOperations(config: ConnectorConfig): ReadonlySet<PublishedOperation> {
  const ops = (["c", "u", "d", "t"] as const).filter((op) => !config["skipped.operations"].has(op));
  return new Set(ops.map((op) => OPERATION_NAMES[op]));
}

/**
 * Opens several sessions next to the stream, so that none blocks or aborts what another one does: one for the catalog,
 * one for chunks, which wait for table locks, and one each for marks and looks, which wait for no locks.
 * heartbeat.action.query and the creation of the slot can both wait for a long time, so each gets its own session while
 * it is needed.
 */
async function openSource(config: ConnectorConfig, log: Log): Promise<Source> {
  const { options: wanted, tls } = databaseLogin(config);
  const applicationName = `fieldgate ${config.name}`;
  await using opened = new AsyncDisposableStack();
  const keep = (client: Client): Client => opened.adopt(client, (one) => one.end());
  const first = await connectFirst(wanted, tls, { applicationName });
  const { options } = first;
  const catalog = keep(first.client);
  const chunks = keep(await connect(options, { applicationName }));
  const marks = keep(await connect(options, { applicationName, settings: LOCAL_COMMIT }));
  const looks = keep(await connect(options, { applicationName, settings: { lock_timeout: "2s" } }));
  const pids = await Promise.all([catalog, chunks].map(backendPid));
  const heartbeat = heartbeatSession(options, applicationName);
  opened.defer(() => heartbeat.end());
  const { filter, "slot.name": slot, "publication.name": publication, "publish.via.partition.root": viaRoot } = config;
  const named = config["table.include.list"] ?? [];
  const { mustExist } = BY_MODE[config.mode];
  const listed = named.map((entry) => ({ ...entry, plain: entry.plain && mustExist }));
  const sessions = opened.move();
  return {
    check: () => checkSource(catalog),
    tables: async (known) => {
      const { tables, warnings } = await readCapturedTables(catalog, { filter, listed, viaRoot, before: known });
      for (const warning of warnings) log.warn(warning);
      return tables;
    },
    table: (oid) => readTable(catalog, oid),
    types: (oids) => readTypes(catalog, oids),
    ddlSecret: () => ddlSecret(catalog, log),
    triggerIdentity: () => readTriggerIdentity(catalog),
    run: (text) => heartbeat.run(text),
    slot: () => readSlot(catalog, slot),
    async createSlot(report, signal) {
      const onWait = (blockers: readonly Session[]) => report(blockers.map(describeSession));
      const creating = await connect(options, { applicationName });
      try {
        return await createSlot(creating, slot, { observer: marks, onWait, signal });
      } finally {
        await creating.end();
      }
    },
    terminateReader: () => terminateReader(catalog, slot),
    look: () => readTablesLook(looks, publication),
    ensurePublication: async (tables) => {
      const operations = sentOperations(config);
      const mode = config["publication.autocreate.mode"];
      const need = { name: publication, mode, viaRoot, operations, tables };
      return (await ensurePublication(looks, need)).added;
    },
    openStream: (start, wake, maxMessageBytes) =>
      openStream({ connection: options, slot, publication, start, wake, maxMessageBytes }),
    mark: (content) => writeMark(marks, MARK_PREFIX, content),
    markTransaction: () => writeMarkForXid(marks, MARK_PREFIX, "track"),
    snapshot: () => readSnapshot(marks),
    openBelow: async (transaction) => (await openBelow(marks, transaction)).map(describeSession),
    blockers: async () => {
      const waiting = await Promise.all(pids.map((pid) => blockersOf(marks, pid)));
      return [...new Set(waiting.flat().map(describeSession))];
    },
    lockHolders: async (oid) => (await lockHolders(marks, oid)).map(describeSession),
    chunk: (request) => readChunk(chunks, request),
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  };
}

/** Marks and heartbeats do not wait for a synchronous standby. */
const LOCAL_COMMIT = { synchronous_commit: "local" };

/**
 * The session for heartbeat.action.query. It is opened for the first query, and again after its connection was lost.
 */
function heartbeatSession(options: PostgresOptions, applicationName: string) {
  let client: Client | undefined;
  const end = async (): Promise<void> => {
    const last = client;
    client = undefined;
    await last?.end();
  };
  return {
    end,
    async run(text: string): Promise<void> {
      client ??= await connect(options, { applicationName, settings: LOCAL_COMMIT });
      try {
        await query(client, "running heartbeat.action.query", text);
      } catch (error) {
        // Ends the session even if the query left a transaction open, so that the next query starts in a new session.
        await end().catch(() => {});
        throw error;
      }
    },
  };
}
