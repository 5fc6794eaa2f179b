import type { AvroRecord, RecordField } from "../../avro/schema.ts";
import { oncePer } from "../../once.ts";

/** The reader's field that a written field is read into: the one with its name, or else one with it as an alias. */
export function ownField(row: AvroRecord | undefined, name: string): RecordField | undefined {
  return row === undefined ? undefined : indexOf(row).get(name);
}

/** Cached per row, which is asked about every field of every candidate. */
const indexOf = oncePer(({ fields }: AvroRecord): ReadonlyMap<string, RecordField> => {
  const aliases = fields.flatMap((field) => field.aliases.map((alias) => [alias, field] as const));
  return new Map([...aliases.toReversed(), ...fields.map((field) => [field.name, field] as const)]);
});
