import type { Runtime } from "./rule.ts";

/** The first match counts: the names for JavaScript contain "java". */
const NAMES: readonly (readonly [RegExp, Runtime])[] = [
  [/kafkajs|avsc|\bnode|javascript|typescript|platformatic/i, "avsc"],
  [/fastavro|confluent[-_ ]kafka(?:$|\b(?!-))|confluent-kafka-python/i, "fastavro"],
  [/python[-_ ]?avro|avro[-_ ]?python|apache.*python|python.*apache/i, "python-avro"],
  // confluent-kafka, the most common client, decodes with fastavro
  [/python/i, "fastavro"],
  [/ruby|avro_turf/i, "ruby-avro"],
  [/java|kotlin|scala|\bjvm|^connect-|flink|ksql|^(?:bigquery|iceberg|s3)$/i, "java"],
  [/\brust|avro-rs|apache-avro/i, "avro-rs"],
];

/** The library that a contract's `runtime` means, however people write it; undefined if it is not a known one. */
export function runtimeOf(text: string | undefined): Runtime | undefined {
  return text === undefined ? undefined : NAMES.find(([name]) => name.test(text))?.[1];
}
