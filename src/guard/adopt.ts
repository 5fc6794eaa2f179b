import { GuardError } from "../errors.ts";
import { isSameType } from "../event/bare.ts";
import { readEnvelope } from "../event/schema.ts";
import { attnum } from "../table/column.ts";
import type { AvroField, Field, Json } from "../table/shape.ts";

/** The type of a field that somebody else registered is not known: what its column has is another. */
const UNKNOWN_TYPE = { oid: 0, typmod: -1 };

/**
 * The fields of a subject that exists, as they are registered, each with the column of its name. A field without one
 * has an attnum that no column has, so it is a dropped column's; one with another type is a retyped column's. Throws
 * GuardError("subject-unfit") for a schema that is no Debezium envelope.
 */
export function adopt(topic: string, columns: readonly Field[], text: string): readonly Field[] {
  const read = readEnvelope(JSON.parse(text) as Json); // a registry's schema text is JSON
  if (read.kind === "no-envelope") {
    throw new GuardError("subject-unfit", `subject ${topic}-value: ${read.why}`, {
      next: "choose another topic.prefix, or remove the subject if nobody reads it",
    });
  }
  return read.fields.map((avro, index) => {
    const column = columns.find((field) => field.name === avro.name);
    const optional = isOptional(avro);
    if (column === undefined) {
      return { name: avro.name, attnum: attnum(-1 - index), type: UNKNOWN_TYPE, optional, avro };
    }
    const type = isSameType(column.avro.type, avro.type) ? column.type : UNKNOWN_TYPE;
    // What is registered counts: only a column that may be null under a required field is a difference.
    return { ...column, avro, optional, type };
  });
}

function isOptional(avro: AvroField): boolean {
  return Array.isArray(avro.type) && avro.type.includes("null");
}
