import { type Json, isObject } from "../../json.ts";

/** An Avro type without null and default, with its properties in the order of Confluent's AvroData. */
export type AvroType = string | { readonly [key: string]: Json };

/** A primitive type with one of Connect's semantic types, as AvroData writes it. */
export function semanticType(type: string, name: string): AvroType {
  return { type, "connect.version": 1, "connect.name": name };
}

/** The type's `connect.name`, if it has one. */
export function connectName(avro: AvroType): string | undefined {
  const name = typeof avro === "string" ? undefined : avro["connect.name"];
  return typeof name === "string" ? name : undefined;
}

/** `int` for both `{"type":"int",…}` and `"int"`. */
export function primitiveOf(avro: AvroType): string {
  const type = typeof avro === "string" ? avro : avro["type"];
  return typeof type === "string" ? type : "";
}

/** The key of TypeEntry.forms for this type: `connect.name`, or the primitive if it has none. */
export function formName(avro: AvroType): string {
  return connectName(avro) ?? primitiveOf(avro);
}

/** A Decimal's scale; 0 for any other type. */
export function scaleOf(avro: AvroType): number {
  return typeof avro === "object" && typeof avro["scale"] === "number" ? avro["scale"] : 0;
}

/** An array's element type without null, and whether an element may be null; undefined if it is not an array. */
export function itemsOf(avro: AvroType): { readonly type: AvroType; readonly optional: boolean } | undefined {
  if (typeof avro === "string" || avro["type"] !== "array") return undefined;
  const items = avro["items"];
  if (!Array.isArray(items)) return { type: items as AvroType, optional: false }; // not a union: a name or an object
  return { type: items.find((one: Json) => one !== "null") as AvroType, optional: items[0] === "null" }; // as above
}

/** The labels that an enum's field lists, joined by commas. */
export function allowedOf(avro: AvroType): string {
  const parameters = typeof avro === "object" ? avro["connect.parameters"] : undefined;
  const allowed = isObject(parameters) ? parameters["allowed"] : undefined;
  return typeof allowed === "string" ? allowed : "";
}

/** A field's Avro type without null, and without the default that AvroData writes into a type. */
export function bareType(type: Json): Json {
  const branch: Json = Array.isArray(type) ? (type.find((one: Json) => one !== "null") ?? null) : type;
  if (typeof branch !== "object" || branch === null || Array.isArray(branch)) return branch;
  const kept = Object.entries(branch).filter(([key]) => key !== "connect.default");
  const [only] = kept;
  return kept.length === 1 && only !== undefined && only[0] === "type"
    ? only[1]
    : Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Compares two fields' types, ignoring null and defaults. */
export function isSameType(left: Json, right: Json): boolean {
  return JSON.stringify(bareType(left)) === JSON.stringify(bareType(right));
}
