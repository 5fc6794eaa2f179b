import type { AvroRecord, AvroSchema } from "./schema.ts";
import { type Json, isArray, isObject, type JsonObject, type NumberText } from "../json.ts";

/** What checking a default needs besides its value. `fields` may throw for a record that is not finished yet. */
export interface DefaultContext {
  readonly numberText: NumberText;
  readonly fields: (record: AvroRecord) => AvroRecord["fields"];
}

/**
 * True if `holder[key]` is a valid default for `schema`. As in Java since 1.12, it may match any branch of a union
 * (AVRO-3649).
 */
export function isValidDefault(
  schema: AvroSchema,
  holder: JsonObject | readonly Json[],
  key: string | number,
  context: DefaultContext,
): boolean {
  const value = isArray(holder) ? holder[Number(key)] : holder[key];
  switch (schema.kind) {
    case "null":
      return value === null;
    case "boolean":
      return typeof value === "boolean";
    case "int":
      return isIntegral(value, context.numberText(holder, key), 31n);
    case "long":
      return isIntegral(value, context.numberText(holder, key), 63n);
    case "float":
    case "double":
      return typeof value === "number";
    case "string":
    case "bytes":
    case "enum":
    case "fixed":
      return typeof value === "string";
    case "array":
      return isArray(value) && value.every((_, at) => isValidDefault(schema.items, value, at, context));
    case "map":
      return isObject(value) && Object.keys(value).every((at) => isValidDefault(schema.values, value, at, context));
    case "union":
      return schema.branches.some((branch) => isValidDefault(branch, holder, key, context));
    case "record":
      return isObject(value) && isRecordDefault(schema, value, context);
    default:
      return schema satisfies never;
  }
}

function isRecordDefault(record: AvroRecord, value: JsonObject, context: DefaultContext): boolean {
  return context
    .fields(record)
    .every((field) =>
      Object.hasOwn(value, field.name)
        ? isValidDefault(field.type, value, field.name, context)
        : field.default !== undefined,
    );
}

function isIntegral(value: Json | undefined, written: string | undefined, bits: bigint): boolean {
  if (typeof value !== "number" || !Number.isInteger(value)) return false;
  if (written !== undefined && !/^-?\d+$/.test(written)) return false;
  const limit = 1n << bits;
  if (written !== undefined) return BigInt(written) >= -limit && BigInt(written) < limit;
  // As a JavaScript number, the largest long is 2^63.
  return BigInt(value) >= -limit && BigInt(value) < limit + (bits === 63n ? 1n : 0n);
}

const DOUBLE =
  /^[+-]?(?:NaN|Infinity|(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)[pP][+-]?\d+)[fFdD]?)$/;

/** True if Java's Double.parseDouble accepts this text. The default of a float or double may be written as text. */
export function isDoubleText(text: string): boolean {
  // Java's trim removes only spaces and control characters.
  return DOUBLE.test(text.replaceAll(/^[\0- ]+|[\0- ]+$/g, ""));
}
