import type { Finding } from "../../finding.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import type { Meeting, Place } from "./walk.ts";
import type { Json } from "../../json.ts";

/** The libraries whose reading is known by having run them; `java` is the one that the registries' rule is. */
export type Runtime = "avsc" | "fastavro" | "python-avro" | "ruby-avro" | "avro-rs" | "java";

/** A reader and what it would read, with what both hold. */
export interface Sight {
  readonly runtime: Runtime;
  /** undefined: it decodes with the writer's schema. */
  readonly reader: AvroSchema | undefined;
  readonly writer: AvroSchema;
  /** Every type of each schema the runtime parses: the reader's and the writer's. */
  readonly parsed: readonly (readonly Place[])[];
  /** The reader's types with what Java reads into them; none without a reader. */
  readonly meetings: readonly Meeting[];
  /** The reader's schema as it is written, where that is known. */
  readonly text?: Json | undefined;
}

export interface RuntimeFound extends Pick<Finding, "certainty" | "effect" | "remedy"> {
  /** Field names from the root, `[]` for an array's items and `{}` for a map's values. */
  readonly path: readonly string[];
  /** The finding's message; `at` is the place as the message is to name it, see messageOf. */
  readonly describe: (at: string) => string;
  /** Nothing at all can be read, whatever fields the consumer reads. */
  readonly whole?: true | undefined;
  /** Where it is only one, for this runtime. */
  readonly severity?: "warning" | undefined;
}

/** What Java's rule accepts, and this runtime refuses or reads otherwise. */
export interface RuntimeRule {
  readonly id: `runtime/${string}`;
  /** What goes wrong, one line. */
  readonly problem: string;
  /** Severity on a field the consumer reads; on others it is a warning. */
  readonly severity: Finding["severity"];
  readonly runtimes: readonly Runtime[];
  /** What happens where it is found and nothing else is said; undefined: it depends, and the message says it. */
  readonly effect?: Finding["effect"];
  /** May `find` find anything for a reader's schema with these types? Spares the rest of the work; undefined: yes. */
  readonly concerns?: (places: readonly Place[]) => boolean;
  /** What a schema that the runtime parses shows by itself, a reader's or a writer's. Asked once of each, for its runtimes only. */
  readonly inSchema?: (runtime: Runtime, places: readonly Place[]) => readonly RuntimeFound[];
  /** What shows where a reader meets what it would read, or where there is none. Asked for its runtimes only. */
  readonly find?: (sight: Sight) => readonly RuntimeFound[];
}
