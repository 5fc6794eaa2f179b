import { canonicalForm } from "../avro/canonical.ts";
import { typeText } from "../avro/reading/cause-text.ts";
import { ANOTHER_COLUMN, meaningFindings } from "../rules/meaning/meaning.ts";
import type { AvroRecord, AvroSchema } from "../avro/schema.ts";
import { nearestName } from "../mistake.ts";
import type { Finding } from "../finding.ts";
import { oncePer } from "../once.ts";
import type { Contract } from "./contract.ts";
import { isEvidenceMissing, missingEvidence, notJudgedFinding } from "./evidence.ts";
import { readerFindings, readerRow } from "./reader.ts";
import { rowOf } from "./row.ts";
import { runtimeFindings } from "./runtime.ts";
import { reweigh, UNCHANGED, type Weights } from "./severity.ts";
import { testedFields, unknownFindings, unnamedFlowing } from "./unknown.ts";
import { nameInView, rowFor } from "./view.ts";
import { runtimeOf } from "../rules/runtime/rule.ts";

/**
 * The verdict of one contract on one candidate schema. Findings come from five sources: whether the consumer can still
 * decode (reader.ts, or the listed fields here), new fields that it rejects (unknown.ts), fields filled from a
 * different column, values whose meaning changes (rules/meaning), and client libraries that behave differently from
 * Java (runtime.ts). Findings about one field are merged, and then get the severity that applies to this contract.
 */

/** A schema that the topic would have after the change. */
export interface Candidate {
  readonly topic: string;
  /** The envelope with the candidate in it. */
  readonly envelope: AvroSchema;
  /** Row fields that do not flow yet. */
  readonly added: readonly { readonly name: string }[];
  /** Row fields that would be filled from a different column than now. */
  readonly moved?: readonly string[] | undefined;
  /** The envelope that flows now. */
  readonly flowing: AvroSchema;
}

export interface Judgement {
  /**
   * `not-ready` if there is any error, otherwise `unknown` if evidence is missing, otherwise `ready`. Warnings do not
   * count.
   */
  readonly verdict: "ready" | "not-ready" | "unknown";
  readonly findings: readonly Finding[];
}

/**
 * One contract's verdict on one candidate for its topic. Never throws: if the contract cannot be judged, the verdict is
 * `unknown`.
 */
export function judge(contract: Contract, candidate: Candidate, weights: Weights = UNCHANGED): Judgement {
  return verdictOr(() => findingsOn(contract, candidate).map((finding) => adjust(contract, finding, weights)));
}

/** The verdict that follows from these findings, or `unknown` if an unexpected error ends the search for them. */
export function verdictOr(search: () => readonly Finding[]): Judgement {
  try {
    return verdictOf(search());
  } catch {
    return verdictOf([notJudgedFinding()]);
  }
}

/**
 * Gives the finding the severity that applies to this contract on that day, and the field's name as this consumer knows
 * it.
 */
function adjust(contract: Contract, finding: Finding, weights: Weights): Finding {
  const name = columnOf(finding);
  // If the consumer does not read the field, the finding remains a warning, whatever the rule's severity.
  const counts = name === undefined || reads(contract, name);
  return nameInView(contract, counts ? reweigh(finding, contract.severity, weights) : finding);
}

function findingsOn(contract: Contract, candidate: Candidate): readonly Finding[] {
  const ofRuntime = runtimeFindings(contract, candidate);
  const decoded = decodingFindings(contract, candidate).filter((finding) => !isRefused(finding, ofRuntime));
  const names = new Set(decoded.map(columnOf));
  const meant = meaningsOf(contract, candidate);
  return [
    ...decoded.map((finding) => addMeaning(finding, meant)),
    ...unknownFindings(contract, candidate),
    ...movedFindings(contract, candidate),
    ...meant.flatMap(({ name, finding }) => (names.has(name) ? [] : [finding])),
    ...ofRuntime,
  ];
}

/** That a record has a different name is only a matter of policy for Java. If the contract's runtime refuses it, its own finding says so. */
function isRefused({ rule, field }: Finding, ofRuntime: readonly Finding[]): boolean {
  return (
    rule === "avro/name-mismatch" && ofRuntime.some((one) => one.rule === "runtime/type-name" && one.field === field)
  );
}

