import type { Finding } from "../../finding.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import type { Meeting, Place } from "./walk.ts";
import type { Json } from "../../json.ts";

/** The libraries whose behaviour is known from running them. Registries apply the rule of `java`. */
export type Runtime = "avsc" | "fastavro" | "python-avro" | "ruby-avro" | "avro-rs" | "java";

/** A reader and what it would read, with everything that the two schemas contain. */
export interface Sight {
  readonly runtime: Runtime;
  /** undefined if it decodes with the writer's schema. */
  readonly reader: AvroSchema | undefined;
  readonly writer: AvroSchema;
  /** Every type of each schema that the runtime parses: the reader's, if there is one, and then the writer's. */
  readonly parsed: readonly (readonly Place[])[];
  /** The reader's types with what Java reads into them; empty without a reader. */
  readonly meetings: readonly Meeting[];
  /** The reader's schema as it is written, if that is known. */
  readonly text?: Json | undefined;
}

export interface RuntimeFound extends Pick<Finding, "certainty" | "effect" | "effectStated" | "remedy"> {
  /** Field names from the root, `[]` for an array's items and `{}` for a map's values. */
  readonly path: readonly string[];
  /** The finding's message; `at` is the place as the message is to name it, see messageOf. */
  readonly describe: (at: string) => string;
  /** Nothing can be read at all, whatever fields the consumer uses. */
  readonly whole?: true | undefined;
  /** For a finding that is only a warning for this runtime. */
  readonly severity?: "warning" | undefined;
}

/** A rule about what Java accepts, and this runtime rejects or reads differently. */
export interface RuntimeRule {
  readonly id: `runtime/${string}`;
  /** What goes wrong, in one line. */
  readonly problem: string;
  /** The severity on a field that the consumer reads; on other fields it is a warning. */
  readonly severity: Finding["severity"];
  readonly runtimes: readonly Runtime[];
  /** What happens on reading unless the finding says otherwise; undefined if it depends and the message says so. */
  readonly effect?: Finding["effect"];
  /** Whether `find` can find anything for a reader's schema with these types, to save work; undefined means yes. */
  readonly concerns?: (places: readonly Place[]) => boolean;
  /** What one schema shows by itself, a reader's or a writer's. Called once for each, only for the rule's runtimes. */
  readonly inSchema?: (runtime: Runtime, places: readonly Place[]) => readonly RuntimeFound[];
  /** What a reader and the writer's schema show together, or the writer's alone. Called only for the rule's runtimes. */
  readonly find?: (sight: Sight) => readonly RuntimeFound[];
}

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
