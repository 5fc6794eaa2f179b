import type { Finding } from "../../finding.ts";
import type { Longs } from "../runtime/rule.ts";
import type { AvroRecord, RecordField } from "../../avro/schema.ts";

/** One field of the row before and after a change; undefined on a side where the row does not have the field. */
export interface Change {
  readonly name: string;
  readonly before: RecordField | undefined;
  readonly after: RecordField | undefined;
  /** The records that `before` and `after` belong to. */
  readonly from: AvroRecord;
  readonly to: AvroRecord;
  readonly consumer: Consumer;
  /** True when a reader is compared with events: `before` is the reader's own field, `after` is the events' field. */
  readonly isReader?: boolean | undefined;
}

/** Says what a field is and what it would become; for a reader, what it expects and what the events have. */
export function becomes({ name, isReader }: Change, was: string, is: string): string {
  if (isReader === true) return `the reader expects "${name}" to be ${was}, but in the events it is ${is}`;
  return `"${name}" is ${was} now and would become ${is}`;
}

/** What a rule may know about the consumer. */
export interface Consumer {
  /** The row in its own schema; undefined if it decodes with the writer's schema. */
  readonly row?: AvroRecord | undefined;
  /** The columns that it lists by name. */
  readonly fields?: readonly string[] | undefined;
  /** The client library as written in the contract, e.g. `kafkajs`. */
  readonly runtime?: string | undefined;
  /** What that library makes of a long. */
  readonly longs?: Longs | undefined;
}

/** What a rule found. With severity `warning` it is only a warning, even on a field that the consumer reads. */
export interface Found extends Pick<Finding, "certainty" | "message" | "remedy" | "effectStated"> {
  readonly severity?: "warning" | undefined;
}

/** A rule about bytes whose form stays the same while their meaning changes. */
export interface MeaningRule {
  readonly id: `meaning/${string}`;
  /** What goes wrong, in one line. */
  readonly problem: string;
  /** What happens on reading; undefined means that a wrong value is read. */
  readonly effect?: Finding["effect"];
  /** The severity on a field that the consumer reads. On other fields it is a warning. */
  readonly severity: Finding["severity"];
  /** Whether the rule also compares a reader's own schema (as `before`) with what it would read (as `after`). */
  readonly ofReader: boolean;
  readonly find: (change: Change) => Found | undefined;
}
