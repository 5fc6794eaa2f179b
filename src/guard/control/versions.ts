import { schemaHash } from "../../avro/hash.ts";
import type { Registered, Registry } from "../../registry/client.ts";
import type { Json } from "../../json.ts";

/** So many are looked through, the newest first. */
const MOST = 50;

/**
 * The newest live version of the subject with this schema. Who registers it again makes no new version, and no level
 * is asked: so a change that is undone is in the registry already.
 */
export async function versionWith(registry: Registry, subject: string, hash: string): Promise<Registered | undefined> {
  const numbers = await registry.versions(subject);
  for (const number of numbers.toReversed().slice(0, MOST)) {
    const version = await registry.version(subject, number);
    if (version !== undefined && hashOf(version.text) === hash) return version;
  }
  return undefined;
}

/** undefined: the text is no JSON. */
export function hashOf(text: string): string | undefined {
  try {
    return schemaHash(JSON.parse(text) as Json); // JSON.parse gives JSON
  } catch {
    return undefined;
  }
}
