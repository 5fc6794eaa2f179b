import { fieldHash } from "../rules/meaning/same-field.ts";
import type { AvroSchema, RecordField } from "../avro/schema.ts";
import type { Finding } from "../finding.ts";
import type { Contract } from "./contract.ts";
import { readerRow } from "./reader.ts";
import { rowOf } from "./row.ts";

/** A candidate, as far as its new fields go. */
interface Brought {
  readonly topic: string;
  readonly added: readonly { readonly name: string }[];
  readonly envelope: AvroSchema;
}

/** New fields that the contract names nowhere; one that its handler was tried with is a warning. */
export function unknownFindings(contract: Contract, { topic, added, envelope }: Brought): readonly Finding[] {
  const tested = testedFields(contract, envelope);
  return unnamedFields(contract, added).map((name) => {
    const found = unknownField(contract, name);
    if (tested.has(name)) return triedWith(contract, found, name);
    const orTried = `or, once its handler was tried with the field, \`fieldgate publish --tested ${topic}.${name}\``;
    return { ...found, remedy: `${namedIn(contract, name)} and run \`fieldgate publish\`; ${orTried}` };
  });
}

/** What flows already and is not named: the consumer lives with it. */
export function unnamedFlowing(contract: Contract, flowing: AvroSchema): readonly Finding[] {
  return unnamedFields(contract, rowOf(flowing)?.fields ?? []).map((name) => ({
    ...unknownField(contract, name),
    severity: "warning",
    effect: undefined,
    message: `"${name}" flows, and this contract rejects fields it does not name`,
  }));
}

/** Fields that the consumer's own handler was tried with as they would be; of another definition they were not. */
export function testedFields({ tested }: Contract, envelope: AvroSchema): ReadonlySet<string> {
  if (tested === undefined) return new Set();
  const fields = rowOf(envelope)?.fields ?? [];
  const isTried = (field: RecordField) =>
    tested.some(({ field: name, type }) => name === field.name && type === fieldHash(field));
  return new Set(fields.filter(isTried).map(({ name }) => name));
}

function triedWith(contract: Contract, found: Finding, name: string): Finding {
  return {
    ...found,
    severity: "warning",
    effect: "decodes",
    message: `"${name}" is named nowhere in the contract, and the consumer's handler was tried with it`,
    remedy: `${namedIn(contract, name)} before the next plain \`fieldgate publish\`, which forgets what was tried`,
  };
}

function unknownField(contract: Contract, name: string): Finding {
  return {
    rule: "contract/unknown-field",
    severity: "error",
    certainty: "always",
    effect: "throws",
    field: `after.${name}`,
    message: `the consumer rejects fields it does not know, and "${name}" is named nowhere in its contract`,
    remedy: `${namedIn(contract, name)} and run \`fieldgate publish\``,
  };
}

function namedIn({ decodesWith }: Contract, name: string): string {
  return `add "${name}" to \`ignores\`, or to \`${decodesWith === "reader" ? "schema" : "fields"}\` if it is read,`;
}

/** Those that a contract with `unknown-fields: reject` names neither in schema nor in fields nor in ignores. */
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
