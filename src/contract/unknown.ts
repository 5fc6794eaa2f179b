import { fieldHash } from "../rules/meaning/field.ts";
import type { AvroSchema, RecordField } from "../avro/schema.ts";
import type { Finding } from "../finding.ts";
import type { Contract } from "./contract.ts";
import { readerRow } from "./reader.ts";
import { rowOf } from "./row.ts";

/**
 * Finds fields that a contract with `unknown-fields: reject` does not name. Such a field would stop the consumer. The
 * consumer can name the field, or publish that its handler has been tested with the field's exact definition.
 */

/** The parts of a candidate that matter for new fields. */
interface NewFields {
  readonly topic: string;
  readonly added: readonly { readonly name: string }[];
  readonly envelope: AvroSchema;
}

/**
 * New fields that the contract does not name. A field with which the consumer's handler was tested is only a warning.
 */
export function unknownFindings(contract: Contract, { topic, added, envelope }: NewFields): readonly Finding[] {
  const tested = testedFields(contract, envelope);
  return unnamedFields(contract, added).map((name) => {
    const found = unknownField(contract, name);
    if (tested.has(name)) return testedFinding(contract, found, name);
    const orTest = `or test its handler with the field and run \`fieldgate publish --tested ${topic}.${name}\``;
    return { ...found, remedy: `${found.remedy}; ${orTest}` };
  });
}

/**
 * Fields that flow although the contract does not name them. They are only warnings, because the consumer evidently
 * copes with them.
 */
export function unnamedFlowing(contract: Contract, flowing: AvroSchema): readonly Finding[] {
  return unnamedFields(contract, rowOf(flowing)?.fields ?? []).map((name) => ({
    ...unknownField(contract, name),
    severity: "warning",
    effect: undefined,
    message: `"${name}" flows, although this contract rejects fields that it does not name`,
  }));
}

/** Fields of the candidate with which the consumer's handler was tested. A test of a different definition does not count. */
export function testedFields({ tested }: Contract, envelope: AvroSchema): ReadonlySet<string> {
  if (tested === undefined) return new Set();
  const fields = rowOf(envelope)?.fields ?? [];
  const isTested = (field: RecordField) =>
    tested.some(({ field: name, type }) => name === field.name && type === fieldHash(field));
  return new Set(fields.filter(isTested).map(({ name }) => name));
}

function testedFinding(contract: Contract, found: Finding, name: string): Finding {
  return {
    ...found,
    severity: "warning",
    effect: "decodes",
    message: `the contract does not name "${name}", but the consumer's handler was tested with it`,
    remedy: `${nameIt(contract, name)} before the next \`fieldgate publish\` without \`--tested\`, which discards the test`,
  };
}

function unknownField(contract: Contract, name: string): Finding {
  return {
    rule: "contract/unknown-field",
    severity: "error",
    certainty: "always",
    effect: "throws",
    effectStated: true,
    field: `after.${name}`,
    message: `the consumer rejects unknown fields, and its contract does not name "${name}"`,
    remedy: `${nameIt(contract, name)} and run \`fieldgate publish\``,
  };
}

function nameIt({ decodesWith }: Contract, name: string): string {
  return `add "${name}" to \`ignores\`, or to \`${decodesWith === "reader" ? "schema" : "fields"}\` if the consumer reads it,`;
}

/** Fields that a contract with `unknown-fields: reject` does not name in its schema, in `fields` or in `ignores`. */
function unnamedFields(contract: Contract, fields: readonly { readonly name: string }[]): readonly string[] {
  if (contract.unknownFields === "accept") return [];
  const read = readerRow(contract)?.fields ?? [];
  const known = new Set([
    ...(contract.fields ?? []),
    ...(contract.ignores ?? []),
    ...read.flatMap(({ name, aliases }) => [name, ...aliases]),
  ]);
  return fields.map(({ name }) => name).filter((name) => !known.has(name));
}
