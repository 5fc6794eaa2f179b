import type { ReleasePolicy } from "../gate/policy.ts";
import type { RegistryAddress } from "./registry-address.ts";

/** A table of the source database. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** One captured database, checked: what a file in `connectors/` says, with every default filled in. */
export interface ConnectorConfig {
  readonly name: string;
  readonly database: {
    readonly hostname: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly dbname: string;
  };
  readonly topicPrefix: string;
  /** Not empty, in the file's order, each once. */
  readonly tables: readonly TableName[];
  readonly slotName: string;
  readonly publicationName: string;
  readonly snapshotMode: "initial" | "no_data";
  readonly tombstonesOnDelete: boolean;
  /** undefined: the broker's default. */
  readonly topicCreation: {
    readonly partitions: number | undefined;
    readonly replicationFactor: number | undefined;
    readonly cleanupPolicy: "delete" | "compact" | "compact,delete" | undefined;
  };
  readonly releasePolicy: ReleasePolicy;
  /** By `schema.table`; a table not in it has `releasePolicy`. */
  readonly releasePolicyOf: Readonly<Record<string, ReleasePolicy>>;
  readonly judgeTimeoutMs: number;
  readonly backfillMaxRows: number;
  /** Rows a second; 0: no limit. */
  readonly backfillRate: number;
  readonly chunkRows: number;
  readonly environment: string;
  /** For the log, once: keys that are accepted and have no effect here. */
  readonly warnings: readonly string[];
}

/** Settings of the service as a whole, from the environment. */
export interface ServiceConfig {
  /** `host:port`, at least one. */
  readonly kafkaBrokers: readonly string[];
  /** Without user and password. */
  readonly registryUrl: string;
  /** From the URL's user and password. */
  readonly registryAuth: RegistryAddress["auth"];
  readonly deployment: string;
  readonly http: { readonly host: string; readonly port: number; readonly token: string | undefined };
  readonly slackWebhookUrl: string | undefined;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  /** Directory of the connector files. */
  readonly connectorsDir: string;
}
