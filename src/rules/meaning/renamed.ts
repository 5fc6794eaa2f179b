import type { MeaningRule } from "./rule.ts";
import { successors } from "./field.ts";

/**
 * For Avro, a rename is a field that disappears and a field that appears. If both have defaults, neither is an error.
 */
export const renamed: MeaningRule = {
  id: "meaning/renamed",
  problem:
    "a nullable field disappears and a new one of the same type appears, as in a rename: readers of the old name read null",
  effect: "reads-null-or-default",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const { name, before, after, consumer } = change;
    if (before?.default === undefined || after !== undefined) return undefined;
    const added = successors(change);
    const known = consumer.row?.fields.flatMap((field) => [field.name, ...field.aliases]) ?? [];
    if (added.length === 0 || added.some((field) => known.includes(field.name))) return undefined;
    const names = added.map((field) => `"${field.name}"`);
    return {
      certainty: "always",
      effectStated: true,
      message: `"${name}" would disappear and ${names.join(" and ")}, of the same type, would appear: it looks like a rename, and a consumer with its own schema would read the default of "${name}"`,
      remedy: `make the consumer read ${names.join(" or ")} as well as "${name}" before the change`,
    };
  },
};
