import type { Json } from "../table/shape.ts";
import { stableText } from "./json.ts";
import { isNamed, type AvroSchema, type RecordField } from "./schema.ts";

/**
 * Are two definitions of one name the same to Java's parser? Names, properties, symbols, size, fields with type,
 * default and order count; doc and aliases do not. Both must be free of cycles, as they are while parsing.
 */
export function sameDefinition(a: AvroSchema, b: AvroSchema): boolean {
  if (a === b) return true;
  if (isNamed(a) && isNamed(b) && a.fullName !== b.fullName) return false;
  if (a.kind !== "union" && b.kind !== "union" && stableText(a.props) !== stableText(b.props)) return false;
  if (a.kind === "record" && b.kind === "record") return sameList(a.fields, b.fields, sameField);
  if (a.kind === "enum" && b.kind === "enum") return a.symbols.join() === b.symbols.join();
  if (a.kind === "fixed" && b.kind === "fixed") return a.size === b.size;
  if (a.kind === "array" && b.kind === "array") return sameDefinition(a.items, b.items);
  if (a.kind === "map" && b.kind === "map") return sameDefinition(a.values, b.values);
  if (a.kind === "union" && b.kind === "union") return sameList(a.branches, b.branches, sameDefinition);
  return a.kind === b.kind;
}

function sameField(a: RecordField, b: RecordField): boolean {
  return (
    a.name === b.name &&
    a.order === b.order &&
    defaultText(a.default) === defaultText(b.default) &&
    stableText(a.props) === stableText(b.props) &&
    sameDefinition(a.type, b.type)
  );
}

function defaultText(value: Json | undefined): string {
  return value === undefined ? "" : stableText(value);
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((item, at) => at in b && same(item, b[at] as T)); // in range: `at in b`
}
