import type { AvroSchema } from "../avro/schema.ts";
import type { Sample } from "./sample.ts";
import { type Json, isArray, isObject } from "../json.ts";

/** A field's default as a value: bytes are text of ISO-8859-1 in it, a union's is of null or its first other branch. */
export function fromDefault(schema: AvroSchema, value: Json): Sample {
  switch (schema.kind) {
    case "long":
      return typeof value === "number" ? BigInt(value) : scalar(value);
    case "bytes":
    case "fixed":
      return Buffer.from(typeof value === "string" ? value : "", "latin1");
    case "array":
      return isArray(value) ? value.map((item) => fromDefault(schema.items, item)) : [];
    case "map":
      return isObject(value) ? members(value, () => schema.values) : {};
    case "record":
      return isObject(value) ? members(value, (name) => schema.fields.find((field) => field.name === name)?.type) : {};
    case "union": {
      const branch = schema.branches.find(({ kind }) => (kind === "null") === (value === null));
      return branch === undefined ? null : fromDefault(branch, value);
    }
    default:
      return scalar(value);
  }
}

function scalar(value: Json): Sample {
  return typeof value === "object" ? null : value;
}

function members(value: { readonly [name: string]: Json }, typeOf: (name: string) => AvroSchema | undefined): Sample {
  return Object.fromEntries(
    Object.entries(value).map(([name, of]) => [name, fromDefault(typeOf(name) ?? { kind: "null", props: {} }, of)]),
  );
}
