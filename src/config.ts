import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { checkConnectorFile, type Lookup } from "./config/connector-file.ts";
import { configError, type Mistake } from "./config/mistake.ts";
import type { ConnectorConfig } from "./config/settings.ts";
import { GuardError } from "./errors.ts";

export { readServiceConfig } from "./config/service-config.ts";
export type { ConnectorConfig } from "./config/settings.ts";

const NEXT = "correct the keys above; docs/configuration.md has all of them";

/**
 * Reads one connector file's text. `file` names it in messages and gives the default name.
 * Throws `config-invalid` listing every mistake.
 */
export function readConnectorFile(text: string, file: string, env: Lookup): ConnectorConfig {
  const result = checkConnectorFile(text, file, env);
  if (result.kind === "config") return result.config;
  throw configError(new Map([[file, result.mistakes]]), NEXT);
}

/**
 * Reads every `*.json` of a directory, in the order of their names. Throws `config-invalid` listing every mistake of
 * every file, two connectors that claim the same name, slot or topic included.
 */
export async function readConnectors(directory: string, env: Lookup): Promise<readonly ConnectorConfig[]> {
  const files = await connectorFiles(directory);
  const mistakes = new Map<string, Mistake[]>();
  const configs = new Map<string, ConnectorConfig>();
  for (const file of files) {
    const result = checkConnectorFile(await readFile(file, "utf8"), file, env);
    if (result.kind === "config") configs.set(file, result.config);
    else mistakes.set(file, [...result.mistakes]);
  }
  for (const [file, clashes] of clashesOf(configs)) mistakes.set(file, [...clashes]);
  if (mistakes.size > 0) throw configError(mistakes, NEXT);
  return [...configs.values()];
}

async function connectorFiles(directory: string): Promise<readonly string[]> {
  const next =
    "set FIELDGATE_CONNECTORS to the directory of the connector files; connectors/inventory.json is an example";
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new GuardError("config-invalid", `the directory ${directory} cannot be read`, { next, cause });
  });
  const files = names.filter((name) => name.endsWith(".json")).sort();
  if (files.length === 0) throw new GuardError("config-invalid", `no connector file *.json in ${directory}`, { next });
  return files.map((name) => join(directory, name));
}

/** What a connector claims for itself alone. */
function claims(config: ConnectorConfig): readonly (readonly [key: string, claim: string])[] {
  const { hostname, port, dbname } = config.database;
  return [
    ["name", `name ${config.name}`],
    ["slot.name", `slot ${config.slotName} of ${hostname}:${port}`],
    ["publication.name", `publication ${config.publicationName} of ${hostname}:${port}/${dbname}`],
    ...config.tables.map(
      (table) => ["topic.prefix", `topic ${config.topicPrefix}.${table.schema}.${table.name}`] as const,
    ),
  ];
}

function clashesOf(configs: ReadonlyMap<string, ConnectorConfig>): ReadonlyMap<string, readonly Mistake[]> {
  const owners = new Map<string, string>();
  const clashes = new Map<string, Mistake[]>();
  for (const [file, config] of configs) {
    for (const [key, claim] of claims(config)) {
      const owner = owners.get(claim);
      if (owner === undefined) owners.set(claim, file);
      else clashes.set(file, [...(clashes.get(file) ?? []), { key, reason: `claims what ${owner} has: ${claim}` }]);
    }
  }
  return clashes;
}
