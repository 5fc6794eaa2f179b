/** Are two values the same, apart from a float's rounding? `{ "logical": … }` is what a library converted by logical type. */
export function isSame(one: unknown, other: unknown): boolean {
  if (typeof one === "number" && typeof other === "number") {
    return Math.abs(one - other) <= 1e-6 * Math.max(1, Math.abs(one));
  }
  if (isObject(other) && "logical" in other) return true;
  if (!isObject(one) || !isObject(other)) return one === other;
  const [mine, theirs] = [Object.entries(one), new Map(Object.entries(other))];
  if (Array.isArray(one) !== Array.isArray(other) || mine.length !== theirs.size) return false;
  return mine.every(([key, value]) => theirs.has(key) && isSame(value, theirs.get(key)));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
