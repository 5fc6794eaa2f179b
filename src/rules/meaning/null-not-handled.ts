import type { MeaningRule } from "./rule.ts";
import { isNullable } from "./type.ts";

/**
 * A contract's `fields` have no types, so it is unknown whether the consumer accepts null. The finding is therefore a
 * warning.
 */
export const nullNotHandled: MeaningRule = {
  id: "meaning/null-not-handled",
  problem: "a new field that the consumer lists is null in rows from before the column existed",
  effect: "reads-null-or-default",
  severity: "warning",
  ofReader: false,
  find: ({ name, before, after, consumer: { row, fields } }) => {
    if (before !== undefined || after === undefined || row !== undefined) return undefined;
    if (!isNullable(after.type) || fields?.includes(name) !== true) return undefined;
    return {
      severity: "warning",
      certainty: "on-some-data",
      effectStated: true,
      message: `"${name}" may be null: rows from before the column existed have no value for it`,
      remedy: `make sure that the consumer accepts null for "${name}"`,
    };
  },
};
