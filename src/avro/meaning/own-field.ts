import type { AvroRecord, RecordField } from "../schema.ts";

/** By row: one is asked for every field of every candidate. */
const indexes = new WeakMap<AvroRecord, ReadonlyMap<string, RecordField>>();

/** The reader's field that a written field of this name is read into: the one so named, else one with that alias. */
export function ownField(row: AvroRecord | undefined, name: string): RecordField | undefined {
  if (row === undefined) return undefined;
  const index = indexes.get(row) ?? indexOf(row);
  indexes.set(row, index);
  return index.get(name);
}

function indexOf({ fields }: AvroRecord): ReadonlyMap<string, RecordField> {
  const aliases = fields.flatMap((field) => field.aliases.map((alias) => [alias, field] as const));
  return new Map([...aliases.toReversed(), ...fields.map((field) => [field.name, field] as const)]);
}
