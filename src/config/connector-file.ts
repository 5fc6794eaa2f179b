import { basename } from "node:path";

import type { z } from "zod";

import type { ReleasePolicy } from "../gate/policy.ts";
import { connectorKeys, TABLE_POLICY_PREFIX, tablePolicy } from "./connector-keys.ts";
import { debeziumKeys, treatmentOf } from "./debezium-keys.ts";
import { isObject, readJsonObject } from "./json-text.ts";
import { type Mistake, nearestKey } from "./mistake.ts";
import type { ConnectorConfig } from "./settings.ts";

export type ConnectorFile =
  | { readonly kind: "config"; readonly config: ConnectorConfig }
  | { readonly kind: "wrong"; readonly mistakes: readonly Mistake[] };

/** The value of an environment variable; undefined when it is not set. */
export type Lookup = (variable: string) => string | undefined;

type Keys = z.infer<typeof connectorKeys>;
type Flat = Readonly<Record<string, unknown>>;

/** Checks one connector file. Every mistake is listed; none shows a value, since any value may be a secret. */
export function checkConnectorFile(text: string, file: string, env: Lookup): ConnectorFile {
  const json = readJsonObject(text);
  if (json.kind === "wrong") return { kind: "wrong", mistakes: [{ reason: `the file ${json.reason}` }] };
  const mistakes: Mistake[] = [];
  const flat = resolveAll(flatten(json.value, mistakes), env, mistakes);
  const sorted = sortKeys(flat, mistakes);
  const policies = tablePolicies(sorted.policies, mistakes);
  const own = { name: basename(file, ".json"), ...sorted.own };
  const keys = connectorKeys.safeParse(own);
  if (!keys.success) mistakes.push(...keyMistakes(keys.error.issues, own, new Set(mistakes.map((m) => m.key))));
  if (!keys.success || mistakes.length > 0) return { kind: "wrong", mistakes };
  const stray = strayPolicies(keys.data, policies);
  if (stray.length > 0) return { kind: "wrong", mistakes: stray };
  return { kind: "config", config: assemble(keys.data, policies, sorted.ignored) };
}

/** Kafka Connect's two forms: the flat object, and `{"name", "config"}` as its REST API takes it. */
function flatten(value: Flat, mistakes: Mistake[]): Flat {
  const { name, config, ...more } = value;
  if (!isObject(config)) return value;
  for (const key of Object.keys(more)) {
    mistakes.push({ key, reason: "is beside name and config: move it into config" });
  }
  if (name !== undefined && config["name"] !== undefined && config["name"] !== name) {
    mistakes.push({ key: "name", reason: "is there twice, and differs" });
  }
  return name === undefined ? config : { ...config, name };
}

function resolveAll(flat: Flat, env: Lookup, mistakes: Mistake[]): Flat {
  const resolve = (key: string, value: unknown): unknown =>
    typeof value === "string" ? resolveText(key, value, env, mistakes) : value;
  return Object.fromEntries(Object.entries(flat).map(([key, value]) => [key, resolve(key, value)]));
}

/** `${env:NAME}` anywhere in a value, as Kafka's EnvVarConfigProvider writes it. */
function resolveText(key: string, text: string, env: Lookup, mistakes: Mistake[]): string {
  return text.replaceAll(/\$\{(\w+):([^}]*)\}/g, (whole, provider: string, name: string) => {
    const value = provider === "env" ? env(name) : undefined;
    if (provider !== "env") mistakes.push({ key, reason: "uses a provider other than env", example: "${env:NAME}" });
    else if (value === undefined) mistakes.push({ key, reason: `needs the environment variable ${name}, not set` });
    return value ?? whole;
  });
}

interface SortedKeys {
  readonly own: Flat;
  readonly policies: Flat;
  readonly ignored: readonly string[];
}

function sortKeys(flat: Flat, mistakes: Mistake[]): SortedKeys {
  const own: Record<string, unknown> = {};
  const policies: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [key, value] of Object.entries(flat)) {
    if (Object.hasOwn(connectorKeys.shape, key)) own[key] = value;
    else if (key.startsWith(TABLE_POLICY_PREFIX)) policies[key.slice(TABLE_POLICY_PREFIX.length)] = value;
    else if (isIgnored(key, value, mistakes)) ignored.push(key);
  }
  return { own, policies, ignored };
}

function isIgnored(key: string, value: unknown, mistakes: Mistake[]): boolean {
  const treatment = treatmentOf(key);
  if (treatment === undefined) {
    mistakes.push(unknownKey(key));
    return false;
  }
  switch (treatment.kind) {
    case "ignored":
      return true;
    case "only":
      // The class is accepted and without effect, like tasks.max: there is one connector here.
      if (treatment.values.includes(String(value).trim())) return key === "connector.class";
      mistakes.push({ key, reason: `can only be ${treatment.values.join(" or ")} in this version` });
      return false;
    case "refused":
      mistakes.push({ key, reason: `is not supported: ${treatment.why}` });
      return false;
    default:
      return treatment satisfies never;
  }
}

