import type { MeaningRule } from "./rule.ts";
import { ownField, successors } from "./field.ts";

/** When a field with a default disappears, nothing fails, because its readers read the default. */
export const dropped: MeaningRule = {
  id: "meaning/dropped",
  problem: "a field with a default disappears: readers with their own schema read the default",
  effect: "reads-null-or-default",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const { name, before, after, consumer, to } = change;
    if (before?.default === undefined || after !== undefined || successors(change).length > 0) return undefined;
    // A consumer that lists it by name gets contract/field-missing instead.
    if (consumer.row === undefined && consumer.fields?.includes(name) === true) return undefined;
    const own = ownField(consumer.row, name);
    const read = own === undefined ? [] : [own.name, ...own.aliases];
    if (to.fields.some((field) => read.includes(field.name))) return undefined;
    return {
      certainty: "always",
      effectStated: true,
      message: `"${name}" would disappear: a consumer with its own schema would read its default`,
      remedy: `make the consumer work without "${name}", and remove it from its schema`,
    };
  },
};
