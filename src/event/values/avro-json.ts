import { writeBigLong, writeString } from "./bytes.ts";
import { type Json, isObject, type JsonObject } from "../../json.ts";

/**
 * A value in Avro's JSON form for defaults (bytes are ISO-8859-1 text; a union's value is of its first branch that
 * takes it) as Avro's bytes. Undefined when it is no value of the type.
 */
export function jsonBytes(type: Json, value: Json): Buffer | undefined {
  if (Array.isArray(type)) return unionBytes(type, value);
  const primitive = isObject(type) ? type["type"] : type;
  switch (primitive) {
    case "null":
      return value === null ? Buffer.alloc(0) : undefined;
    case "boolean":
      return typeof value === "boolean" ? Buffer.from([value ? 1 : 0]) : undefined;
    case "int":
      return integerBytes(value, 2 ** 31);
    case "long":
      return integerBytes(value, 2 ** 63);
    case "float":
    case "double":
      return typeof value === "number" ? floatBytes(primitive, value) : undefined;
    case "string":
      return typeof value === "string" ? stringBytes(value) : undefined;
    case "bytes":
      return typeof value === "string" && isLatin1(value) ? withLength(Buffer.from(value, "latin1")) : undefined;
    case "array":
      return isObject(type) && Array.isArray(value)
        ? blockBytes(value.map((item: Json) => jsonBytes(type["items"] ?? null, item)))
        : undefined;
    case "map":
      return isObject(type) && isObject(value) ? mapBytes(type["values"] ?? null, value) : undefined;
    case "record":
      return isObject(type) && isObject(value) ? recordBytes(type["fields"] ?? null, value) : undefined;
    default:
      return undefined;
  }
}

function unionBytes(branches: readonly Json[], value: Json): Buffer | undefined {
  for (const [index, branch] of branches.entries()) {
    const bytes = jsonBytes(branch, value);
    if (bytes !== undefined) return Buffer.concat([longBytes(index), bytes]);
  }
  return undefined;
}

function longBytes(value: number): Buffer {
  const out = Buffer.alloc(10);
  return out.subarray(0, writeBigLong(out, 0, BigInt(value)));
}

/** From -limit to below limit. */
function integerBytes(value: Json, limit: number): Buffer | undefined {
  const fits = typeof value === "number" && Number.isInteger(value) && value >= -limit && value < limit;
  return fits ? longBytes(value) : undefined;
}

function floatBytes(type: "float" | "double", value: number): Buffer {
  const out = Buffer.alloc(8);
  return out.subarray(0, type === "float" ? out.writeFloatLE(value) : out.writeDoubleLE(value));
}

function stringBytes(text: string): Buffer {
  const out = Buffer.alloc(10 + Buffer.byteLength(text));
  return out.subarray(0, writeString(out, 0, text));
}

function isLatin1(text: string): boolean {
  return /^[\0-\u00ff]*$/.test(text);
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([longBytes(bytes.length), bytes]);
}

function blockBytes(items: readonly (Buffer | undefined)[]): Buffer | undefined {
  const written = items.filter((item) => item !== undefined);
  if (written.length < items.length) return undefined;
  const head = items.length === 0 ? [] : [longBytes(items.length)];
  return Buffer.concat([...head, ...written, Buffer.from([0])]);
}

function mapBytes(values: Json, map: JsonObject): Buffer | undefined {
  return blockBytes(
    Object.entries(map).map(([key, value]) => {
      const bytes = jsonBytes(values, value);
      return bytes && Buffer.concat([stringBytes(key), bytes]);
    }),
  );
}

function recordBytes(fields: Json, record: JsonObject): Buffer | undefined {
  if (!Array.isArray(fields)) return undefined;
  const parts = fields.map((field: Json) => {
    const name = isObject(field) ? field["name"] : undefined;
    if (!isObject(field) || typeof name !== "string") return undefined;
    const value = name in record ? record[name] : field["default"];
    return value === undefined ? undefined : jsonBytes(field["type"] ?? null, value);
  });
  const written = parts.filter((part) => part !== undefined);
  return written.length < parts.length ? undefined : Buffer.concat(written);
}
