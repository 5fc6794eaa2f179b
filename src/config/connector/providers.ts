import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "dot-properties";

import type { Mistake } from "../../mistake.ts";

/** Where the values of `${…}` in a connector file come from. */
export interface Providers {
  /** The value of an environment variable; undefined if it is not set. */
  readonly env: (variable: string) => string | undefined;
  /** The whole text of a file; undefined if it cannot be read. */
  readonly file: (path: string) => string | undefined;
}

/** Reads a file of this machine, for Providers. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

// The same pattern as in Kafka's ConfigTransformer: ${provider:[path:]key}. Substituted text is not searched again.
const VARIABLE = /\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}/g;

/**
 * Substitutes `${env:NAME}` (EnvVarConfigProvider), `${file:PATH:PROPERTY}` (FileConfigProvider: a Java properties
 * file) and `${dir:PATH:FILE}` or `${directory:PATH:FILE}` (DirectoryConfigProvider: the file's whole content) anywhere
 * in a value. If a variable cannot be resolved, Kafka Connect leaves the text unchanged; here it is a mistake.
 */
export function resolveVariables(key: string, text: string, providers: Providers, mistakes: Mistake[]): string {
  return text.replaceAll(VARIABLE, (whole, provider: string, path: string | undefined, name: string) => {
    const found = lookUp(provider, path ?? "", name, providers);
    if (typeof found === "string") return found;
    mistakes.push({ key, ...found });
    return whole;
  });
}

type Found = string | Omit<Mistake, "key">;

function lookUp(provider: string, path: string, name: string, providers: Providers): Found {
  switch (provider) {
    case "env":
      if (path !== "")
        return { reason: "has more than a name in ${env:NAME}; as in Kafka Connect, there are no default values" };
      return providers.env(name) ?? { reason: `needs the environment variable ${name}, which is not set` };
    case "file":
      return property(path, name, providers);
    case "dir":
    case "directory":
      return path === "" || name.includes("/")
        ? { reason: "does not name a directory and a file", example: "${dir:/run/secrets:db-password}" }
        : (providers.file(join(path, name)) ?? { reason: `needs the file ${join(path, name)}, which cannot be read` });
    default:
      return {
        reason: "uses a provider other than env, file and dir",
        example: "${env:NAME}, ${file:/path/secrets.properties:key} or ${dir:/path:file}",
      };
  }
}

function property(path: string, name: string, providers: Providers): Found {
  if (path === "") return { reason: "does not name a file", example: "${file:/run/secrets/db.properties:password}" };
  const text = providers.file(path);
  if (text === undefined) return { reason: `needs the file ${path}, which cannot be read` };
  const properties = new Map(Object.entries(parse(text)));
  const value = properties.get(name);
  return typeof value === "string"
    ? value
    : { reason: `needs the property ${name} of the file ${path}, which is missing` };
}
