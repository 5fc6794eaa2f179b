import { canonicalForm } from "../canonical.ts";
import type { MeaningRule } from "./rule.ts";

/** A field with a default goes without an error: its readers read the default from then on. */
export const renamed: MeaningRule = {
  id: "meaning/renamed",
  problem: "a nullable field goes and one of its type comes at once, as a rename does: its readers read null",
  severity: "error",
  ofReader: false,
  find: ({ name, before, after, from, to, consumer: { row } }) => {
    if (before?.default === undefined || after !== undefined) return undefined;
    const type = canonicalForm(before.type);
    const come = to.fields.filter(
      (field) => canonicalForm(field.type) === type && !from.fields.some((old) => old.name === field.name),
    );
    const known = row?.fields.flatMap((field) => [field.name, ...field.aliases]) ?? [];
    if (come.length === 0 || come.some((field) => known.includes(field.name))) return undefined;
    return {
      certainty: "always",
      message: `"${name}" would go as ${come.map((field) => `"${field.name}"`).join(", ")} of the same type comes: renamed? who reads "${name}" reads its default`,
      remedy: `read ${come.map((field) => `"${field.name}"`).join(" or ")} beside "${name}" before it goes`,
    };
  },
};
