/** Reads one connector file, or all of a directory, and checks that no two connectors claim the same thing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { ConnectorConfig } from "./connector/connector-config.ts";
import { checkConnectorFile } from "./connector/connector-file.ts";
import { configError, type Mistake } from "../mistake.ts";
import { readText } from "./connector/providers.ts";
import { describeError, GuardError } from "../errors.ts";
import { readTextFile } from "../text-file.ts";
import { page } from "../page.ts";

/** The value of an environment variable; undefined if it is not set. */
type Lookup = (variable: string) => string | undefined;

const NEXT = `correct the keys above; ${page("configuration.md")} lists them all`;

/**
 * Reads the text of one connector file. `file` identifies it in messages, and its base name is the default for `name`.
 * Throws `config-invalid` with every mistake.
 */
export function readConnectorFile(text: string, file: string, env: Lookup): ConnectorConfig {
  const result = checkConnectorFile(text, file, { env, file: readText });
  if (result.kind === "config") return result.config;
  throw configError(new Map([[file, result.mistakes]]), NEXT);
}

/**
 * Reads every `*.json` file of a directory, in the order of their names. Throws `config-invalid` with every mistake of
 * every file. It is also a mistake if two connectors claim the same name, slot, publication or topic.
 */
export async function readConnectors(directory: string, env: Lookup): Promise<readonly ConnectorConfig[]> {
  const files = await connectorFiles(directory);
  const mistakes = new Map<string, Mistake[]>();
  const configs = new Map<string, ConnectorConfig>();
  for (const file of files) {
    const result = checkConnectorFile(connectorText(file), file, { env, file: readText });
    if (result.kind === "config") configs.set(file, result.config);
    else mistakes.set(file, [...result.mistakes]);
  }
  for (const [file, clashes] of clashesOf(configs)) mistakes.set(file, [...clashes]);
  if (mistakes.size > 0) throw configError(mistakes, NEXT);
  return [...configs.values()];
}

function connectorText(file: string): string {
  try {
    return readTextFile(file);
  } catch (cause) {
    throw new GuardError("config-invalid", `${file} cannot be read: ${describeError(cause)}`, { cause });
  }
}

async function connectorFiles(directory: string): Promise<readonly string[]> {
  const next =
    "set FIELDGATE_CONNECTORS to the directory of the connector files; connectors/inventory.json in the fieldgate package is an example";
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new GuardError("config-invalid", `the directory ${directory} cannot be read`, { next, cause });
  });
  const files = names.filter((name) => name.endsWith(".json")).sort();
  if (files.length === 0) throw new GuardError("config-invalid", `no connector file *.json in ${directory}`, { next });
  return files.map((name) => join(directory, name));
}

/** The things that no two connectors may share. */
function claims(config: ConnectorConfig): readonly (readonly [key: string, claim: string])[] {
  const server = `${config["database.hostname"]}:${config["database.port"]}`;
  return [
    ["name", `name ${config.name}`],
    ["slot.name", `slot ${config["slot.name"]} of ${server}`],
    ["publication.name", `publication ${config["publication.name"]} of ${server}/${config["database.dbname"]}`],
  ];
}

/**
 * A topic that two connectors would both publish to. Connectors may share a prefix if their files list different tables
 * by name. A connector whose file uses regular expressions needs its own prefix.
 */
function sharedTopic(config: ConnectorConfig, owner: ConnectorConfig): string | undefined {
  const prefix = config["topic.prefix"];
  if (prefix !== owner["topic.prefix"]) return undefined;
  const [ours, theirs] = [plainNames(config), plainNames(owner)];
  if (ours === undefined || theirs === undefined) return `the topics of prefix ${prefix}`;
  const shared = ours.find((name) => theirs.includes(name));
  return shared === undefined ? undefined : `topic ${prefix}.${shared}`;
}

/** The tables that the file lists by name. Undefined if only the database knows which tables match. */
function plainNames(config: ConnectorConfig): readonly string[] | undefined {
  const listed = config["table.include.list"] ?? [];
  return listed.length > 0 && listed.every(({ plain }) => plain) ? listed.map(({ text }) => text) : undefined;
}

function clashesOf(configs: ReadonlyMap<string, ConnectorConfig>): ReadonlyMap<string, readonly Mistake[]> {
  const clashes = new Map<string, readonly Mistake[]>();
  const before: (readonly [file: string, config: ConnectorConfig])[] = [];
  for (const [file, config] of configs) {
    const found = before.flatMap(([owner, other]) => clashesWith(config, owner, other));
    if (found.length > 0) clashes.set(file, found);
    before.push([file, config]);
  }
  return clashes;
}

function clashesWith(config: ConnectorConfig, owner: string, other: ConnectorConfig): readonly Mistake[] {
  const theirs = new Set(claims(other).map(([, claim]) => claim));
  const both = claims(config).filter(([, claim]) => theirs.has(claim));
  const topic = sharedTopic(config, other);
  const all = topic === undefined ? both : [...both, ["topic.prefix", topic] as const];
  return all.map(([key, claim]) => ({ key, reason: `is already used in ${owner}: ${claim}` }));
}
