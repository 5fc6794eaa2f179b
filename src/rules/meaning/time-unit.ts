import type { MeaningRule } from "./rule.ts";
import { temporalOf } from "./temporal.ts";
import { typesOf } from "./type.ts";

/** Debezium counts in the unit the column's precision asks for (its "Temporal types", adaptive). */
export const timeUnit: MeaningRule = {
  id: "meaning/time-unit",
  problem: "a time's unit changed: the same number now counts milliseconds, microseconds or nanoseconds",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    const [before, after] = [types && temporalOf(types.before), types && temporalOf(types.after)];
    if (before === undefined || after === undefined) return undefined;
    if (before.of !== after.of || before.unit === after.unit) return undefined;
    return {
      certainty: "always",
      message:
        change.isReader === true
          ? `the reader counts "${change.name}" in ${before.unit}, the events in ${after.unit}`
          : `"${change.name}" counts ${before.unit} and would count ${after.unit}`,
      remedy:
        "take the unit from the event's schema (`connect.name`, `logicalType`), or change the reader's in the same step",
    };
  },
};
