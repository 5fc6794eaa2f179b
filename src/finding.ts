/** One reason for a verdict, as a value: what is wrong, where, and what to do about it. */
export interface Finding {
  /** A stable id, e.g. `avro/reader-field-missing-default`, `column/type-not-mapped`. */
  readonly rule: string;
  readonly severity: "error" | "warning";
  /** Whether it happens with every event or only with some, or is only forbidden by a rule. */
  readonly certainty: "always" | "on-some-data" | "by-policy";
  /** What happens when an event is read; undefined if that is unknown, or if nothing is read. */
  readonly effect?: Effect | undefined;
  /** True if the message already states the effect, so it is not appended when the finding is shown. */
  readonly effectStated?: true | undefined;
  /** The reader's name for the field, e.g. `after.address.zip`; undefined if the finding is about the whole event. */
  readonly field?: string | undefined;
  /** What is wrong, in one sentence. It never contains a row's value. */
  readonly message: string;
  /** What to do about it, as one sentence or a command. */
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
  decodes: "it decodes correctly; only the compatibility rule forbids it",
};

/** Limits per judgement: the number of findings kept, and the length of each text. */
const MAX_FINDINGS = 50;
const MAX_TEXT = 2000;

/**
 * Limits the findings that are stored with a verdict, because a contract may name thousands of fields, and types may be
 * as long as schemas. If not all fit, errors come first, and the last one says how many are left out.
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

/** For example `after.zip: what is wrong [rule]`. */
export function findingLine(finding: Omit<Finding, "severity">): string {
  const { field, rule } = finding;
  return `${field === undefined ? "" : `${field}: `}${messageText(finding)} [${rule}]`;
}

/** The message followed by the effect, unless the message states it. All formats and alerts show it like this. */
export function messageText(finding: Pick<Finding, "message" | "effect" | "effectStated" | "certainty">): string {
  const { message, effect, effectStated, certainty } = finding;
  if (effect === undefined || effectStated === true) return message;
  return `${message}; ${EFFECT_WORDS[effect]}${certainty === "on-some-data" ? " on some data" : ""}`;
}
