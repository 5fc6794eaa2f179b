import { schemaHash } from "../avro/hash.ts";
import { fieldOf, widen } from "../event/field.ts";
import { envelopeSchema } from "../event/schema.ts";
import type { Column } from "../table/column.ts";
import type { Field, Shape } from "../table/shape.ts";
import type { Candidate } from "./amendment.ts";

/** The topic's schema with one more column, as Debezium maps it; undefined for a type that is not mapped. */
export function candidateOf(shape: Shape, column: Column): Candidate | undefined {
  const mapped = fieldOf(column);
  return mapped.kind === "field" ? withField(shape, mapped.field, undefined) : undefined;
}

/** The same candidate with the field optional: what a level takes that refuses a required field without default. */
export function widened(shape: Shape, candidate: Candidate): Candidate {
  const why = `the subject's level does not take the required field ${candidate.field.name} without a default`;
  return withField(shape, widen(candidate.field), why);
}

/** A released field takes its attnum's place, so a fully released schema equals Debezium's. */
export function insertField(fields: readonly Field[], field: Field): readonly Field[] {
  const next = fields.findIndex((other) => other.attnum > field.attnum);
  const at = next === -1 ? fields.length : next;
  return [...fields.slice(0, at), field, ...fields.slice(at)];
}

/**
 * Is the candidate this shape with this column in it? After another field was let in, or the column was retyped, it
 * is not.
 */
export function isOf(shape: Shape, column: Column, candidate: Candidate): boolean {
  const now = candidateOf(shape, column);
  const same = candidate.widened === undefined || now === undefined ? now : widened(shape, now);
  return same?.hash === candidate.hash;
}

function withField(shape: Shape, field: Field, why: string | undefined): Candidate {
  const schema = envelopeSchema(shape.topic, insertField(shape.fields, field));
  return { field, text: JSON.stringify(schema), hash: schemaHash(schema), widened: why };
}
