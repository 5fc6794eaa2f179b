/** One reason for a verdict, as a value: what is wrong, where, and what to do about it. */
export interface Finding {
  /** Stable id, e.g. `avro/reader-field-missing-default`, `column/type-not-mapped`. */
  readonly rule: string;
  readonly severity: "error" | "warning";
  /** Whether it happens with every event, with some, or only by a rule. */
  readonly certainty: "always" | "on-some-data" | "by-policy";
  /** What happens when an event is read; undefined if that is not known or nothing is read. */
  readonly effect?: Effect | undefined;
  /** The message itself states the effect, so it is not appended when the finding is shown. */
  readonly effectStated?: true | undefined;
  /** The field by the reader's name for it, e.g. `after.address.zip`; undefined for the whole event. */
  readonly field?: string | undefined;
  /** What is wrong, one sentence, never a row's value. */
  readonly message: string;
  /** What to do about it, one sentence or a command. */
  readonly remedy?: string | undefined;
}

/**
 * `throws`: the decoder, or the code that handles the decoded event, rejects the event. `reads-null-or-default`: null, a
 * default or JavaScript's undefined replaces the value. `reads-wrong-value`: the event decodes to a value that was not
 * meant. `decodes`: it decodes correctly; only a rule forbids it.
 */
export type Effect = "throws" | "reads-null-or-default" | "reads-wrong-value" | "decodes";

const EFFECT_WORDS: Readonly<Record<Effect, string>> = {
  throws: "the decoder throws",
  "reads-null-or-default": "null or a default is read",
  "reads-wrong-value": "a wrong value is read",
  decodes: "it decodes, only the rule forbids it",
};

/** So many findings of one judgement are kept, and so many characters of each text in them. */
const MAX_FINDINGS = 50;
const MAX_TEXT = 2000;

/**
 * Findings as they are kept with a verdict: a contract may name thousands of fields, and types as long as schemas are.
 * Errors come first where not all fit, and the last one says how many are left out.
 */
export function keptFindings(findings: readonly Finding[]): readonly Finding[] {
  const isError = ({ severity }: Finding) => severity === "error";
  const fits = findings.length <= MAX_FINDINGS;
  const first = fits ? findings : [...findings.filter(isError), ...findings.filter((one) => !isError(one))];
  const kept = first.slice(0, MAX_FINDINGS).map(cutFinding);
  const last = kept.at(-1);
  if (fits || last === undefined) return kept;
  const more = findings.length - MAX_FINDINGS;
  return [...kept.slice(0, -1), { ...last, message: `${last.message}; and ${more} more findings are left out` }];
}

function cutFinding(finding: Finding): Finding {
  const { message, remedy, field } = finding;
  if (message.length <= MAX_TEXT && (remedy?.length ?? 0) <= MAX_TEXT && (field?.length ?? 0) <= MAX_TEXT)
    return finding;
  return { ...finding, message: cut(message), remedy: remedy && cut(remedy), field: field && cut(field) };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}

/** `after.zip: what is wrong [rule]`. */
export function findingLine(finding: Omit<Finding, "severity">): string {
  const { field, rule } = finding;
  return `${field === undefined ? "" : `${field}: `}${messageText(finding)} [${rule}]`;
}

/** The message followed by the effect, unless the message states it: as every format and alert shows it. */
export function messageText(finding: Pick<Finding, "message" | "effect" | "effectStated" | "certainty">): string {
  const { message, effect, effectStated, certainty } = finding;
  if (effect === undefined || effectStated === true) return message;
  return `${message}; ${EFFECT_WORDS[effect]}${certainty === "on-some-data" ? " on some data" : ""}`;
}
