import type { Finding } from "../../finding.ts";
import type { AvroRecord, RecordField } from "../../avro/schema.ts";

/** One field of the row, by name, as it flows and as it would; undefined: not there. */
export interface Change {
  readonly name: string;
  readonly before: RecordField | undefined;
  readonly after: RecordField | undefined;
  /** The rows' records that the fields stand in. */
  readonly from: AvroRecord;
  readonly to: AvroRecord;
  readonly consumer: Consumer;
  /** `before` is the reader's own field, `after` the events'. */
  readonly isReader?: boolean | undefined;
}

/** What a field is and what it would be; of a reader, what it takes it for and what it is. */
export function becomes({ name, isReader }: Change, was: string, is: string): string {
  if (isReader === true) return `the reader takes "${name}" for ${was}, in the events it is ${is}`;
  return `"${name}" is ${was} and would be ${is}`;
}

/** What a rule may ask about who reads. */
export interface Consumer {
  /** Its own schema's row; undefined when it decodes with the writer's schema. */
  readonly row?: AvroRecord | undefined;
  /** Row columns it lists by name. */
  readonly fields?: readonly string[] | undefined;
  /** As the contract says it, e.g. `kafkajs`. */
  readonly runtime?: string | undefined;
}

/** What a rule found; severity `warning` when it is one even on a field the consumer reads. */
export interface Found extends Pick<Finding, "certainty" | "message" | "remedy"> {
  readonly severity?: "warning" | undefined;
}

/** Same bytes, other meaning. */
export interface MeaningRule {
  readonly id: `meaning/${string}`;
  /** What goes wrong, one line. */
  readonly problem: string;
  /** What reading does; undefined: it reads a wrong value. */
  readonly effect?: Finding["effect"];
  /** Severity on a field the consumer reads; on others it is a warning. */
  readonly severity: Finding["severity"];
  /** Also asked of a reader's own schema (as `before`) and what it would read (as `after`). */
  readonly ofReader: boolean;
  readonly find: (change: Change) => Found | undefined;
}
