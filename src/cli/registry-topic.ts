import { readRegistrySettings } from "../config/registry-variables.ts";
import type { Environment } from "../config/variables.ts";
import type { TopicView } from "../http/api.ts";
import { registryClient } from "../registry/client.ts";

/**
 * Every live version of a topic's value schema, oldest first, by the registry alone: it does not know which flow,
 * nor what is withheld. Throws `config-invalid` for the variables, and what the registry client throws.
 */
export async function registryTopic(env: Environment, topic: string): Promise<TopicView> {
  const registry = registryClient(readRegistrySettings(env));
  const subject = `${topic}-value`;
  const flowing: { schemaId: number; schema: string }[] = [];
  for (const number of await registry.versions(subject)) {
    const version = await registry.version(subject, number);
    if (version !== undefined) flowing.push({ schemaId: version.id, schema: version.text });
  }
  return { topic, flowing, withheld: [] };
}
