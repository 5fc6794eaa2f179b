import type { MeaningRule } from "./rule.ts";
import { successors } from "./successors.ts";

/** A rename is a field that goes and one that comes; with a default, neither is an error. */
export const renamed: MeaningRule = {
  id: "meaning/renamed",
  problem: "a nullable field goes and one of its type comes at once, as a rename does: its readers read null",
  effect: "reads-null-or-default",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const { name, before, after, consumer } = change;
    if (before?.default === undefined || after !== undefined) return undefined;
    const come = successors(change);
    const known = consumer.row?.fields.flatMap((field) => [field.name, ...field.aliases]) ?? [];
    if (come.length === 0 || come.some((field) => known.includes(field.name))) return undefined;
    const names = come.map((field) => `"${field.name}"`);
    return {
      certainty: "always",
      message: `"${name}" would go as ${names.join(", ")} of the same type comes, as in a rename: who reads "${name}" by an own schema reads its default`,
      remedy: `read ${names.join(" or ")} beside "${name}" before it goes`,
    };
  },
};
