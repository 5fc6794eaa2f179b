import { GuardError } from "../../errors.ts";
import { checkCompatibility, type Compatibility } from "./compatibility.ts";
import { parseSchema } from "../parse.ts";
import { type Json, isObject, type NumberText } from "../../json.ts";
import { readAvroJson } from "../schema-text.ts";

/** Two schemas as JSON values, and the `numberText` of the text they were read from. */
interface Pair {
  readonly reader: Json;
  readonly writer: Json;
  readonly numberText?: NumberText | undefined;
}

/**
 * The rule's answer for one pair. If a schema does not parse, there is only an `error`. If Java throws while comparing, there
 * is an `error` with `compatible: false`, which is how a registry counts it.
 */
export function explainPair(pair: Pair): Compatibility | { readonly error: string } {
  try {
    return checkPair(pair);
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return { error: error.message };
    throw error;
  }
}

/** Like `explainPair`, for the JSON text `{"reader": ..., "writer": ...}`. Throws `usage` for any other JSON. */
export function explainPairText(text: string): ReturnType<typeof explainPair> {
  return explainPair(pairOf(text));
}

/** Like `explainPairText`, but throws `schema-invalid` if a schema does not parse, and says which of the two it is. */
export function checkPairText(text: string): Compatibility {
  return checkPair(pairOf(text));
}

function checkPair({ reader, writer, numberText }: Pair): Compatibility {
  return checkCompatibility(named("reader", reader, numberText), named("writer", writer, numberText));
}

function pairOf(text: string): Pair {
  const { json, numberText } = readAvroJson(text);
  const [reader, writer] = isObject(json) ? [json["reader"], json["writer"]] : [];
  if (reader === undefined || writer === undefined) {
    throw new GuardError("usage", 'expected one JSON object {"reader": <schema>, "writer": <schema>}');
  }
  return { reader, writer, numberText };
}

function named(role: string, json: Json, numberText: NumberText | undefined): ReturnType<typeof parseSchema> {
  try {
    return parseSchema(json, numberText);
  } catch (cause) {
    if (!(cause instanceof GuardError)) throw cause;
    throw new GuardError("schema-invalid", `${role}: ${cause.text}`, { cause });
  }
}
