import { GuardError } from "../errors.ts";
import { readEnvelope } from "../event/schema.ts";
import type { AvroField, Field, Json } from "../table/shape.ts";
import type { Capturable } from "./start.ts";

/**
 * The fields of a subject that exists, as they are registered, each with the column it is filled from. Throws
 * GuardError("subject-unfit") for a schema that is no Debezium envelope, or "amendment-unsupported" for a field
 * the table lacks or has with another type.
 */
export function adopt(topic: string, item: Capturable, text: string): readonly Field[] {
  const read = readEnvelope(JSON.parse(text) as Json); // a registry's schema text is JSON
  if (read.kind === "no-envelope") {
    throw new GuardError("subject-unfit", `subject ${topic}-value: ${read.why}`, {
      next: "choose another topic.prefix, or remove the subject if nobody reads it",
    });
  }
  const faults: string[] = [];
  const fields = read.fields.flatMap((avro) => {
    const column = item.fields.find((field) => field.name === avro.name);
    if (column === undefined) faults.push(`field ${avro.name} has no column any more`);
    else if (!sameType(column.avro.type, avro.type)) faults.push(`column ${avro.name} has another type`);
    return column === undefined ? [] : [{ ...column, avro, optional: isOptional(avro) }];
  });
  if (faults.length === 0) return fields;
  throw new GuardError("amendment-unsupported", `subject ${topic}-value: ${faults.join("; ")}`, {
    next: "bring the table back to what is registered, or choose another topic.prefix",
  });
}

function isOptional(avro: AvroField): boolean {
  return Array.isArray(avro.type) && avro.type.includes("null");
}

/** The same type apart from null and defaults: those are kept as registered. */
function sameType(ours: Json, registered: Json): boolean {
  return JSON.stringify(bare(ours)) === JSON.stringify(bare(registered));
}

function bare(type: Json): Json {
  const branch: Json = Array.isArray(type) ? (type.find((one: Json) => one !== "null") ?? null) : type;
  if (typeof branch !== "object" || branch === null || Array.isArray(branch)) return branch;
  const kept = Object.entries(branch).filter(([key]) => key !== "connect.default");
  const [only] = kept;
  return kept.length === 1 && only !== undefined && only[0] === "type"
    ? only[1]
    : Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
