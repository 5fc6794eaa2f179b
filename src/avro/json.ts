import { GuardError } from "../errors.ts";
import type { Json } from "../table/shape.ts";
import { TOO_DEEP } from "./depth.ts";

export type JsonObject = Readonly<Record<string, Json>>;

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function isArray(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

/**
 * How a number was written, where that is more than its value: `1.0`, or an integer beyond 2^53. JavaScript's
 * numbers forget it, Avro's rules for defaults need it.
 */
export type NumberText = (holder: object, key: string | number) => string | undefined;

interface JsonText {
  readonly json: Json;
  readonly numberText: NumberText;
}

type Reviver = (this: object, key: string, value: Json, context: { readonly source?: string }) => Json;

const COMMENTS = /("(?:[^"\\]|\\.)*")|\/\*[^]*?\*\/|\/\/[^\r\n]*/g;

/** Reads JSON as Avro's Java parser does: comments are allowed. Throws `schema-invalid` when it is no JSON. */
export function readJson(text: string): JsonText {
  const written = new Map<object, Map<string, string>>();
  const revive: Reviver = function (key, value, { source }) {
    if (typeof value === "number" && source !== undefined && source !== String(value)) {
      const keys = written.get(this) ?? new Map<string, string>();
      written.set(this, keys.set(key, source));
    }
    return value;
  };
  return {
    json: parse(withoutComments(text), revive),
    numberText: (holder, key) => written.get(holder)?.get(String(key)),
  };
}

/** Blanks in their place, so that the parser's line and column are the text's. */
export function withoutComments(text: string): string {
  return text.replace(COMMENTS, (all, literal?: string) => literal ?? all.replaceAll(/[^\n]/g, " "));
}

function parse(text: string, revive: Reviver): Json {
  try {
    // the library's types lack the reviver's third argument (Node 21 and later)
    return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as Json; // JSON.parse gives JSON
  } catch (cause) {
    // V8's stack ended: thousands of levels.
    if (cause instanceof RangeError) throw new GuardError("schema-invalid", `at /: ${TOO_DEEP}`, { cause });
    throw new GuardError("schema-invalid", `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** One text for one JSON value: object keys sorted, no blanks. */
export function stableText(json: Json): string {
  if (isArray(json)) return `[${json.map(stableText).join(",")}]`;
  if (!isObject(json)) return JSON.stringify(json);
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${stableText(value)}`).join(",")}}`;
}
