import type { MeaningRule } from "./rule.ts";
import { ownField } from "./field.ts";

/** A default fills in the field in events from before it existed. Values that are in an event are not affected. */
export const defaultChanged: MeaningRule = {
  id: "meaning/default-changed",
  problem: "a default changed: events from before the field existed are filled with a different value",
  severity: "error",
  ofReader: false,
  find: ({ name, before, after, consumer: { row } }) => {
    if (before?.default === undefined || after?.default === undefined) return undefined;
    if (JSON.stringify(before.default) === JSON.stringify(after.default)) return undefined;
    const own = ownField(row, name);
    const fillsOld = own?.default !== undefined && JSON.stringify(own.default) === JSON.stringify(before.default);
    return {
      ...(fillsOld ? {} : { severity: "warning" }),
      certainty: "on-some-data",
      effectStated: true,
      message: `the default of "${name}" would change: events from before the column existed would be filled with a different value`,
      remedy: `use the new default of "${name}" in the reader's schema, or fill in the older rows`,
    };
  },
};
