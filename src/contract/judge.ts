import { canonicalForm } from "../avro/canonical.ts";
import { typeText } from "../avro/reading/cause-text.ts";
import { ANOTHER_COLUMN, meaningFindings } from "../rules/meaning/meaning.ts";
import { runtimeOf } from "../rules/runtime/known.ts";
import type { AvroRecord, AvroSchema } from "../avro/schema.ts";
import { nearestName } from "../mistake.ts";
import type { Finding } from "../finding.ts";
import { oncePer } from "../once.ts";
import type { Contract } from "./contract.ts";
import { isEvidenceMissing, missingEvidence } from "./evidence.ts";
import { readerFindings, readerRow } from "./reader.ts";
import { rowOf } from "./row.ts";
import { runtimeFindings } from "./runtime.ts";
import { reweighed, UNCHANGED, type Weights } from "./severity.ts";
import { testedFields, unknownFindings, unnamedFlowing } from "./unknown.ts";
import { inView, rowFor } from "./view.ts";

/** What a topic's events would be. */
export interface Candidate {
  readonly topic: string;
  /** The envelope with the candidate in it. */
  readonly envelope: AvroSchema;
  /** Row fields it has over what flows now. */
  readonly added: readonly { readonly name: string }[];
  /** Row fields that would be filled from another column than now. */
  readonly moved?: readonly string[] | undefined;
  /** The envelope as it flows now. */
  readonly flowing: AvroSchema;
}

export interface Judgement {
  /** Any error: `not-ready`. Else, evidence missing: `unknown`. Else `ready`; warnings do not change it. */
  readonly verdict: "ready" | "not-ready" | "unknown";
  readonly findings: readonly Finding[];
}

/** One contract's verdict on one candidate of its topic. Never throws: what cannot be judged is `unknown`. */
export function judge(contract: Contract, candidate: Candidate, weights: Weights = UNCHANGED): Judgement {
  return verdictOf(findingsOn(contract, candidate).map((finding) => told(contract, finding, weights)));
}

/** As the contract's consumer is told it, with the severity it has for it on that day. */
function told(contract: Contract, finding: Finding, weights: Weights): Finding {
  const name = columnOf(finding);
  // Of a field that is not read it is a warning whatever the rule weighs.
  const counts = name === undefined || reads(contract, name);
  return inView(contract, counts ? reweighed(finding, contract.severity, weights) : finding);
}

function findingsOn(contract: Contract, candidate: Candidate): readonly Finding[] {
  const decoded = decodes(contract, candidate);
  const names = new Set(decoded.map(columnOf));
  const meant = means(contract, candidate);
  return [
    ...decoded.map((finding) => explained(finding, meant)),
    ...unknownFindings(contract, candidate),
    ...moves(contract, candidate),
    ...meant.flatMap(({ name, finding }) => (names.has(name) ? [] : [finding])),
    ...runtimeFindings(contract, candidate),
  ];
}

