/**
 * What a consumer gets of an event. With view `row` this is the result of Debezium's ExtractNewRecordState: the Value
 * record, with the fields that the transform adds after its columns
 * (https://debezium.io/documentation/reference/stable/transformations/event-flattening.html).
 */
import { parseSchema } from "../avro/parse.ts";
import type { AvroRecord, AvroSchema, RecordField } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import type { AddedField, Contract } from "./contract.ts";
import { rowOf } from "./row.ts";

/** The row of an event in the contract's view; undefined if the schema contains no row. */
export function rowFor({ view, adds = [] }: Contract, envelope: AvroSchema): AvroRecord | undefined {
  const row = rowOf(envelope);
  // Returns the same object for every contract with this row, because other modules cache what they compute from it.
  if (row === undefined || view !== "row" || adds.length === 0) return row;
  const columns = new Set(row.fields.map(({ name }) => name));
  return { ...row, fields: [...row.fields, ...adds.filter(({ name }) => !columns.has(name)).flatMap(fieldOf)] };
}

/**
 * A field with an invalid type is left out. Publishing checks the types, but not every contract was published by this
 * version.
 */
function fieldOf({ name, type }: AddedField): readonly RecordField[] {
  try {
    const field = { name, default: undefined, aliases: [], order: "ascending", doc: undefined, props: {} } as const;
    return [{ ...field, type: parseSchema(type) }];
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return [];
    throw error;
  }
}

/** Rules name a column by its place in the event, `after.zip`; a consumer with view `row` knows it as `zip`. */
export function nameInView({ view }: Contract, finding: Finding): Finding {
  if (view !== "row" || finding.field === undefined) return finding;
  return { ...finding, field: finding.field.replace(/^after\./, "") };
}
