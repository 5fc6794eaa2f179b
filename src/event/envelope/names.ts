import type { ValueModes } from "../types/modes.ts";

/** The longest topic name that Kafka allows. */
const MAX_TOPIC = 249;

/**
 * The topic of a table's events: `<prefix>.<schema>.<table>`, cut at 249 characters, with `_` for every character that
 * Kafka does not allow (Debezium's SchemaTopicNamingStrategy). Two tables can get the same topic name; the caller must
 * reject that.
 */
export function topicName(prefix: string, schema: string, table: string): string {
  const name = `${prefix}.${schema}.${table}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, MAX_TOPIC);
  return name === "." || name === ".." ? "_".repeat(name.length) : name;
}

/**
 * A column's name as an Avro field name, by field.name.adjustment.mode. `avro`: a character that Avro does not allow
 * becomes `_`, and a leading digit gets a `_` in front. `avro_unicode`: such a character, and `_`, becomes `_u` and its
 * code. `none`: unchanged.
 */
export function fieldName(column: string, mode: ValueModes["fieldNames"] = "avro"): string {
  switch (mode) {
    case "none":
      return column;
    case "avro":
      return avroName(column);
    case "avro_unicode":
      return column.replaceAll(/[^A-Za-z0-9]|^[0-9]/g, unicodeName);
    default:
      return mode satisfies never;
  }
}

/**
 * Escapes each UTF-16 unit like io.debezium.schema.UnicodeReplacementFunction; a code of three digits is not padded.
 */
function unicodeName(characters: string): string {
  return Array.from({ length: characters.length }, (_, i) => characters.charCodeAt(i).toString(16))
    .map((hex) => `_u${hex.length <= 2 ? "00" : ""}${hex}`)
    .join("");
}

function avroName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_]/g, "_");
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/**
 * The namespace of a topic's schemas, from the topic's name (Debezium's schema.name.adjustment.mode=avro). Kafka allows
 * `-` in a name, but registries that validate new schemas do not.
 */
export function namespaceName(topic: string): string {
  return topic.split(".").map(avroName).join(".");
}
