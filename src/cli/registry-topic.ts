import { readRegistryAddress } from "../config/registry-address.ts";
import { GuardError } from "../errors.ts";
import type { TopicView } from "../http/api.ts";
import { registryClient } from "../registry/client.ts";

/**
 * Every live version of a topic's value schema, oldest first, by the registry alone: it does not know which flow,
 * nor what is withheld. Throws `usage` for no URL, and what the registry client throws.
 */
export async function registryTopic(registryUrl: string, topic: string): Promise<TopicView> {
  const address = readRegistryAddress(registryUrl);
  if (address === undefined) {
    throw new GuardError("usage", "FIELDGATE_REGISTRY_URL is no http(s) URL", { next: "e.g. http://registry:8081" });
  }
  const registry = registryClient({ urls: [address.url], auth: address.auth });
  const subject = `${topic}-value`;
  const flowing: { schemaId: number; schema: string }[] = [];
  for (const number of await registry.versions(subject)) {
    const version = await registry.version(subject, number);
    if (version !== undefined) flowing.push({ schemaId: version.id, schema: version.text });
  }
  return { topic, flowing, withheld: [] };
}
