import { parseSchemaText } from "../../avro/schema-text.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import { GuardError } from "../../errors.ts";
import type { TopicView } from "../../api/api.ts";
import { readText } from "../../text-file.ts";

/**
 * Topics with their schemas from files, oldest first. A file's topic is given as `TOPIC=FILE`, or follows from the
 * namespace of its envelope, as Debezium writes it. If the contracts have only one topic, it is that topic. Throws
 * `usage` if a file cannot be read or its topic is unclear, and `schema-invalid` if the file is not an Avro schema.
 */
export function readTopicFiles(
  cwd: string,
  files: readonly string[],
  topics: readonly string[],
): ReadonlyMap<string, TopicView> {
  const views = new Map<string, TopicView>();
  for (const file of files) {
    const named = topics.find((topic) => file.startsWith(`${topic}=`));
    const path = named === undefined ? file : file.slice(named.length + 1);
    const schema = readText(cwd, path);
    const avro = parseFile(path, schema);
    const topic = named ?? topicOf(path, avro, topics);
    const flowing = views.get(topic)?.flowing ?? [];
    views.set(topic, { topic, flowing: [...flowing, { schemaId: flowing.length + 1, schema }], withheld: [] });
  }
  return views;
}

function topicOf(path: string, schema: AvroSchema, topics: readonly string[]): string {
  const name = schema.kind === "record" ? schema.fullName : "";
  // ExtractNewRecordState leaves only the row's record, `Value`.
  const found = topics.find((topic) => [".Envelope", ".Value"].some((end) => name === `${avroName(topic)}${end}`));
  const [only, ...more] = topics;
  const topic = found ?? (more.length === 0 ? only : undefined);
  if (topic !== undefined) return topic;
  throw new GuardError(
    "usage",
    `${path} belongs to no topic of the contracts: its schema is ${name === "" ? "not a record" : `named ${name}`}`,
    {
      next: `name its topic: --against ${topics[0] ?? "TOPIC"}=${path}`,
    },
  );
}

function parseFile(path: string, text: string): AvroSchema {
  try {
    return parseSchemaText(text);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    throw new GuardError(error.code, `${path}: ${error.text}`, { cause: error });
  }
}

/** A topic as a namespace: `_` replaces characters that Avro does not allow in names. */
function avroName(topic: string): string {
  return topic.replaceAll(/[^A-Za-z0-9_.]/g, "_");
}
