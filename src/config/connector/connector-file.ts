/**
 * Checks one connector file: flattens Kafka Connect's form, resolves `${…}` variables, sorts the keys into Fieldgate's
 * own, Debezium's and unknown ones, and parses Fieldgate's own with their schema. Every mistake is collected. No
 * mistake contains a value, because any value may be a secret.
 */
import { basename } from "node:path";

import type { z } from "zod";

import { isObject } from "../../json.ts";
import { lineAndColumn, readJsonText } from "../../json-text.ts";
import { alternatives, type Mistake, nearestName } from "../../mistake.ts";
import { type ConnectorConfig, connectorConfig, filterOf, ownName } from "./connector-config.ts";
import { connectorKeys } from "./connector-keys.ts";
import { converterRegistry, isConverterAddress, registersNothing } from "./converter.ts";
import { debeziumKeys, isOfDebeziumAlone, treatmentOf } from "./debezium-keys.ts";
import { type Providers, resolveVariables } from "./providers.ts";
import { SEVERITY_PREFIX, severityChanges } from "./severity.ts";
import { isTableKey, strayTables, tableChoices } from "./table-keys.ts";
import { isTransformKey, readTransforms } from "./transforms.ts";
import { page } from "../../page.ts";

export type ConnectorFile =
  | { readonly kind: "config"; readonly config: ConnectorConfig }
  | { readonly kind: "wrong"; readonly mistakes: readonly Mistake[] };

type Flat = Readonly<Record<string, unknown>>;

export function checkConnectorFile(text: string, file: string, providers: Providers): ConnectorFile {
  const json = readObject(text);
  if (json.kind === "wrong") return { kind: "wrong", mistakes: [{ reason: `the file ${json.reason}` }] };
  const mistakes: Mistake[] = [];
  const flat = resolveAll(flatten(json.value, mistakes), providers, mistakes);
  const sorted = sortKeys(flat, isWatch(flat), mistakes);
  const tables = tableChoices(sorted.tables, mistakes);
  const severity = severityChanges(sorted.severity, mistakes);
  const registry = converterRegistry(flat, mistakes);
  const transforms = isWatch(flat) ? readTransforms(flat, mistakes) : undefined;
  mistakes.push(...exclusiveLists(sorted.own), ...unreadableFiles(sorted.own, providers));
  const external = registersNothing(flat) ? { "fieldgate.register": "external" } : {};
  const own = { name: basename(file, ".json"), ...sorted.own, ...external };
  const keys = connectorKeys.safeParse(own);
  if (!keys.success) mistakes.push(...keyMistakes(keys.error.issues, own, new Set(mistakes.map((m) => m.key))));
  if (keys.success && isWatch(flat)) mistakes.push(...debeziumsSlot(flat, keys.data.name));
  if (!keys.success || mistakes.length > 0) return { kind: "wrong", mistakes };
  const filter = filterOf(keys.data);
  const stray = strayTables(keys.data, filter, tables);
  if (stray.length > 0) return { kind: "wrong", mistakes: stray };
  const warnings = [...ignoredWarning(sorted.ignored), ...lineBreakWarnings(flat)];
  const rest = { filter, tables, severity, registry, transforms, warnings };
  return { kind: "config", config: connectorConfig(keys.data, rest) };
}

/** The reason gives line and column but never quotes the text, because a password could be on that line. */
function readObject(
  text: string,
): { readonly kind: "object"; readonly value: Flat } | { readonly kind: "wrong"; readonly reason: string } {
  const place = (offset: number) => {
    const { line, column } = lineAndColumn(text, offset);
    return `at line ${line}, column ${column}`;
  };
  const read = readJsonText(text, { comments: false });
  switch (read.kind) {
    case "wrong":
      return { kind: "wrong", reason: `is not JSON ${place(read.offset)}: ${read.reason}` };
    case "too-deep":
      return { kind: "wrong", reason: "is nested too deeply" };
    case "json":
      // JSON.parse would silently use the last value.
      if (read.repeatedKey !== undefined) {
        return { kind: "wrong", reason: `contains a key twice ${place(read.repeatedKey)}` };
      }
      if (isObject(read.json)) return { kind: "object", value: read.json };
      return { kind: "wrong", reason: "is not a JSON object: { … }" };
    default:
      return read satisfies never;
  }
}

/**
 * Kafka Connect has two forms: the flat object, and `{"name", "config"}` as in its REST API. `$schema` is for editors
 * and says nothing about the connector.
 */
