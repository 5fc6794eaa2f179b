import type { ValueModes } from "../../event/types/modes.ts";
import type { SeverityChange } from "../../contract/severity.ts";
import type { ReleasePolicy } from "../../gate/decision/policy.ts";
import type { Mode } from "../../gate/state.ts";
import type { ListEntry } from "../../capture/lists.ts";
import type { CaptureFilter } from "../../capture/filter.ts";
import type { Operation } from "./capture-keys.ts";
import type { ConverterRegistry } from "./converter.ts";
import type { Transforms } from "./transforms.ts";

/** One captured database, checked: what a file in `connectors/` says, with every default filled in. */
export interface ConnectorConfig {
  readonly name: string;
  /** watch: another Debezium publishes, and the file is its own. */
  readonly mode: Mode;
  readonly database: DatabaseConfig;
  readonly topicPrefix: string;
  readonly filter: CaptureFilter;
  /** table.include.list; empty: the file has none. */
  readonly listed: readonly ListEntry[];
  readonly slotName: string;
  readonly publication: {
    readonly name: string;
    readonly mode: "filtered" | "all_tables" | "disabled" | "no_tables";
    /** Changes of partitions come under the partitioned table's name. */
    readonly viaRoot: boolean;
  };
  readonly snapshotMode: "initial" | "no_data" | "initial_only";
  readonly tombstonesOnDelete: boolean;
  /** Changes that are not published, by op. */
  readonly skipped: ReadonlySet<Operation>;
  readonly heartbeat: HeartbeatConfig | undefined;
  readonly values: ValueModes;
  /** Watching: Debezium's own, as far as they are followed. undefined: none are. */
  readonly transforms: Transforms | undefined;
  /** The connector's own registry; undefined: the service's. */
  readonly registry: ConverterRegistry | undefined;
  /** undefined: the broker's default. */
  readonly topicCreation: {
    readonly partitions: number | undefined;
    readonly replicationFactor: number | undefined;
    readonly cleanupPolicy: "delete" | "compact" | "compact,delete" | undefined;
  };
  readonly releasePolicy: ReleasePolicy;
  /** By `schema.table`; a table not in it has `releasePolicy`. */
  readonly releasePolicyOf: Readonly<Record<string, ReleasePolicy>>;
  /** Rules that weigh otherwise, each until a day. */
  readonly severity: readonly SeverityChange[];
  readonly judgeTimeoutMs: number;
  readonly groupsSeenMs: number;
  readonly contractsStaleMs: number;
  /** Time between two looks at Kafka's consumer groups; the shortest of a process counts. */
  readonly groupsLookMs: number;
  readonly backfillMaxRows: number;
  /** Rows a second; 0: no limit. */
  readonly backfillRate: number;
  readonly chunkRows: number;
  readonly environment: string;
  /** For the log, once: keys that are accepted and have no effect here. */
  readonly warnings: readonly string[];
}

export interface DatabaseConfig {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly dbname: string;
  /** Paths of files; each may be absent. */
  readonly tls: {
    readonly mode: "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";
    readonly rootCert: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly password: string | undefined;
  };
  readonly keepAlive: boolean;
  readonly connectTimeoutMs: number;
  /** 0: no limit. */
  readonly queryTimeoutMs: number;
}

export interface HeartbeatConfig {
  readonly intervalMs: number;
  readonly topic: string;
  /** Run on the source with each heartbeat. */
  readonly query: string | undefined;
}
