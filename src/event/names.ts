/** The longest topic name Kafka takes. */
const MAX_TOPIC = 249;

/**
 * The topic of a table's events: `<prefix>.<schema>.<table>`, every character Kafka does not take replaced by `_`
 * and cut at 249 (Debezium's SchemaTopicNamingStrategy). Two tables may get one topic: the caller refuses that.
 */
export function topicName(prefix: string, schema: string, table: string): string {
  const name = `${prefix}.${schema}.${table}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, MAX_TOPIC);
  return name === "." || name === ".." ? "_".repeat(name.length) : name;
}

/**
 * A column's name as an Avro field name: other characters become `_`, a leading digit gets a `_` in front
 * (Debezium's field.name.adjustment.mode=avro, which it takes by itself when its own file names an Avro converter).
 */
export function fieldName(column: string): string {
  const name = column.replaceAll(/[^A-Za-z0-9_]/g, "_");
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/**
 * A topic's name as the namespace of its schemas (Debezium's schema.name.adjustment.mode=avro): Kafka takes a `-`,
 * registries that check new schemas do not.
 */
export function namespaceName(topic: string): string {
  return topic.split(".").map(fieldName).join(".");
}
