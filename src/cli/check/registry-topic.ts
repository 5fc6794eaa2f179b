import { readRegistrySettings } from "../../config/environment/registry-variables.ts";
import type { Environment } from "../../config/environment/variables.ts";
import { GuardError } from "../../errors.ts";
import type { TopicView } from "../../api/api.ts";
import { registryClient } from "../../registry/client.ts";

/**
 * Every live version of a topic's value schema, oldest first, by the registry alone: it does not know which flow,
 * nor what is withheld. Throws `not-found` for a subject it does not know, `config-invalid` for the variables, and what
 * the registry client throws.
 */
export async function registryTopic(env: Environment, topic: string): Promise<TopicView> {
  const registry = registryClient(readRegistrySettings(env));
  const subject = `${topic}-value`;
  const flowing: { schemaId: number; schema: string }[] = [];
  const numbers = await registry.versions(subject);
  if (numbers.length === 0) {
    const next = `check the topic's name; its subject would be ${subject}`;
    throw new GuardError("not-found", `the registry has no schema of ${topic}`, { next });
  }
  for (const number of numbers) {
    const version = await registry.version(subject, number);
    if (version !== undefined) flowing.push({ schemaId: version.id, schema: version.text });
  }
  return { topic, flowing, withheld: [] };
}
