import { parseSchemaText } from "../../avro/schema-text.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import { GuardError } from "../../errors.ts";
import type { TopicView } from "../../api/api.ts";
import { readText } from "../../text-file.ts";

/**
 * Topics as schema files say they are, oldest version first. A file is its topic's by its envelope's namespace, as
 * Debezium writes it, or is written `TOPIC=FILE`; if the contracts have one topic, it is that one's. Throws `usage`
 * for a file that cannot be read or whose topic is not plain, `schema-invalid` for one that is no Avro schema.
 */
export function topicsOfFiles(
  cwd: string,
  files: readonly string[],
  topics: readonly string[],
): ReadonlyMap<string, TopicView> {
  const views = new Map<string, TopicView>();
  for (const file of files) {
    const named = topics.find((topic) => file.startsWith(`${topic}=`));
    const path = named === undefined ? file : file.slice(named.length + 1);
    const schema = readText(cwd, path);
    const avro = parsed(path, schema);
    const topic = named ?? topicOf(path, avro, topics);
    const flowing = views.get(topic)?.flowing ?? [];
    views.set(topic, { topic, flowing: [...flowing, { schemaId: flowing.length + 1, schema }], withheld: [] });
  }
  return views;
}

function topicOf(path: string, schema: AvroSchema, topics: readonly string[]): string {
  const name = schema.kind === "record" ? schema.fullName : "";
  // ExtractNewRecordState leaves the row's record of it.
  const found = topics.find((topic) => [".Envelope", ".Value"].some((end) => name === `${avroName(topic)}${end}`));
  const [only, ...more] = topics;
  const topic = found ?? (more.length === 0 ? only : undefined);
  if (topic !== undefined) return topic;
  throw new GuardError("usage", `${path} names no topic of the contracts: its schema is ${name || "no record"}`, {
    next: `write it with its topic: --against ${topics[0] ?? "TOPIC"}=${path}`,
  });
}

function parsed(path: string, text: string): AvroSchema {
  try {
    return parseSchemaText(text);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    throw new GuardError(error.code, `${path}: ${error.text}`, { cause: error });
  }
}

/** A topic as a namespace: what Avro's names do not take is `_` in them. */
function avroName(topic: string): string {
  return topic.replaceAll(/[^A-Za-z0-9_.]/g, "_");
}
