import { basename } from "node:path";

import type { z } from "zod";

import type { ReleasePolicy } from "../../gate/decision/policy.ts";
import { type ConnectorConfig, connectorConfig, filterOf, ownName } from "./connector-config.ts";
import { type ConnectorKeys, connectorKeys, TABLE_POLICY_PREFIX, tablePolicy } from "./connector-keys.ts";
import { converterRegistry, isConverterAddress } from "./converter.ts";
import { debeziumKeys, isOfDebeziumAlone, treatmentOf } from "./debezium-keys.ts";
import { isObject, readJsonObject } from "./json-text.ts";
import { type Mistake, nearestName } from "../../mistake.ts";
import { type Providers, resolveVariables } from "./providers.ts";
import { SEVERITY_PREFIX, severityChanges } from "./severity.ts";
import { isTransformKey, readTransforms } from "./transforms.ts";
import type { CaptureFilter } from "../../capture/lists.ts";

export type ConnectorFile =
  | { readonly kind: "config"; readonly config: ConnectorConfig }
  | { readonly kind: "wrong"; readonly mistakes: readonly Mistake[] };

type Flat = Readonly<Record<string, unknown>>;

/** Checks one connector file. Every mistake is listed; none shows a value, since any value may be a secret. */
export function checkConnectorFile(text: string, file: string, providers: Providers): ConnectorFile {
  const json = readJsonObject(text);
  if (json.kind === "wrong") return { kind: "wrong", mistakes: [{ reason: `the file ${json.reason}` }] };
  const mistakes: Mistake[] = [];
  const flat = resolveAll(flatten(json.value, mistakes), providers, mistakes);
  const sorted = sortKeys(flat, isWatch(flat), mistakes);
  const policies = tablePolicies(sorted.policies, mistakes);
  const severity = severityChanges(sorted.severity, mistakes);
  const registry = converterRegistry(flat, mistakes);
  const transforms = isWatch(flat) ? readTransforms(flat, mistakes) : undefined;
  mistakes.push(...exclusive(sorted.own), ...unreadable(sorted.own, providers));
  const own = { name: basename(file, ".json"), ...sorted.own };
  const keys = connectorKeys.safeParse(own);
  if (!keys.success) mistakes.push(...keyMistakes(keys.error.issues, own, new Set(mistakes.map((m) => m.key))));
  if (keys.success && isWatch(flat)) mistakes.push(...othersSlot(flat, keys.data.name));
  if (!keys.success || mistakes.length > 0) return { kind: "wrong", mistakes };
  const filter = filterOf(keys.data);
  const stray = strayPolicies(keys.data, filter, policies);
  if (stray.length > 0) return { kind: "wrong", mistakes: stray };
  const warnings = [...ignoredWarning(sorted.ignored), ...lineBreakWarnings(flat)];
  return {
    kind: "config",
    config: connectorConfig(keys.data, { filter, policies, severity, registry, transforms, warnings }),
  };
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

function resolveAll(flat: Flat, providers: Providers, mistakes: Mistake[]): Flat {
  const resolve = (key: string, value: unknown): unknown =>
    typeof value === "string" ? resolveVariables(key, value, providers, mistakes) : value;
  return Object.fromEntries(Object.entries(flat).map(([key, value]) => [key, resolve(key, value)]));
}

function isWatch(flat: Flat): boolean {
  return String(flat["fieldgate.mode"]).trim() === "watch";
}

/** Debezium's own slot and publication are never read nor changed. */
function othersSlot(flat: Flat, name: string): readonly Mistake[] {
  return ["slot.name", "publication.name"].flatMap((key) => {
    if (flat[key] !== ownName(name)) return [];
    return [
      { key, reason: "is Debezium's, and Fieldgate would call its own the same: give the connector another name" },
    ];
  });
}

interface SortedKeys {
  readonly own: Flat;
  readonly policies: Flat;
  readonly severity: Flat;
  readonly ignored: readonly string[];
}

function sortKeys(flat: Flat, watch: boolean, mistakes: Mistake[]): SortedKeys {
  const own: Record<string, unknown> = {};
  const policies: Record<string, unknown> = {};
  const severity: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [key, value] of Object.entries(flat)) {
    if (watch && isTransformKey(key)) continue;
    if (watch && isOfDebeziumAlone(key)) ignored.push(key);
    else if (Object.hasOwn(connectorKeys.shape, key)) own[key] = value;
    else if (key.startsWith(TABLE_POLICY_PREFIX)) policies[key.slice(TABLE_POLICY_PREFIX.length)] = value;
    else if (key.startsWith(SEVERITY_PREFIX)) severity[key.slice(SEVERITY_PREFIX.length)] = value;
    else if (!isConverterAddress(key) && isIgnored(key, value, mistakes)) ignored.push(key);
  }
  return { own, policies, severity, ignored };
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
      mistakes.push({ key, reason: onlyReason(treatment.values, treatment.why) });
      return false;
    case "refused":
      mistakes.push({ key, reason: `is not supported: ${treatment.why}` });
      return false;
    default:
      return treatment satisfies never;
  }
}

