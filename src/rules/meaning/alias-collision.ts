import type { AvroRecord, RecordField } from "../../avro/schema.ts";
import type { MeaningRule } from "./rule.ts";

/** A reader's field is filled from the written field that has its name or one of its aliases. */
export const aliasCollision: MeaningRule = {
  id: "meaning/alias-collision",
  problem:
    "a reader's field is filled from a different column, because that column's name is one of the field's aliases",
  severity: "error",
  ofReader: false,
  find: ({ name, before, from, to, consumer: { row } }) => {
    const field = row?.fields.find((own) => own.name === name) ?? before;
    if (field === undefined) return undefined;
    const [was, is] = [sourceOf(field, from), sourceOf(field, to)];
    if (was === undefined || is === undefined || was === is || is === name) return undefined;
    return {
      certainty: "always",
      effectStated: true,
      message: `"${name}" is filled from "${was}" now and would be filled from "${is}", which is one of its aliases`,
      remedy: `if "${is}" is a different column, remove that alias from "${name}" in the reader's schema`,
    };
  },
};

function sourceOf({ name, aliases }: RecordField, row: AvroRecord): string | undefined {
  return [name, ...aliases].find((wanted) => row.fields.some((field) => field.name === wanted));
}
