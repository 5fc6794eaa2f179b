import { ownField } from "./own-field.ts";
import type { MeaningRule } from "./rule.ts";
import { successors } from "./successors.ts";

/** A field with a default goes without an error: its readers read the default from then on. */
export const dropped: MeaningRule = {
  id: "meaning/dropped",
  problem: "a field with a default goes: its readers read the default from then on",
  effect: "reads-null-or-default",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const { name, before, after, consumer, to } = change;
    if (before?.default === undefined || after !== undefined || successors(change).length > 0) return undefined;
    // Who lists it by name is told that it is missing: contract/field-missing.
    if (consumer.row === undefined && consumer.fields?.includes(name) === true) return undefined;
    const own = ownField(consumer.row, name);
    const read = own === undefined ? [] : [own.name, ...own.aliases];
    if (to.fields.some((field) => read.includes(field.name))) return undefined;
    return {
      certainty: "always",
      message: `"${name}" would go, and who reads it by an own schema reads its default`,
      remedy: `take "${name}" out of what the consumer reads`,
    };
  },
};
