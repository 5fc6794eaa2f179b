import type { TopicView } from "../../api/api.ts";
import { GuardError } from "../../errors.ts";
import { createClient } from "../client.ts";
import type { Terminal } from "../command.ts";
import type { Report } from "./format/report.ts";

/** Where `check` and `contract init` get a topic's schemas from. */
export interface TopicSource {
  readonly kind: Report["source"];
  /** Throws `not-found` for an unknown topic. A known topic may not have any events yet. */
  readTopic(name: string): Promise<TopicView>;
}

/** The registry if FIELDGATE_REGISTRY_URL is set and FIELDGATE_URL is not; otherwise the service. */
export function chooseSource(terminal: Terminal): TopicSource {
  const { env } = terminal;
  const registryUrl = env["FIELDGATE_REGISTRY_URL"] ?? env["FIELDGATE_REGISTRY_URL_FILE"];
  if (env["FIELDGATE_URL"] === undefined && registryUrl !== undefined) {
    return { kind: "registry", readTopic: (name) => readRegistryTopic(env, name) };
  }
  const client = createClient(terminal);
  return { kind: "service", readTopic: (name) => client.topic(name) };
}

/** Schema files that are given with --against. `topics` are the topics of the contracts. */
export async function openFileSource(
  cwd: string,
  files: readonly string[],
  topics: readonly string[],
): Promise<TopicSource> {
  const { readTopicFiles } = await import("./source-files.ts");
  const views = readTopicFiles(cwd, files, topics);
  return {
    kind: "files",
    readTopic: async (name) => {
      const view = views.get(name);
      if (view !== undefined) return view;
      const next = `add its schema: --against ${name}=FILE`;
      throw new GuardError("not-found", `none of the --against files is for ${name}`, { next });
    },
  };
}

/**
 * Every live version of a topic's value schema, oldest first. The registry does not know which of them are in use, or
 * which fields are withheld. Throws `not-found` for an unknown subject and `config-invalid` for mistakes in the
 * variables.
 */
async function readRegistryTopic(env: Terminal["env"], topic: string): Promise<TopicView> {
  const { readRegistrySettings } = await import("../../config/environment/registry-variables.ts");
  const { registryClient } = await import("../../registry/client.ts");
  const registry = registryClient(readRegistrySettings(env));
  const subject = `${topic}-value`;
  const numbers = await registry.versions(subject);
  if (numbers.length === 0) {
    const next = `check the topic's name; its subject would be ${subject}`;
    throw new GuardError("not-found", `the registry has no schema for ${topic}`, { next });
  }
  const flowing: { schemaId: number; schema: string }[] = [];
  for (const number of numbers) {
    const version = await registry.version(subject, number);
    if (version !== undefined) flowing.push({ schemaId: version.id, schema: version.text });
  }
  return { topic, flowing, withheld: [] };
}
