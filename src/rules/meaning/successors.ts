import { canonicalForm } from "../../avro/canonical.ts";
import type { RecordField } from "../../avro/schema.ts";
import type { Change } from "./rule.ts";

/** The new fields of the same type, which may be this field under another name. */
export function successors({ before, from, to }: Change): readonly RecordField[] {
  if (before === undefined) return [];
  const type = canonicalForm(before.type);
  return to.fields.filter(
    (field) => !from.fields.some((old) => old.name === field.name) && canonicalForm(field.type) === type,
  );
}
