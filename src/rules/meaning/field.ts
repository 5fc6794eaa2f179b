import { schemaHash } from "../../avro/hash.ts";
import type { RecordField, AvroRecord } from "../../avro/schema.ts";
import { oncePer } from "../../once.ts";
import type { Json } from "../../json.ts";
import { canonicalForm } from "../../avro/canonical.ts";
import type { Change } from "./rule.ts";

/** True if two fields are the same in everything that a schema says: type, properties, default, aliases. */
export function isSameField(one: RecordField | undefined, other: RecordField | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one === other || textOf(one) === textOf(other);
}

/**
 * The hash (sha256, hex) of everything that a schema says about the field, including the definitions of all its types.
 */
export function fieldHash(field: RecordField): string {
  const json = JSON.parse(textOf(field)) as Json; // what JSON.stringify wrote
  return schemaHash(json);
}

/** Cached per field, because a row's fields are compared for every contract and every candidate. */
const textOf = oncePer(write);

/** Writes a type or field that occurs again as its name, because a record may contain itself. */
function write(field: RecordField): string {
  const met = new Set<unknown>();
  return JSON.stringify(field, (key, value: unknown) => {
    if (value === field && key !== "") return field.name;
    if (typeof value !== "object" || value === null || !("fullName" in value)) return value;
    if (met.has(value)) return value.fullName;
    met.add(value);
    return value;
  });
}

/**
 * The reader's field that a written field is read into: the one with its name, or else the one that has it as an alias.
 */
export function ownField(row: AvroRecord | undefined, name: string): RecordField | undefined {
  return row === undefined ? undefined : indexOf(row).get(name);
}

/** Cached per row, because each field of each candidate is looked up in it. */
const indexOf = oncePer(({ fields }: AvroRecord): ReadonlyMap<string, RecordField> => {
  const aliases = fields.flatMap((field) => field.aliases.map((alias) => [alias, field] as const));
  return new Map([...aliases.toReversed(), ...fields.map((field) => [field.name, field] as const)]);
});

/** New fields of the same type, any of which may be this field under a new name. */
export function successors({ before, from, to }: Change): readonly RecordField[] {
  if (before === undefined) return [];
  const type = canonicalForm(before.type);
  return to.fields.filter(
    (field) => !from.fields.some((old) => old.name === field.name) && canonicalForm(field.type) === type,
  );
}
