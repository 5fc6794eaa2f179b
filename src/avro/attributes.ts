import { GuardError } from "../errors.ts";
import { isName, splitName, type TypeName } from "./name.ts";
import { isPrimitive, type AvroNamed, type RecordField } from "./schema.ts";
import { type Json, isArray, type JsonObject } from "../json.ts";

/** Reads the attributes of types and fields in a schema's JSON: names, aliases, order and properties. */

/** A definition's name, checked as Java does, except for the namespace, which `define` checks. */
export function parseName(json: JsonObject, namespace: string | undefined, place: string): TypeName {
  const name = textOf(json["name"]);
  if (name === undefined) return fail(place, "the type has no name");
  const parsed = splitName(name, textOf(json["namespace"]) ?? namespace);
  if (!isName(parsed.name)) fail(place, `"${parsed.name}" is not a valid name`);
  if (isPrimitive(parsed.fullName)) fail(place, `"${parsed.fullName}" is the name of a primitive type`);
  return parsed;
}

/** The keys that have a meaning in Avro. Every other key is a property. */
export const TYPE_KEYS = [
  "doc",
  "fields",
  "items",
  "name",
  "namespace",
  "size",
  "symbols",
  "values",
  "type",
  "aliases",
];
export const ENUM_KEYS = [...TYPE_KEYS, "default"];
export const FIELD_KEYS = ["default", "doc", "name", "order", "type", "aliases"];

/** The attributes that every named type may have. An alias without a namespace gets the type's own namespace. */
export function parseDetails(
  json: JsonObject,
  { namespace }: TypeName,
  keys: readonly string[],
  place: string,
): Pick<AvroNamed, "aliases" | "doc" | "props"> {
  const aliases = aliasTexts(json, place).map((alias) => {
    const parsed = splitName(alias, namespace);
    if (!isName(parsed.name)) fail(place, `alias "${alias}" is not a valid name`);
    return parsed.namespace === undefined && namespace !== undefined ? `.${parsed.name}` : parsed.fullName;
  });
  return { aliases: [...new Set(aliases)], doc: textOf(json["doc"]), props: propsOf(json, keys) };
}

/** Aliases as written, without repetitions. */
export function aliasTexts(json: JsonObject, place: string): readonly string[] {
  const { aliases } = json;
  if (aliases === undefined) return [];
  if (!isArray(aliases)) return fail(place, "aliases must be a list of names");
  const texts = aliases.map((alias) => (typeof alias === "string" ? alias : fail(place, "an alias must be a name")));
  return [...new Set(texts)];
}

export function orderOf(json: JsonObject, place: string): RecordField["order"] {
  if (json["order"] === undefined) return "ascending";
  const order = textOf(json["order"])?.toLowerCase();
  if (order === "ascending" || order === "descending" || order === "ignore") return order;
  return fail(`${place}/order`, "order must be ascending, descending or ignore");
}

export function propsOf(json: JsonObject, reserved: readonly string[]): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(json).filter(([key]) => !reserved.includes(key)));
}

/** The text, or undefined: a value that is not a text counts as absent. */
export function textOf(json: Json | undefined): string | undefined {
  return typeof json === "string" ? json : undefined;
}

/** The first name that occurs twice. */
export function repeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/** Reports where a schema is wrong, as a JSON pointer into it. */
export class SchemaError extends GuardError {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super("schema-invalid", `at ${pointer === "" ? "/" : pointer}: ${message}`);
    this.pointer = pointer;
  }
}

/** `place` is a JSON pointer into the schema. */
export function fail(place: string, message: string): never {
  throw new SchemaError(place, message);
}
