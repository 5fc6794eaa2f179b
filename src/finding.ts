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
 * `throws`: the decoder, or what the consumer does with what it decodes, refuses the event. `reads-null-or-default`: one
 * of these, or JavaScript's undefined, stands for the value. `reads-wrong-value`: it decodes, to something else than was
 * meant. `decodes`: as meant; only a rule forbids it.
 */
export type Effect = "throws" | "reads-null-or-default" | "reads-wrong-value" | "decodes";

/** In words for people, and what a message has that says as much itself. */
const EFFECTS = {
  throws: { words: "the decoder throws", said: /throws|refuse|reject|cannot make/ },
  "reads-null-or-default": { words: "null or a default is read", said: /\bnull\b|\bdefault\b|\bundefined\b|takes for/ },
  "reads-wrong-value": { words: "a wrong value is read", said: /wrong|another|filled from|as the other/ },
  decodes: { words: "it decodes, only the rule forbids it", said: /was tried/ },
} as const satisfies Readonly<Record<Effect, { readonly words: string; readonly said: RegExp }>>;

/** `after.zip: what is wrong [rule]`. */
export function findingLine(finding: Omit<Finding, "severity">): string {
  const { field, rule } = finding;
  return `${field === undefined ? "" : `${field}: `}${messageText(finding)} [${rule}]`;
}

/** The message with what happens when an event is read: as every format and alert shows it. */
export function messageText({ message, effect, certainty }: Pick<Finding, "message" | "effect" | "certainty">): string {
  if (effect === undefined) return message;
  const { words, said } = EFFECTS[effect];
  // Names and types stand in quotes: a column "default" says nothing.
  if (said.test(message.replaceAll(/"[^"]*"/g, ""))) return message;
  return `${message}; ${words}${certainty === "on-some-data" ? " on some data" : ""}`;
}
