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

/**
 * The object's own value for a key that comes from outside. An inherited one, such as that of `constructor`, is not
 * found.
 */
export function ownValue<T>(object: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

export function isArray(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

/** Gives equal JSON values the same text: object keys are sorted, and there are no spaces. */
export function stableText(json: Json): string {
  if (isArray(json)) return `[${json.map(stableText).join(",")}]`;
  if (!isObject(json)) return JSON.stringify(json);
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${stableText(value)}`).join(",")}}`;
}

/** True if both texts are the same JSON, however it is written. */
export function isSameJson(left: string | undefined, right: string): boolean {
  return left === right || (left !== undefined && normal(left) === normal(right));
}

function normal(text: string): string | undefined {
  try {
    return stableText(JSON.parse(text) as Json); // JSON.parse gives JSON
  } catch {
    return undefined;
  }
}

/**
 * How a number was written, if that says more than its value: `1.0`, or an integer beyond 2^53. JavaScript's numbers
 * lose this, but Avro's rules for defaults need it.
 */
export type NumberText = (holder: object, key: string | number) => string | undefined;

/**
 * How deeply objects and lists may be nested: the limit of Jackson, the JSON parser that Avro's Java library uses.
 * Avro's rules recurse, and a contract that can be read here must also be readable in the service. A record in a
 * nullable field takes four levels, so 250 of them can be nested.
 */
const MAX_LEVELS = 1000;

export const TOO_DEEP = `is nested more than ${MAX_LEVELS} levels deep`;

/** True if a JSON value is nested more deeply than schemas and contracts may be. Never overflows the stack. */
export function isTooDeep(json: unknown): boolean {
  let level: readonly unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_LEVELS) return true;
    const inside = level.flatMap((value): readonly unknown[] =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
    // With YAML's aliases, one object can appear in many places.
    level = [...new Set(inside)];
  }
  return false;
}