function flatten(value: Flat, mistakes: Mistake[]): Flat {
  const { $schema: _, ...own } = value;
  const { name, config: inner, ...more } = own;
  if (!isFlat(inner)) return own;
  const { $schema: _inner, ...config } = inner;
  for (const key of Object.keys(more)) {
    mistakes.push({ key, reason: "is next to name and config: move it into config" });
  }
  if (name !== undefined && config["name"] !== undefined && config["name"] !== name) {
    mistakes.push({ key: "name", reason: "is given twice, with different values" });
  }
  return name === undefined ? config : { ...config, name };
}

function isFlat(value: unknown): value is Flat {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resolveAll(flat: Flat, providers: Providers, mistakes: Mistake[]): Flat {
  const resolve = (key: string, value: unknown): unknown =>
    typeof value === "string" ? resolveVariables(key, value, providers, mistakes) : value;
  return Object.fromEntries(Object.entries(flat).map(([key, value]) => [key, resolve(key, value)]));
}

function isWatch(flat: Flat): boolean {
  return String(flat["fieldgate.mode"]).trim() === "watch";
}

/**
 * Mistakes about names that Debezium uses: Fieldgate does not read or change Debezium's slot and publication, so its
 * own need different names.
 */
function debeziumsSlot(flat: Flat, name: string): readonly Mistake[] {
  return ["slot.name", "publication.name"].flatMap((key) => {
    if (flat[key] !== ownName(name)) return [];
    const reason = "is Debezium's, and Fieldgate would use the same name: give the connector a different name";
    return [{ key, reason }];
  });
}

interface SortedKeys {
  readonly own: Flat;
  /** Keys of one table. */
  readonly tables: Flat;
  readonly severity: Flat;
  readonly ignored: readonly string[];
}

function sortKeys(flat: Flat, watch: boolean, mistakes: Mistake[]): SortedKeys {
  const own: Record<string, unknown> = {};
  const tables: Record<string, unknown> = {};
  const severity: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [key, value] of Object.entries(flat)) {
    if (watch && isTransformKey(key)) continue;
    if (watch && isOfDebeziumAlone(key)) ignored.push(key);
    else if (Object.hasOwn(connectorKeys.shape, key)) own[key] = value;
    else if (isTableKey(key)) tables[key] = value;
    else if (key.startsWith(SEVERITY_PREFIX)) severity[key.slice(SEVERITY_PREFIX.length)] = value;
    else if (!isConverterAddress(key) && isIgnored(key, value, mistakes)) ignored.push(key);
  }
  return { own, tables, severity, ignored };
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
      // The class has no effect, like tasks.max, because there is only one kind of connector.
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
  return why === undefined ? `can only be ${alternatives(values)} in this version` : `is not supported: ${why}`;
}

function unknownKey(key: string): Mistake {
  const nearest = nearestName(key, [...Object.keys(connectorKeys.shape), ...debeziumKeys]);
  const hint = nearest === undefined ? `; ${page("configuration.md")} lists them` : `: did you mean ${nearest}?`;
  return { key, reason: `is not a known key${hint}` };
}

/** An include list and an exclude list of the same kind cannot be combined, as in Debezium. */
function exclusiveLists(own: Flat): readonly Mistake[] {
  return ["schema", "table", "column"].flatMap((thing) => {
    const [include, exclude] = [`${thing}.include.list`, `${thing}.exclude.list`];
    const both = own[include] !== undefined && own[exclude] !== undefined;
    return both ? [{ key: exclude, reason: `cannot be used together with ${include}` }] : [];
  });
}

/** TLS files are read again at each connection. Here it is only checked that they can be read. */
function unreadableFiles(own: Flat, providers: Providers): readonly Mistake[] {
  return ["database.sslrootcert", "database.sslcert", "database.sslkey"].flatMap((key) => {
    const path = own[key];
    if (typeof path !== "string" || path.trim() === "" || providers.file(path.trim()) !== undefined) return [];
    return [{ key, reason: "names a file that cannot be read" }];
  });
}

/** A key that already has a mistake, such as a variable that is not set, does not get a second one. */
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

/** The reason given by `refuse`, which is more specific than what the key must be. */
function ownReason(issue: z.core.$ZodIssue): string | undefined {
  return issue.code === "custom" && typeof issue.params?.["reason"] === "string" ? issue.params["reason"] : undefined;
}

function ignoredWarning(ignored: readonly string[]): readonly string[] {
  return ignored.length === 0 ? [] : [`keys that have no effect here: ${ignored.join(", ")}`];
}

/** Files with secrets often end in a line break by accident. */
function lineBreakWarnings(flat: Flat): readonly string[] {
  const ending = Object.entries(flat).filter(([, value]) => typeof value === "string" && /[\r\n]$/.test(value));
  return ending.map(([key]) => `${key} ends in a line break, which becomes part of the value`);
}
