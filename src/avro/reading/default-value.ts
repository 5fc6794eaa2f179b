import type { AvroSchema } from "../schema.ts";
import { type Json, isArray, isObject } from "../../json.ts";

/**
 * True if Java's decoder can turn this default into a value (ResolvingGrammarGenerator.encode). For a union, it takes
 * the first branch whose kind of JSON may fit, and it assumes that a record, an enum, an array or a map fits any JSON.
 * So `null` is not a value of `[record, null]`, although the schema parses.
 */
export function hasValue(schema: AvroSchema, json: Json | undefined, depth = 0): boolean {
  switch (schema.kind) {
    case "union": {
      const branch = schema.branches.find((one) => mayFit(one, json));
      return branch !== undefined && hasValue(branch, json, depth);
    }
    case "enum":
      return typeof json === "string" && schema.symbols.includes(json);
    case "array":
    case "map": {
      const inner = schema.kind === "array" ? schema.items : schema.values;
      return itemsOf(json).every((item) => hasValue(inner, item, depth));
    }
    case "record":
      if (depth > DEEPEST) return false;
      return schema.fields.every(({ name, type, default: own }) => {
        const value = isObject(json) && Object.hasOwn(json, name) ? json[name] : own;
        return value !== undefined && hasValue(type, value, depth + 1);
      });
    default:
      return mayFit(schema, json);
  }
}

/** A default that contains itself would recurse without end. */
const DEEPEST = 100;

function itemsOf(json: Json | undefined): readonly Json[] {
  if (isArray(json)) return json;
  return isObject(json) ? Object.values(json) : [];
}

function mayFit({ kind }: AvroSchema, json: Json | undefined): boolean {
  switch (kind) {
    case "null":
      return json === null;
    case "boolean":
      return typeof json === "boolean";
    case "int":
    case "long":
    case "float":
    case "double":
      return typeof json === "number";
    case "string":
    case "bytes":
    case "fixed":
      return typeof json === "string";
    default:
      return true;
  }
}
