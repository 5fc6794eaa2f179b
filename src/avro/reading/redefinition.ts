import { isNamed, type AvroSchema, type RecordField } from "../schema.ts";
import { stableText } from "../../json.ts";

/**
 * True if two definitions are equal by Java's Schema.equals. It compares names, properties, symbols, sizes, and fields
 * with their type, default and order, but not docs and aliases. A pair that occurs inside itself counts as equal.
 */
export function sameDefinition(a: AvroSchema, b: AvroSchema): boolean {
  return same(new Map(), a, b);
}

/** The pairs being compared. */
type Entered = Map<AvroSchema, Set<AvroSchema>>;

function same(entered: Entered, a: AvroSchema, b: AvroSchema): boolean {
  if (a === b) return true;
  if (isNamed(a) && isNamed(b) && a.fullName !== b.fullName) return false;
  if (a.kind !== "union" && b.kind !== "union" && stableText(a.props) !== stableText(b.props)) return false;
  if (a.kind === "record" && b.kind === "record") {
    const met = entered.get(a) ?? new Set<AvroSchema>();
    entered.set(a, met);
    if (met.has(b)) return true;
    met.add(b);
    return sameList(a.fields, b.fields, (one, other) => sameField(entered, one, other));
  }
  if (a.kind === "enum" && b.kind === "enum") return a.symbols.join() === b.symbols.join();
  if (a.kind === "fixed" && b.kind === "fixed") return a.size === b.size;
  if (a.kind === "array" && b.kind === "array") return same(entered, a.items, b.items);
  if (a.kind === "map" && b.kind === "map") return same(entered, a.values, b.values);
  if (a.kind === "union" && b.kind === "union") {
    return sameList(a.branches, b.branches, (one, other) => same(entered, one, other));
  }
  return a.kind === b.kind;
}

function sameField(entered: Entered, a: RecordField, b: RecordField): boolean {
  return (
    a.name === b.name &&
    a.order === b.order &&
    defaultText(a) === defaultText(b) &&
    stableText(a.props) === stableText(b.props) &&
    same(entered, a.type, b.type)
  );
}

/** The default of a float or double may be written as text; it is compared as a number. */
function defaultText({ type, default: value }: RecordField): string {
  if (value === undefined) return "";
  const isNumber = type.kind === "float" || type.kind === "double";
  return isNumber && typeof value === "string" ? String(Number(value)) : stableText(value);
}

function sameList<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((item, at) => at in b && isSame(item, b[at] as T)); // in range: `at in b`
}