/** The row field that a finding is about. */
function columnOf({ field }: Finding): string | undefined {
  return field?.replace(/^(?:after|before)\./, "").split(/[.[{]/)[0];
}

/**
 * Merges a change of meaning into the finding that the field is missing or has a new type, so that it is reported once.
 */
function addMeaning(finding: Finding, meant: readonly Meaning[]): Finding {
  if (!finding.rule.startsWith("contract/field-")) return finding;
  const found = meant.filter(({ name }) => name === columnOf(finding)).map((one) => one.finding);
  if (found.length === 0) return finding;
  const sure = finding.rule === RETYPED ? found.find(({ certainty }) => certainty === "always") : undefined;
  const message = [finding, ...found].map((one) => one.message).join("; ");
  const { effect, effectStated } = finding.effect === undefined && sure !== undefined ? sure : finding;
  return { ...finding, effect, effectStated, message };
}

/**
 * The verdict on the schema that flows now. A field that flows although the contract does not name it is only a
 * warning, because the consumer evidently copes with it. So is a listed field that is `withheld`, because by listing it
 * the consumer declares that it is ready.
 */
export function checkFlowing(
  contract: Contract,
  flowing: AvroSchema,
  withheld: readonly string[] = [],
  weights: Weights = UNCHANGED,
): Judgement {
  return verdictOr(() =>
    flowingFindings(contract, flowing, withheld).map((finding) => adjust(contract, finding, weights)),
  );
}

function flowingFindings(contract: Contract, flowing: AvroSchema, withheld: readonly string[]): readonly Finding[] {
  const judged = findingsOn(contract, { topic: contract.topic, envelope: flowing, added: [], flowing });
  const findings = judged.map((finding) => {
    if (finding.rule.startsWith("meaning/") && finding.certainty === "always") {
      return { ...finding, severity: "error" as const };
    }
    if (finding.rule !== "contract/field-missing") return finding;
    const name = withheld.find((field) => finding.field === `after.${field}`);
    return name === undefined
      ? { ...suggestName(contract, finding, flowing), severity: "error" as const }
      : awaitedFinding(finding, name);
  });
  return [...findings, ...unnamedFlowing(contract, flowing)];
}

/** Suggests the column `zip` if the contract lists `after.zip` or `Zip`. */
function suggestName({ fields = [] }: Contract, finding: Finding, flowing: AvroSchema): Finding {
  const name = finding.field?.replace(/^after\.(?:after\.|before\.)?/, "") ?? "";
  const columns = (rowOf(flowing)?.fields ?? []).flatMap((field) => (fields.includes(field.name) ? [] : [field.name]));
  const near = findAlike(name, columns);
  return near === undefined ? finding : { ...finding, remedy: suggested(near, finding.remedy) };
}

function awaitedFinding(finding: Finding, name: string): Finding {
  const message = `the consumer reads "${name}", which is withheld until its readers are ready`;
  return {
    ...finding,
    effect: undefined,
    effectStated: undefined,
    message,
    remedy: "run `fieldgate publish` once this version is deployed",
  };
}

/** The verdict that follows from all findings of a contract, including those from evidence about its readers. */
export function verdictOf(findings: readonly Finding[]): Judgement {
  if (findings.some(({ severity }) => severity === "error")) return { verdict: "not-ready", findings };
  return { verdict: findings.some(isEvidenceMissing) ? "unknown" : "ready", findings };
}

function decodingFindings(contract: Contract, candidate: Candidate): readonly Finding[] {
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
    return [missingEvidence("the topic's schema is not a Debezium envelope", "check the topic's name in the contract")];
  }
  const { fields } = contract;
  if (fields !== undefined) {
    const removed = now.fields.flatMap(({ name }) =>
      fields.includes(name) || next.fields.some((field) => field.name === name) ? [] : [name],
    );
    return fields.flatMap((name) => {
      const findings = fieldFindings(contract, name, now, next);
      return removed.length === 0 ? findings : findings.map((finding) => meantRemoved(finding, name, now, removed));
    });
  }
  const tested = testedFields(contract, envelope);
  const changed = now.fields.flatMap(({ name }) =>
    fieldFindings(contract, name, now, next).length > 0 && !tested.has(name) ? [name] : [],
  );
  if (changed.length === 0) return [];
  return [missingEvidence(`${changed.join(", ")} would change, and the contract lists no fields`, LIST_FIELDS)];
}

/** A listed field that no event has is an error if its name is close to that of a field that would be removed. */
function meantRemoved(finding: Finding, name: string, now: AvroRecord, removed: readonly string[]): Finding {
  if (finding.rule !== "contract/field-missing" || now.fields.some((field) => field.name === name)) return finding;
  const near = findAlike(name, removed);
  if (near === undefined) return finding;
  const message = `${finding.message}, and "${near}" would be removed`;
  return { ...finding, severity: "error", message, remedy: suggested(near, finding.remedy) };
}

/** The column that is meant by a name that is written differently or misspelt. */
function findAlike(name: string, columns: readonly string[]): string | undefined {
  return columns.find((column) => column.toLowerCase() === name.toLowerCase()) ?? nearestName(name, columns);
}

function suggested(column: string, otherwise: string | undefined): string {
  return `write "${column}" in \`fields\` if you mean that column; otherwise ${otherwise}`;
}

const LIST_FIELDS = "list the columns the consumer reads in `fields` and run `fieldgate publish`";

const RETYPED = "contract/field-retyped";

function fieldFindings(contract: Contract, name: string, now: AvroRecord, next: AvroRecord): readonly Finding[] {
  const [before, after] = [now, next].map(({ fields }) => fields.find((field) => field.name === name)?.type);
  const found = { severity: "error", certainty: "always", field: `after.${name}` } as const;
  if (after === undefined) {
    const lacks = `the consumer reads "${name}", which ${before === undefined ? "is" : "would be"} missing from the events`;
    // avsc creates plain objects. With other libraries, the result depends on how the field is accessed, or on the
    // version.
    const isUndefined = runtimeOf(contract.runtime) === "avsc";
    const message = isUndefined ? `${lacks} (avsc returns undefined)` : lacks;
    const effect = isUndefined ? ("reads-null-or-default" as const) : undefined;
    const remedy = `remove "${name}" from \`fields\` once the consumer no longer needs it`;
    // A field that is already missing must not hold others back. Otherwise two withheld fields would wait for each
    // other.
    const severity = before === undefined ? "warning" : "error";
    const effectStated = isUndefined ? true : undefined;
    return [{ rule: "contract/field-missing", ...found, severity, effect, effectStated, message, remedy }];
  }
  if (before === undefined || isSameType(before, after)) return [];
  const [was, is] = [typeText(before), typeText(after)];
  // The types are two records with the same name. Their definitions differ, but are too long for a message.
  const message =
    was === is ? `the definition of "${name}" (${was}) would change` : `"${name}" is ${was} now and would be ${is}`;
  const remedy = `make the consumer read the new type, then remove "${name}" from \`fields\` until the new type flows`;
  return [{ rule: RETYPED, ...found, message, remedy }];
}

function isSameType(before: AvroSchema, after: AvroSchema): boolean {
  return before === after || formOf(before) === formOf(after);
}

/**
 * Ignores the order of a union's branches, which does not matter to a consumer that decodes with the writer's schema.
 * Computed once, because the types of a row are compared for every contract and every candidate.
 */
const formOf = oncePer((type: AvroSchema) =>
  type.kind === "union" ? type.branches.map(canonicalForm).sort().join() : canonicalForm(type),
);

interface Meaning {
  /** The row field. */
  readonly name: string;
  readonly finding: Finding;
}

/**
 * Findings of the catalogue's rules about values whose meaning changes. They are errors if the contract reads the
 * field.
 */
function meaningsOf(contract: Contract, { envelope, flowing }: Candidate): readonly Meaning[] {
  const [now, next] = [rowOf(flowing), rowOf(envelope)];
  if (now === undefined || next === undefined) return [];
  const row = contract.decodesWith === "reader" ? readerRow(contract) : undefined;
  const consumer = { row, fields: contract.fields, runtime: contract.runtime, longs: contract.longs };
  const tested = testedFields(contract, envelope);
  return meaningFindings(now, next, consumer).flatMap(({ name, path, severity, ...found }) => {
    // For a contract that lists no fields, the change is already reported as missing evidence.
    const isMissing = row === undefined && contract.fields === undefined && !tested.has(name);
    if (isMissing && fieldFindings(contract, name, now, next).length > 0) return [];
    const weight: Finding["severity"] = reads(contract, name) ? (severity ?? "error") : "warning";
    return [{ name, finding: { ...found, severity: weight, field: `after.${path}` } }];
  });
}

/** Fields that keep their name and type but would be filled from a different column, which no decoder can notice. */
function movedFindings(contract: Contract, { moved }: Candidate): readonly Finding[] {
  return (moved ?? [])
    .filter((name) => reads(contract, name))
    .map((name) => ({
      rule: ANOTHER_COLUMN.id,
      severity: ANOTHER_COLUMN.severity,
      certainty: "always",
      effect: "reads-wrong-value",
      effectStated: true,
      field: `after.${name}`,
      message: `"${name}" would be filled from a different column`,
      remedy: `make sure that the consumer wants the other column, remove "${name}" from what it reads until the change flows, and run \`fieldgate publish\``,
    }));
}

/** A contract that lists no fields counts as reading all of them. */
export function reads(contract: Contract, name: string): boolean {
  const row = contract.decodesWith === "reader" ? readerRow(contract) : undefined;
  if (row !== undefined) return row.fields.some((field) => field.name === name || field.aliases.includes(name));
  return contract.fields?.includes(name) ?? true;
}
