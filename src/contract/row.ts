import type { AvroRecord, AvroSchema } from "../avro/schema.ts";

/**
 * The record with the row's columns in an envelope: the type of `after`, or else of `before`, without null. A schema
 * that has neither field is itself a row. Undefined if there is no record.
 */
export function rowOf(envelope: AvroSchema): AvroRecord | undefined {
  if (envelope.kind !== "record") return undefined;
  const image = ["after", "before"].flatMap((name) => envelope.fields.find((field) => field.name === name) ?? [])[0];
  return image === undefined ? envelope : recordIn(image.type);
}

/** The first record among a type's branches, or the type itself. */
export function recordIn(type: AvroSchema): AvroRecord | undefined {
  const branches = type.kind === "union" ? type.branches : [type];
  return branches.find((branch) => branch.kind === "record");
}
