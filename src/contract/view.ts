/**
 * What a consumer gets of an event. View `row` is the row as Debezium's ExtractNewRecordState unwraps it: the Value
 * record, and after its columns the fields that the transform adds
 * (https://debezium.io/documentation/reference/stable/transformations/event-flattening.html).
 */
import { parseSchema } from "../avro/parse.ts";
import type { AvroRecord, AvroSchema, RecordField } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import type { AddedField, Contract } from "./contract.ts";
import { rowOf } from "./row.ts";

/** The row of an event as the contract's consumer gets it; undefined when the schema holds no row. */
export function rowFor({ view, adds = [] }: Contract, envelope: AvroSchema): AvroRecord | undefined {
  const row = rowOf(envelope);
  // The very same row for all who get it so: what is known of it is kept with it.
  if (row === undefined || view !== "row" || adds.length === 0) return row;
  const columns = new Set(row.fields.map(({ name }) => name));
  return { ...row, fields: [...row.fields, ...adds.filter(({ name }) => !columns.has(name)).flatMap(fieldOf)] };
}

/** A contract is checked when it is published; one that was not adds nothing that cannot be read. */
function fieldOf({ name, type }: AddedField): readonly RecordField[] {
  try {
    const field = { name, default: undefined, aliases: [], order: "ascending", doc: undefined, props: {} } as const;
    return [{ ...field, type: parseSchema(type) }];
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return [];
    throw error;
  }
}

/** Rules name a column by its place in the event, `after.zip`; whoever gets the row alone knows it as `zip`. */
export function inView({ view }: Contract, finding: Finding): Finding {
  if (view !== "row" || finding.field === undefined) return finding;
  return { ...finding, field: finding.field.replace(/^after\./, "") };
}
