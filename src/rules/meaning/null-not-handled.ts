import type { MeaningRule } from "./rule.ts";
import { isNullable } from "./type.ts";

/** A contract's `fields` say no type, so whether the consumer takes null is not known: a warning. */
export const nullNotHandled: MeaningRule = {
  id: "meaning/null-not-handled",
  problem: "a new field that the consumer lists is null in rows older than the column",
  effect: "reads-null-or-default",
  severity: "warning",
  ofReader: false,
  find: ({ name, before, after, consumer: { row, fields } }) => {
    if (before !== undefined || after === undefined || row !== undefined) return undefined;
    if (!isNullable(after.type) || fields?.includes(name) !== true) return undefined;
    return {
      severity: "warning",
      certainty: "on-some-data",
      message: `"${name}" may be null: rows older than the column have null`,
      remedy: `make sure that the consumer takes null for "${name}"`,
    };
  },
};