/** The row's field that a finding is about. */
function columnOf({ field }: Finding): string | undefined {
  return field?.replace(/^(?:after|before)\./, "").split(/[.[{]/)[0];
}

/** A field that goes or has another type is told once, with what that means, and does for sure where it is read. */
function explained(finding: Finding, meant: readonly Meant[]): Finding {
  if (!finding.rule.startsWith("contract/field-")) return finding;
  const found = meant.filter(({ name }) => name === columnOf(finding)).map((one) => one.finding);
  if (found.length === 0) return finding;
  const sure = finding.rule === RETYPED ? found.find(({ certainty }) => certainty === "always") : undefined;
  const message = [finding, ...found].map((one) => one.message).join("; ");
  return { ...finding, effect: finding.effect ?? sure?.effect, message };
}

/**
 * The same for what flows now. A field that flows and is not named is a warning: the consumer lives with it. So is
 * a listed field that is `withheld`: listing it is how the consumer says that it is ready for it.
 */
export function checkFlowing(
  contract: Contract,
  flowing: AvroSchema,
  withheld: readonly string[] = [],
  weights: Weights = UNCHANGED,
): Judgement {
  const judged = findingsOn(contract, { topic: contract.topic, envelope: flowing, added: [], flowing });
  const findings = judged.map((finding) => {
    if (finding.rule.startsWith("meaning/") && finding.certainty === "always") {
      return { ...finding, severity: "error" as const };
    }
    if (finding.rule !== "contract/field-missing") return finding;
    const name = withheld.find((field) => finding.field === `after.${field}`);
    return name === undefined
      ? { ...otherwiseNamed(contract, finding, flowing), severity: "error" as const }
      : awaited(finding, name);
  });
  const unnamed = unnamedFlowing(contract, flowing);
  return verdictOf([...findings, ...unnamed].map((finding) => told(contract, finding, weights)));
}

/** `after.zip` or `Zip` for the column `zip`. */
function otherwiseNamed({ fields = [] }: Contract, finding: Finding, flowing: AvroSchema): Finding {
  const name = finding.field?.replace(/^after\.(?:after\.|before\.)?/, "") ?? "";
  const columns = (rowOf(flowing)?.fields ?? []).flatMap((field) => (fields.includes(field.name) ? [] : [field.name]));
  const alike = columns.find((column) => column.toLowerCase() === name.toLowerCase());
  const near = alike ?? nearestName(name, columns);
  if (near === undefined) return finding;
  return { ...finding, remedy: `name it "${near}" in \`fields\` if that is the column meant; else ${finding.remedy}` };
}

function awaited(finding: Finding, name: string): Finding {
  const message = `the consumer reads "${name}", which is withheld until its readers are ready`;
  return { ...finding, effect: undefined, message, remedy: "run `fieldgate publish` once this version is deployed" };
}

/** What a contract's findings, of the judgement and of what was seen of its readers, amount to. */
export function verdictOf(findings: readonly Finding[]): Judgement {
  if (findings.some(({ severity }) => severity === "error")) return { verdict: "not-ready", findings };
  return { verdict: findings.some(isEvidenceMissing) ? "unknown" : "ready", findings };
}

function decodes(contract: Contract, candidate: Candidate): readonly Finding[] {
  switch (contract.decodesWith) {
    case "reader":
      return readerFindings(contract, candidate.envelope, candidate.flowing);
    case "writer":
      return writerFindings(contract, candidate);
    default:
      return contract.decodesWith satisfies never;
  }
}

function writerFindings(contract: Contract, { envelope, flowing }: Candidate): readonly Finding[] {
  const next = rowFor(contract, envelope);
  const now = rowFor(contract, flowing);
  if (next === undefined || now === undefined) {
    return [missingEvidence("the topic's schema is no Debezium envelope", "check the topic's name in the contract")];
  }
  if (contract.fields !== undefined) return contract.fields.flatMap((name) => fieldFindings(contract, name, now, next));
  const tested = testedFields(contract, envelope);
  const changed = now.fields.flatMap(({ name }) =>
    fieldFindings(contract, name, now, next).length > 0 && !tested.has(name) ? [name] : [],
  );
  if (changed.length === 0) return [];
  return [missingEvidence(`${changed.join(", ")} would change and the contract lists no fields`, LIST_FIELDS)];
}

const LIST_FIELDS = "list the columns the consumer reads in `fields` and run `fieldgate publish`";

const RETYPED = "contract/field-retyped";

function fieldFindings(contract: Contract, name: string, now: AvroRecord, next: AvroRecord): readonly Finding[] {
  const [before, after] = [now, next].map(({ fields }) => fields.find((field) => field.name === name)?.type);
  const found = { severity: "error", certainty: "always", field: `after.${name}` } as const;
  if (after === undefined) {
    const lacks = `the consumer reads "${name}", which the events ${before === undefined ? "do" : "would"} not have`;
    // avsc makes plain objects. With others it depends on how a field is asked for, or on the version.
    const isUndefined = runtimeOf(contract.runtime) === "avsc";
    const message = isUndefined ? `${lacks}: avsc gives undefined` : lacks;
    const effect = isUndefined ? ("reads-null-or-default" as const) : undefined;
    const remedy = `take "${name}" out of \`fields\` once the consumer does without it`;
    // No reason to keep another field back: two withheld fields that one contract lists would wait for each other.
    const severity = before === undefined ? "warning" : "error";
    return [{ rule: "contract/field-missing", ...found, severity, effect, message, remedy }];
  }
  if (before === undefined || isSameType(before, after)) return [];
  // Of two records of one name only the whole form shows the difference.
  const text = typeText(before) === typeText(after) ? canonicalForm : typeText;
  const message = `"${name}" is ${text(before)} now and would be ${text(after)}`;
  const remedy = `make the consumer read the new type, then take "${name}" out of \`fields\` until it flows`;
  return [{ rule: RETYPED, ...found, message, remedy }];
}

function isSameType(before: AvroSchema, after: AvroSchema): boolean {
  return before === after || formOf(before) === formOf(after);
}

/**
 * The writer's schema says which branch it is, so their order does not matter to who decodes with it. A row's types
 * are compared for every contract and every candidate.
 */
const formOf = oncePer((type: AvroSchema) =>
  type.kind === "union" ? type.branches.map(canonicalForm).sort().join() : canonicalForm(type),
);

interface Meant {
  /** The row's field. */
  readonly name: string;
  readonly finding: Finding;
}

/** Same bytes, other meaning: the catalogue's rules. An error where the contract reads the field. */
function means(contract: Contract, { envelope, flowing }: Candidate): readonly Meant[] {
  const [now, next] = [rowOf(flowing), rowOf(envelope)];
  if (now === undefined || next === undefined) return [];
  const row = contract.decodesWith === "reader" ? readerRow(contract) : undefined;
  const consumer = { row, fields: contract.fields, runtime: contract.runtime };
  const tested = testedFields(contract, envelope);
  return meaningFindings(now, next, consumer).flatMap(({ name, path, severity, ...found }) => {
    // What changes for who lists nothing is evidence missing already.
    const isMissing = row === undefined && contract.fields === undefined && !tested.has(name);
    if (isMissing && fieldFindings(contract, name, now, next).length > 0) return [];
    const weight: Finding["severity"] = reads(contract, name) ? (severity ?? "error") : "warning";
    return [{ name, finding: { ...found, severity: weight, field: `after.${path}` } }];
  });
}

/** The same name and type from another column: nothing that decodes can tell. */
function moves(contract: Contract, { moved }: Candidate): readonly Finding[] {
  return (moved ?? [])
    .filter((name) => reads(contract, name))
    .map((name) => ({
      rule: ANOTHER_COLUMN.id,
      severity: ANOTHER_COLUMN.severity,
      certainty: "always",
      effect: "reads-wrong-value",
      field: `after.${name}`,
      message: `"${name}" would hold the values of another column from then on`,
      remedy: `make sure that the consumer wants the other column, take "${name}" out of what it reads until it flows, and run \`fieldgate publish\``,
    }));
}

/** A contract that lists nothing reads everything. */
export function reads(contract: Contract, name: string): boolean {
  const row = contract.decodesWith === "reader" ? readerRow(contract) : undefined;
  if (row !== undefined) return row.fields.some((field) => field.name === name || field.aliases.includes(name));
  return contract.fields?.includes(name) ?? true;
}
