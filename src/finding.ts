/** One reason, as a value: something a person should know, with where and what to do. */
export interface Finding {
  /** Stable id, e.g. `avro/reader-field-missing-default`, `column/type-not-mapped`. */
  readonly rule: string;
  readonly severity: "error" | "warning";
  /** Does it always happen, only on some data, or only by a policy. */
  readonly certainty: "always" | "on-some-data" | "by-policy";
  /** What happens when an event is read; undefined: nothing is known of that, or nothing is read. */
  readonly effect?: Effect | undefined;
  /** The field by name as the reader has it, e.g. `after.address.zip`; undefined: the whole. */
  readonly field?: string | undefined;
  /** What is wrong, one sentence, never a row's value. */
  readonly message: string;
  /** What to do about it, one sentence or a command. */
  readonly remedy?: string | undefined;
}

/**
 * `throws`: the decoder refuses the event. `reads-null-or-default`: one of these stands for the value.
 * `reads-wrong-value`: it decodes, to something else than was meant. `decodes`: as meant; only a rule forbids it.
 */
export type Effect = "throws" | "reads-null-or-default" | "reads-wrong-value" | "decodes";
