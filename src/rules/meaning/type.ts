import type { AvroSchema } from "../../avro/schema.ts";
import type { Change } from "./rule.ts";

interface TypePair {
  readonly before: AvroSchema;
  readonly after: AvroSchema;
}

/** The types that a change is about: without null, and inside arrays or maps if both sides have them. */
export function typesOf({ before, after }: Change): TypePair | undefined {
  return before === undefined || after === undefined ? undefined : innermost(before.type, after.type);
}

function innermost(before: AvroSchema, after: AvroSchema): TypePair {
  const [b, a] = [valueType(before), valueType(after)];
  if (b.kind === "array" && a.kind === "array") return innermost(b.items, a.items);
  if (b.kind === "map" && a.kind === "map") return innermost(b.values, a.values);
  return { before: b, after: a };
}

/** A union's only branch other than null. A union with several such branches is returned unchanged. */
export function valueType(type: AvroSchema): AvroSchema {
  const [only, second] = branchesOf(type).filter(({ kind }) => kind !== "null");
  return only === undefined || second !== undefined ? type : only;
}

export function isNullable(type: AvroSchema): boolean {
  return type.kind === "union" && type.branches.some(({ kind }) => kind === "null");
}

export function branchesOf(type: AvroSchema): readonly AvroSchema[] {
  return type.kind === "union" ? type.branches : [type];
}

/** The name that Connect or Avro gives to the meaning of the bytes. */
export function logicalName(type: AvroSchema): string | undefined {
  if (type.kind === "union") return undefined;
  return textOf(type.props["connect.name"]) ?? textOf(type.props["logicalType"]);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
