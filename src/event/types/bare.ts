import type { Json } from "../../json.ts";

/** A field's Avro type without null, and without the default that AvroData writes into a type. */
export function bareType(type: Json): Json {
  const branch: Json = Array.isArray(type) ? (type.find((one: Json) => one !== "null") ?? null) : type;
  if (typeof branch !== "object" || branch === null || Array.isArray(branch)) return branch;
  const kept = Object.entries(branch).filter(([key]) => key !== "connect.default");
  const [only] = kept;
  return kept.length === 1 && only !== undefined && only[0] === "type"
    ? only[1]
    : Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same type apart from null and defaults. */
export function isSameType(left: Json, right: Json): boolean {
  return JSON.stringify(bareType(left)) === JSON.stringify(bareType(right));
}
