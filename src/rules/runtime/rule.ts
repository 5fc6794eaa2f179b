import type { Finding } from "../../finding.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import type { Meeting, Place } from "./walk.ts";
import type { Json } from "../../json.ts";

/** Libraries whose behaviour is known because they were run. Registries apply the rule of `java`. */
export type Runtime = "avsc" | "fastavro" | "python-avro" | "ruby-avro" | "avro-rs" | "java";

/** What a library makes of a long in JavaScript. `number` throws beyond 2^53. */
export type Longs = "bigint" | "number";

/** A reader and what it would read, with everything that the two schemas contain. */
export interface Sight {
  readonly runtime: Runtime;
  /** Undefined if it decodes with the writer's schema. */
  readonly reader: AvroSchema | undefined;
  readonly writer: AvroSchema;
  /** Every type of each schema that the runtime parses: first the reader's, if there is one, and then the writer's. */
  readonly parsed: readonly (readonly Place[])[];
  /**
   * Each of the reader's types, paired with the written type that Java resolves to it; empty without a reader schema.
   */
  readonly meetings: readonly Meeting[];
  /** The reader's schema as written, if that is known. */
  readonly text?: Json | undefined;
  /** What the consumer's library makes of a long; undefined means the library's default. */
  readonly longs?: Longs | undefined;
}

export interface RuntimeFound extends Pick<Finding, "certainty" | "effect" | "effectStated" | "remedy"> {
  /** Field names from the root, with `[]` for an array's items and `{}` for a map's values. */
  readonly path: readonly string[];
  /** Writes the finding's message. `at` is how the message names the place, see messageOf. */
  readonly describe: (at: string) => string;
  /** True if nothing can be read at all, whichever fields the consumer uses. */
  readonly whole?: true | undefined;
  /** Set if the finding is only a warning for this runtime. */
  readonly severity?: "warning" | undefined;
}

/** A rule about something that Java accepts, but this runtime rejects or reads differently. */
export interface RuntimeRule {
  readonly id: `runtime/${string}`;
  /** What goes wrong, in one line. */
  readonly problem: string;
  /** The severity on a field that the consumer reads; on other fields it is a warning. */
  readonly severity: Finding["severity"];
  readonly runtimes: readonly Runtime[];
  /**
   * What happens on reading, unless the finding says otherwise; undefined if it depends, in which case the message says
   * so.
   */
  readonly effect?: Finding["effect"];
  /**
   * To save work: whether `find` can find anything for a reader's schema with these types. Undefined means that it can.
   */
  readonly concerns?: (places: readonly Place[]) => boolean;
  /** Findings in a single schema, a reader's or a writer's. Called once for each, only for the rule's runtimes. */
  readonly inSchema?: (runtime: Runtime, places: readonly Place[]) => readonly RuntimeFound[];
  /**
   * Findings in a reader's and the writer's schema together, or in the writer's alone. Called only for the rule's
   * runtimes.
   */
  readonly find?: (sight: Sight) => readonly RuntimeFound[];
}

/** The first match applies, because the names for JavaScript contain "java". */
const NAMES: readonly (readonly [RegExp, Runtime])[] = [
  [/kafkajs|avsc|\bnode|javascript|typescript|platformatic/i, "avsc"],
  [/fastavro|confluent[-_ ]kafka(?:$|\b(?!-))|confluent-kafka-python/i, "fastavro"],
  [/python[-_ ]?avro|avro[-_ ]?python|apache.*python|python.*apache/i, "python-avro"],
  // confluent-kafka, the most common client, decodes with fastavro.
  [/python/i, "fastavro"],
  [/ruby|avro_turf/i, "ruby-avro"],
  [/java|kotlin|scala|\bjvm|^connect-|^debezium-|flink|ksql|^(?:bigquery|iceberg|s3)$/i, "java"],
  [/\brust|avro-rs|apache-avro/i, "avro-rs"],
];

/** The library that a contract's `runtime` refers to, however people write it; undefined if it is not a known one. */
export function runtimeOf(text: string | undefined): Runtime | undefined {
  return text === undefined ? undefined : NAMES.find(([name]) => name.test(text))?.[1];
}
