import { type Json, isArray, isObject, type JsonObject, ownValue } from "../json.ts";
import { GuardError } from "../errors.ts";
import { writeBigLong } from "./bytes.ts";
import { parseSchema } from "./parse.ts";
import type { AvroRecord, AvroSchema } from "./schema.ts";

/**
 * Reads values of Avro schemas from JSON and writes them in Avro's binary encoding. This is for values that are written
 * once, such as defaults, fills, placeholders and samples. Rows use the encoders in event/values, which never build a
 * value.
 */

/** A value of any Avro type. A long may be a bigint; bytes and fixed are Buffers; records and maps are objects. */
export type AvroValue = null | boolean | number | bigint | string | Buffer | readonly AvroValue[] | AvroMembers;
export interface AvroMembers {
  readonly [name: string]: AvroValue;
}

export function hasMembers(value: AvroValue): value is AvroMembers {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

/**
 * Encodes a value that is written in Avro's JSON form for defaults. Undefined if it is not a value of the type, or if
 * the type refers to a type that it does not define itself.
 */
export function jsonBytes(type: Json, json: Json): Buffer | undefined {
  const schema = parsed(type);
  const value = schema && valueOfJson(schema, json);
  return schema === undefined || value === undefined ? undefined : valueBytes(schema, value);
}

function parsed(type: Json): AvroSchema | undefined {
  try {
    return parseSchema(type);
  } catch (error) {
    if (error instanceof GuardError) return undefined;
    throw error;
  }
}

/**
 * The value of a default. In JSON, bytes are ISO-8859-1 text, and a union's value belongs to the first branch that
 * accepts it. Members that a record lacks get the defaults of their fields. Undefined if the JSON is not a value of the
 * schema.
 */
export function valueOfJson(schema: AvroSchema, json: Json): AvroValue | undefined {
  switch (schema.kind) {
    case "long":
      return Number.isInteger(json) ? BigInt(Number(json)) : undefined;
    case "bytes":
    case "fixed":
      return typeof json === "string" && /^[\0-\u00ff]*$/.test(json) ? Buffer.from(json, "latin1") : undefined;
    case "array":
      return isArray(json) ? whole(json.map((item) => valueOfJson(schema.items, item))) : undefined;
    case "map":
      return isObject(json)
        ? members(Object.entries(json).map(([key, of]) => [key, valueOfJson(schema.values, of)]))
        : undefined;
    case "record":
      return isObject(json) ? recordOfJson(schema, json) : undefined;
    case "union":
      for (const branch of schema.branches) {
        const value = valueOfJson(branch, json);
        if (value !== undefined && valueBytes(branch, value) !== undefined) return value;
      }
      return undefined;
    case "null":
    case "boolean":
    case "int":
    case "float":
    case "double":
    case "string":
    case "enum":
      return typeof json === "object" && json !== null ? undefined : json;
    default:
      return schema satisfies never;
  }
}

function recordOfJson({ fields }: AvroRecord, json: JsonObject): AvroValue | undefined {
  return members(
    fields.map((field) => {
      const of = Object.hasOwn(json, field.name) ? json[field.name] : field.default;
      return [field.name, of === undefined ? undefined : valueOfJson(field.type, of)];
    }),
  );
}

function members(entries: readonly (readonly [string, AvroValue | undefined])[]): AvroMembers | undefined {
  const known = entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return known.length < entries.length ? undefined : Object.fromEntries(known);
}

function whole<T>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  const known = items.filter((item) => item !== undefined);
  return known.length < items.length ? undefined : known;
}

/** Encodes a value. A union's value belongs to the first branch that accepts it; undefined if no branch does. */
export function valueBytes(schema: AvroSchema, value: AvroValue): Buffer | undefined {
  switch (schema.kind) {
    case "null":
      return value === null ? Buffer.alloc(0) : undefined;
    case "boolean":
      return typeof value === "boolean" ? Buffer.from([value ? 1 : 0]) : undefined;
    case "int":
      return integerBytes(value, 31n);
    case "long":
      return integerBytes(value, 63n);
    case "float":
    case "double":
      return typeof value === "number" ? floatBytes(schema.kind, value) : undefined;
    case "string":
      return typeof value === "string" ? sizedBytes(Buffer.from(value)) : undefined;
    case "bytes":
      return Buffer.isBuffer(value) ? sizedBytes(value) : undefined;
    case "fixed":
      return Buffer.isBuffer(value) && value.length === schema.size ? value : undefined;
    case "enum": {
      const index = schema.symbols.findIndex((symbol) => symbol === value);
      return index < 0 ? undefined : longBytes(index);
    }
    case "array":
      return Array.isArray(value)
        ? blockBytes(value.map((item: AvroValue) => valueBytes(schema.items, item)))
        : undefined;
    case "map":
      return hasMembers(value)
        ? blockBytes(
            Object.entries(value).map(([key, of]) => {
              const bytes = valueBytes(schema.values, of);
              return bytes && Buffer.concat([sizedBytes(Buffer.from(key)), bytes]);
            }),
          )
        : undefined;
    case "record": {
      if (!hasMembers(value)) return undefined;
      const parts = whole(schema.fields.map(({ name, type }) => valueBytes(type, ownValue(value, name) ?? null)));
      return parts && Buffer.concat(parts);
    }
    case "union":
      for (const [index, branch] of schema.branches.entries()) {
        const bytes = valueBytes(branch, value);
        if (bytes !== undefined) return Buffer.concat([longBytes(index), bytes]);
      }
      return undefined;
    default:
      return schema satisfies never;
  }
}

/** Encodes an integer; undefined if it does not fit into two's complement with `bits` bits and a sign. */
function integerBytes(value: AvroValue, bits: bigint): Buffer | undefined {
  if (typeof value !== "bigint" && !Number.isInteger(value)) return undefined;
  const integer = BigInt(value as bigint | number); // the only kinds left
  return BigInt.asIntN(Number(bits) + 1, integer) === integer ? longBytes(integer) : undefined;
}

/** Writes a number in Avro's variable-length zigzag encoding. */
export function longBytes(value: number | bigint): Buffer {
  const out = Buffer.alloc(10);
  return out.subarray(0, writeBigLong(out, 0, BigInt(value)));
}

function floatBytes(type: "float" | "double", value: number): Buffer {
  const out = Buffer.alloc(8);
  return out.subarray(0, type === "float" ? out.writeFloatLE(value) : out.writeDoubleLE(value));
}

/** Puts the length before the bytes, which is how bytes and strings are encoded. */
export function sizedBytes(bytes: Buffer): Buffer {
  return Buffer.concat([longBytes(bytes.length), bytes]);
}

/** Encodes an array or map as one block with all its items, if there are any, and the end marker. */
function blockBytes(items: readonly (Buffer | undefined)[]): Buffer | undefined {
  const written = whole(items);
  if (written === undefined) return undefined;
  return Buffer.concat(items.length === 0 ? [longBytes(0)] : [longBytes(items.length), ...written, longBytes(0)]);
}
