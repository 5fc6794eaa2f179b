export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A value that is never changed, at any depth. */
export type DeepReadonly<T> = Json extends T
  ? T
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export type JsonObject = Readonly<Record<string, Json>>;

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function isArray(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

/** The same text for equal JSON values: object keys are sorted, and there are no blanks. */
export function stableText(json: Json): string {
  if (isArray(json)) return `[${json.map(stableText).join(",")}]`;
  if (!isObject(json)) return JSON.stringify(json);
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${stableText(value)}`).join(",")}}`;
}

/**
 * How a number was written, where that is more than its value: `1.0`, or an integer beyond 2^53. JavaScript's numbers
 * forget it, but Avro's rules for defaults need it.
 */
export type NumberText = (holder: object, key: string | number) => string | undefined;

/**
 * How deeply objects and lists may be nested: the limit of Jackson, the JSON parser that Avro's Java library uses. Avro's
 * rules recurse, and a contract that can be read here must be readable in the service too. A record in a nullable field
 * is four levels, so this allows 250 of those.
 */
const MAX_LEVELS = 1000;

export const TOO_DEEP = `is nested more than ${MAX_LEVELS} levels deep`;

/** Is a JSON value nested more deeply than schemas and contracts may be? Never overflows the stack. */
export function isTooDeep(json: unknown): boolean {
  let level: readonly unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_LEVELS) return true;
    const inside = level.flatMap((value): readonly unknown[] =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
    // Through YAML's aliases one object can appear in many places.
    level = [...new Set(inside)];
  }
  return false;
}