function unknownKey(key: string): Mistake {
  const nearest = nearestKey(key, [...Object.keys(connectorKeys.shape), ...debeziumKeys]);
  const hint = nearest === undefined ? "; docs/configuration.md lists them" : `: did you mean ${nearest}?`;
  return { key, reason: `is not a known key${hint}` };
}

function tablePolicies(policies: Flat, mistakes: Mistake[]): Readonly<Record<string, ReleasePolicy>> {
  const result: Record<string, ReleasePolicy> = {};
  for (const [table, value] of Object.entries(policies)) {
    const policy = tablePolicy.safeParse(value);
    if (policy.success) result[table] = policy.data;
    else {
      const reason = policy.error.issues.map(ownReason).find((text) => text !== undefined);
      const key = `${TABLE_POLICY_PREFIX}${table}`;
      mistakes.push({ key, reason: reason ?? "must be observe, contracts or manual" });
    }
  }
  return result;
}

/** One mistake a key and reason; a key that has one already (its variable is not set) gets no second. */
function keyMistakes(issues: readonly z.core.$ZodIssue[], own: Flat, done: ReadonlySet<unknown>): readonly Mistake[] {
  const known = new Map(Object.entries(connectorKeys.shape));
  return issues
    .filter((issue) => !done.has(issue.path[0]))
    .map((issue) => {
      const key = String(issue.path[0]);
      const meta = known.get(key)?.meta() ?? {};
      const missing = Object.hasOwn(own, key) ? "" : "is missing: it ";
      const reason = ownReason(issue) ?? `${missing}must ${String(meta["must"])}`;
      return { key, reason, example: `"${key}": ${JSON.stringify(meta["example"])}` };
    });
}

/** A reason that says more than what the key must be. */
function ownReason(issue: z.core.$ZodIssue): string | undefined {
  return issue.code === "custom" && typeof issue.params?.["reason"] === "string" ? issue.params["reason"] : undefined;
}

function strayPolicies(keys: Keys, policies: Readonly<Record<string, ReleasePolicy>>): readonly Mistake[] {
  const tables = keys["table.include.list"].map((table) => `${table.schema}.${table.name}`);
  const stray = Object.keys(policies).filter((table) => !tables.includes(table));
  return stray.map((table) => {
    const nearest = nearestKey(table, tables);
    const hint = nearest === undefined ? "" : `: did you mean ${nearest}?`;
    return { key: `${TABLE_POLICY_PREFIX}${table}`, reason: `names a table not in table.include.list${hint}` };
  });
}

function assemble(
  keys: Keys,
  releasePolicyOf: Readonly<Record<string, ReleasePolicy>>,
  ignored: readonly string[],
): ConnectorConfig {
  const slot = `fieldgate_${keys.name}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, "_")
    .slice(0, 63);
  return {
    name: keys.name,
    database: {
      hostname: keys["database.hostname"],
      port: keys["database.port"],
      user: keys["database.user"],
      password: keys["database.password"],
      dbname: keys["database.dbname"],
    },
    topicPrefix: keys["topic.prefix"],
    tables: keys["table.include.list"],
    slotName: keys["slot.name"] ?? slot,
    publicationName: keys["publication.name"] ?? slot,
    snapshotMode: keys["snapshot.mode"],
    tombstonesOnDelete: keys["tombstones.on.delete"],
    topicCreation: {
      partitions: unlessBrokers(keys["topic.creation.default.partitions"]),
      replicationFactor: unlessBrokers(keys["topic.creation.default.replication.factor"]),
      cleanupPolicy: keys["topic.creation.default.cleanup.policy"],
    },
    releasePolicy: keys["fieldgate.release.policy"],
    releasePolicyOf,
    judgeTimeoutMs: keys["fieldgate.judge.timeout.ms"],
    backfillMaxRows: keys["fieldgate.backfill.max.rows"],
    backfillRate: keys["fieldgate.backfill.rate"],
    chunkRows: keys["fieldgate.chunk.rows"],
    environment: keys["fieldgate.environment"],
    warnings: warningsOf(keys, ignored),
  };
}

function unlessBrokers(value: number): number | undefined {
  return value === -1 ? undefined : value;
}

function warningsOf(keys: Keys, ignored: readonly string[]): readonly string[] {
  const warnings: string[] = [];
  if (ignored.length > 0) warnings.push(`keys without effect here: ${ignored.join(", ")}`);
  if (keys["skipped.operations"] === "none") {
    warnings.push("skipped.operations is none, but a TRUNCATE is not published in this version");
  }
  return warnings;
}