function onlyReason(values: readonly string[], why: string | undefined): string {
  return why === undefined ? `can only be ${values.join(" or ")} in this version` : `is not supported: ${why}`;
}

function unknownKey(key: string): Mistake {
  const nearest = nearestName(key, [...Object.keys(connectorKeys.shape), ...debeziumKeys]);
  const hint = nearest === undefined ? "; docs/configuration.md lists them" : `: did you mean ${nearest}?`;
  return { key, reason: `is not a known key${hint}` };
}

/** An include list and an exclude list of one thing exclude each other, as in Debezium. */
function exclusive(own: Flat): readonly Mistake[] {
  return ["schema", "table", "column"].flatMap((thing) => {
    const [include, exclude] = [`${thing}.include.list`, `${thing}.exclude.list`];
    const both = own[include] !== undefined && own[exclude] !== undefined;
    return both ? [{ key: exclude, reason: `cannot be there together with ${include}` }] : [];
  });
}

/** The files of TLS are read again at each connection: here only that they are there. */
function unreadable(own: Flat, providers: Providers): readonly Mistake[] {
  return ["database.sslrootcert", "database.sslcert", "database.sslkey"].flatMap((key) => {
    const path = own[key];
    if (typeof path !== "string" || path.trim() === "" || providers.file(path.trim()) !== undefined) return [];
    return [{ key, reason: "names a file that cannot be read" }];
  });
}

function tablePolicies(policies: Flat, mistakes: Mistake[]): ReadonlyMap<string, ReleasePolicy> {
  const result = new Map<string, ReleasePolicy>();
  for (const [table, value] of Object.entries(policies)) {
    const policy = tablePolicy.safeParse(value);
    if (policy.success) result.set(table, policy.data);
    else {
      mistakes.push({ key: `${TABLE_POLICY_PREFIX}${table}`, reason: "must be observe, contracts, strict or manual" });
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

function strayPolicies(
  keys: ConnectorKeys,
  filter: CaptureFilter,
  policies: ReadonlyMap<string, ReleasePolicy>,
): readonly Mistake[] {
  const named = (keys["table.include.list"] ?? []).filter(({ plain }) => plain).map(({ text }) => text);
  const stray = [...policies.keys()].filter((table) => {
    const dot = table.indexOf(".");
    return dot < 0 || !filter.table(table.slice(0, dot), table.slice(dot + 1));
  });
  return stray.map((table) => {
    const nearest = nearestName(table, named);
    const hint = nearest === undefined ? "" : `: did you mean ${nearest}?`;
    return { key: `${TABLE_POLICY_PREFIX}${table}`, reason: `names a table that is not captured${hint}` };
  });
}

function ignoredWarning(ignored: readonly string[]): readonly string[] {
  return ignored.length === 0 ? [] : [`keys without effect here: ${ignored.join(", ")}`];
}

/** A secret's file often ends in one that nobody means. */
function lineBreakWarnings(flat: Flat): readonly string[] {
  const ending = Object.entries(flat).filter(([, value]) => typeof value === "string" && /[\r\n]$/.test(value));
  return ending.map(([key]) => `${key} ends in a line break, which is part of the value`);
}
