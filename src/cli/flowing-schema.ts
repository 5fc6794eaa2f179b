import { parseSchemaText } from "../avro/parse.ts";
import type { AvroSchema } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import type { TopicView } from "../http/api.ts";

/** One of a topic's schemas; throws `schema-invalid`, naming topic and schema id, when it is none of Avro's. */
export function flowingSchema(topic: string, { schemaId, schema }: TopicView["flowing"][number]): AvroSchema {
  try {
    return parseSchemaText(schema);
  } catch (cause) {
    if (!(cause instanceof GuardError)) throw cause;
    throw new GuardError("schema-invalid", `the schema of ${topic}, id ${schemaId}: ${cause.text}`, {
      next: "check the topic's name: only Avro is judged, in one piece (no Protobuf, no JSON Schema, no references)",
      cause,
    });
  }
}
