import { GuardError } from "../errors.ts";
import type { Json } from "../json.ts";

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

/**
 * Levels of objects and lists, as many as Avro's Java parser takes (Jackson's limit). Avro's rules recurse, and what reads
 * a contract here must read it in the service too: a record in a nullable field is four levels, so this is 250 of those.
 */
const MAX_LEVELS = 1000;

export const TOO_DEEP = `is nested more than ${MAX_LEVELS} levels deep`;

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

/** Is a JSON value nested beyond what schemas and contracts take. Never overflows. */
export function isTooDeep(json: unknown): boolean {
  let level: readonly unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_LEVELS) return true;
    const inside = level.flatMap((value): readonly unknown[] =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
    // YAML's aliases give one object many places.
    level = [...new Set(inside)];
  }
  return false;
}
