import type { AvroRecord, RecordField } from "../../avro/schema.ts";
import { oncePer } from "../../once.ts";

/** The reader's field that a written field of this name is read into: the one so named, else one with that alias. */
export function ownField(row: AvroRecord | undefined, name: string): RecordField | undefined {
  return row === undefined ? undefined : indexOf(row).get(name);
}

/** One row is asked for every field of every candidate. */
const indexOf = oncePer(({ fields }: AvroRecord): ReadonlyMap<string, RecordField> => {
  const aliases = fields.flatMap((field) => field.aliases.map((alias) => [alias, field] as const));
  return new Map([...aliases.toReversed(), ...fields.map((field) => [field.name, field] as const)]);
});
