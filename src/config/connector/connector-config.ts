import { captureFilter, type CaptureFilter } from "../../capture/lists.ts";
import type { SeverityChange } from "../../contract/severity.ts";
import type { ValueModes } from "../../event/types/modes.ts";
import type { ReleasePolicy } from "../../gate/decision/policy.ts";
import type { PoisonPolicy } from "../../gate/poison-way.ts";
import type { Mode } from "../../gate/state.ts";
import type { ConnectorKeys } from "./connector-keys.ts";
import type { ConverterRegistry } from "./converter.ts";
import { byTopic, type TableChoices } from "./table-keys.ts";
import type { Transforms } from "./transforms.ts";
import { valueModes } from "./value-keys.ts";

/**
 * A checked connector file: one captured database, with every default filled in. Each key keeps its name and its parsed
 * value, from here to the loop (`config["fieldgate.chunk.rows"]`). Nothing in between renames it, so a new key only
 * needs an entry in the schema and the code that uses it. A value has a name of its own only if it is made from several
 * keys, or from keys that contain the name of a table or a rule.
 */
export interface ConnectorConfig extends ConnectorKeys {
  readonly "slot.name": string;
  readonly "publication.name": string;
  readonly mode: Mode;
  readonly modes: ValueModes;
  readonly filter: CaptureFilter;
  /** The policy by topic; a topic that is missing has `fieldgate.release.policy`. */
  readonly policyOf: ReadonlyMap<string, ReleasePolicy>;
  /** By topic, what becomes of a poisoned change; a topic that is missing has `fieldgate.on.poison`. */
  readonly poisonOf: ReadonlyMap<string, PoisonPolicy>;
  /** `fieldgate.severity.<rule>`: rules with a different severity, each until a day. */
  readonly severity: readonly SeverityChange[];
  /** In watch mode: maps a topic to the one that Debezium's transforms rename it to. Undefined if they rename none. */
  readonly route: Transforms["route"];
  /** In watch mode: the events are unwrapped rows with these fields added. Undefined if they are envelopes. */
  readonly unwrapped: Transforms["unwrapped"];
  /** The connector's own registry; undefined if it uses the service's. */
  readonly registry: ConverterRegistry | undefined;
  /** To be logged once: keys that are accepted but have no effect. */
  readonly warnings: readonly string[];
}

/** What a file contains besides its fixed keys. */
export interface Rest {
  readonly filter: CaptureFilter;
  readonly tables: TableChoices;
  readonly severity: readonly SeverityChange[];
  readonly registry: ConverterRegistry | undefined;
  readonly transforms: Transforms | undefined;
  readonly warnings: readonly string[];
}

export function connectorConfig(keys: ConnectorKeys, rest: Rest): ConnectorConfig {
  const mode = keys["fieldgate.mode"];
  const { filter, tables, severity, registry, transforms, warnings } = rest;
  const prefix = keys["topic.prefix"];
  return {
    ...keys,
    ...(mode === "watch" ? watchKeys(keys) : {}),
    "slot.name": keys["slot.name"] ?? ownName(keys.name),
    "publication.name": keys["publication.name"] ?? ownName(keys.name),
    mode,
    modes: valueModes(keys),
    filter,
    policyOf: byTopic(prefix, tables["fieldgate.release.policy"]),
    poisonOf: byTopic(prefix, tables["fieldgate.on.poison"]),
    severity,
    route: transforms?.route,
    unwrapped: transforms?.unwrapped,
    registry,
    warnings: [...uselessKeys(keys), ...warnings],
  };
}

/**
 * Watch mode publishes nothing, so there is no snapshot. Fieldgate's own publication covers the captured tables,
 * whichever tables Debezium's covers, unless Debezium's is created by hand.
 */
function watchKeys(keys: ConnectorKeys): Pick<ConnectorKeys, "snapshot.mode" | "publication.autocreate.mode"> {
  const mode = keys["publication.autocreate.mode"];
  const byHand = mode === "disabled" || mode === "no_tables";
  return { "snapshot.mode": "no_data", "publication.autocreate.mode": byHand ? "disabled" : "filtered" };
}

/** The default name of Fieldgate's slot and publication. PostgreSQL accepts it, and it has at most 63 bytes. */
export function ownName(connector: string): string {
  return `fieldgate_${connector}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, "_")
    .slice(0, 63);
}

/** Combines the include and exclude lists into one filter. */
export function filterOf(keys: ConnectorKeys): CaptureFilter {
  const pair = (name: "schema" | "table" | "column") => {
    const [include, exclude] = [keys[`${name}.include.list`], keys[`${name}.exclude.list`]];
    if (include !== undefined) return { kind: "include", entries: include } as const;
    return exclude === undefined ? undefined : ({ kind: "exclude", entries: exclude } as const);
  };
  return captureFilter({
    schemas: pair("schema"),
    tables: pair("table"),
    columns: pair("column"),
    keyColumns: keys["message.key.columns"],
  });
}

function uselessKeys(keys: ConnectorKeys): readonly string[] {
  const warnings: string[] = [];
  const mode = keys["database.sslmode"];
  if (keys["database.sslrootcert"] !== undefined && !mode.startsWith("verify-")) {
    warnings.push(
      `database.sslrootcert is ignored with database.sslmode ${mode}, as by PostgreSQL's JDBC driver: use verify-full`,
    );
  }
  if (keys["heartbeat.action.query"] !== undefined && keys["heartbeat.interval.ms"] === 0) {
    warnings.push("heartbeat.action.query is never run, because heartbeat.interval.ms is 0");
  }
  return warnings;
}
