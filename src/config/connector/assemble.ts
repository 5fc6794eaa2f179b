import type { ValueModes } from "../../event/types/modes.ts";
import { heartbeatTopic } from "../../event/envelope/heartbeat.ts";
import type { SeverityChange } from "../../contract/severity.ts";
import type { ReleasePolicy } from "../../gate/decision/policy.ts";
import { captureFilter, type CaptureLists } from "../../capture/lists.ts";
import type { CaptureFilter } from "../../capture/filter.ts";
import type { ConnectorConfig, DatabaseConfig, HeartbeatConfig } from "./connector-config.ts";
import type { ConnectorKeys } from "./connector-keys.ts";
import type { ConverterRegistry } from "./converter.ts";
import type { Transforms } from "./transforms.ts";

/** What a file holds beside its checked keys. */
export interface Rest {
  readonly filter: CaptureFilter;
  readonly releasePolicyOf: Readonly<Record<string, ReleasePolicy>>;
  readonly severity: readonly SeverityChange[];
  readonly registry: ConverterRegistry | undefined;
  readonly transforms: Transforms | undefined;
  readonly warnings: readonly string[];
}

/** The checked keys as the program reads them. */
export function assemble(keys: ConnectorKeys, rest: Rest): ConnectorConfig {
  const slot = ownName(keys.name);
  const mode = keys["fieldgate.mode"];
  const snapshot = keys["snapshot.mode"];
  return {
    name: keys.name,
    mode,
    database: databaseOf(keys),
    topicPrefix: keys["topic.prefix"],
    filter: rest.filter,
    listed: keys["table.include.list"] ?? [],
    slotName: keys["slot.name"] ?? slot,
    publication: {
      name: keys["publication.name"] ?? slot,
      mode: mode === "watch" ? autocreateOfWatch(keys) : keys["publication.autocreate.mode"],
      viaRoot: keys["publish.via.partition.root"],
    },
    snapshotMode: mode === "watch" || snapshot === "never" ? "no_data" : snapshot,
    tombstonesOnDelete: keys["tombstones.on.delete"],
    skipped: keys["skipped.operations"],
    heartbeat: heartbeatOf(keys),
    values: valuesOf(keys),
    registry: rest.registry,
    transforms: rest.transforms,
    topicCreation: {
      partitions: unlessBrokers(keys["topic.creation.default.partitions"]),
      replicationFactor: unlessBrokers(keys["topic.creation.default.replication.factor"]),
      cleanupPolicy: keys["topic.creation.default.cleanup.policy"],
    },
    releasePolicy: keys["fieldgate.release.policy"],
    releasePolicyOf: rest.releasePolicyOf,
    severity: rest.severity,
    judgeTimeoutMs: keys["fieldgate.judge.timeout.ms"],
    groupsSeenMs: keys["fieldgate.groups.seen"],
    contractsStaleMs: keys["fieldgate.contracts.stale"],
    groupsLookMs: keys["fieldgate.groups.look.ms"],
    backfillMaxRows: keys["fieldgate.backfill.max.rows"],
    backfillRate: keys["fieldgate.backfill.rate"],
    chunkRows: keys["fieldgate.chunk.rows"],
    environment: keys["fieldgate.environment"],
    warnings: [...warningsOf(keys), ...rest.warnings],
  };
}

/** What Fieldgate's own slot and publication are called: a name that PostgreSQL takes, at most 63 bytes. */
export function ownName(connector: string): string {
  return `fieldgate_${connector}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, "_")
    .slice(0, 63);
}

/** Its own publication is of the captured tables, whatever Debezium's is; made by hand where Debezium's is. */
function autocreateOfWatch(keys: ConnectorKeys): "filtered" | "disabled" {
  const mode = keys["publication.autocreate.mode"];
  return mode === "disabled" || mode === "no_tables" ? "disabled" : "filtered";
}

/** The keys' lists as one filter. */
export function filterOf(keys: ConnectorKeys): CaptureFilter {
  const pair = (name: "schema" | "table" | "column") => {
    const [include, exclude] = [keys[`${name}.include.list`], keys[`${name}.exclude.list`]];
    if (include !== undefined) return { kind: "include", entries: include } as const;
    return exclude === undefined ? undefined : ({ kind: "exclude", entries: exclude } as const);
  };
  const lists: CaptureLists = {
    schemas: pair("schema"),
    tables: pair("table"),
    columns: pair("column"),
    keyColumns: keys["message.key.columns"],
  };
  return captureFilter(lists);
}

function databaseOf(keys: ConnectorKeys): DatabaseConfig {
  return {
    hostname: keys["database.hostname"],
    port: keys["database.port"],
    user: keys["database.user"],
    password: keys["database.password"],
    dbname: keys["database.dbname"],
    tls: {
      mode: keys["database.sslmode"],
      rootCert: keys["database.sslrootcert"],
      cert: keys["database.sslcert"],
      key: keys["database.sslkey"],
      password: keys["database.sslpassword"],
    },
    keepAlive: keys["database.tcpKeepAlive"],
    connectTimeoutMs: keys["database.connectTimeout"] * 1000,
    queryTimeoutMs: keys["database.query.timeout.ms"],
  };
}

function heartbeatOf(keys: ConnectorKeys): HeartbeatConfig | undefined {
  const intervalMs = keys["heartbeat.interval.ms"];
  if (intervalMs === 0) return undefined;
  const topic = heartbeatTopic(keys["topic.heartbeat.prefix"], keys["topic.prefix"]);
  return { intervalMs, topic, query: keys["heartbeat.action.query"] };
}

function valuesOf(keys: ConnectorKeys): ValueModes {
  return {
    decimal: keys["decimal.handling.mode"],
    time: keys["time.precision.mode"],
    interval: keys["interval.handling.mode"],
    binary: keys["binary.handling.mode"],
    hstore: keys["hstore.handling.mode"],
    moneyDigits: keys["money.fraction.digits"],
    unknownTypes: keys["include.unknown.datatypes"],
    fieldNames: keys["field.name.adjustment.mode"],
    placeholder: keys["unavailable.value.placeholder"],
  };
}

function unlessBrokers(value: number): number | undefined {
  return value === -1 ? undefined : value;
}

function warningsOf(keys: ConnectorKeys): readonly string[] {
  const warnings: string[] = [];
  const mode = keys["database.sslmode"];
  if (keys["database.sslrootcert"] !== undefined && !mode.startsWith("verify-")) {
    warnings.push(
      `database.sslmode ${mode} does not look at database.sslrootcert, as PostgreSQL's JDBC driver does not: ` +
        "use verify-full",
    );
  }
  if (keys["heartbeat.action.query"] !== undefined && keys["heartbeat.interval.ms"] === 0) {
    warnings.push("heartbeat.action.query is never run, as heartbeat.interval.ms is 0");
  }
  return warnings;
}
