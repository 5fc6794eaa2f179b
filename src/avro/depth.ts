/**
 * Levels of objects and lists, as many as Avro's Java parser takes (Jackson's limit). Avro's rules recurse, and what reads
 * a contract here must read it in the service too: a record in a nullable field is four levels, so this is 250 of those.
 */
const MAX_LEVELS = 1000;

export const TOO_DEEP = `is nested more than ${MAX_LEVELS} levels deep`;

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
