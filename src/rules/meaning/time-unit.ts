import type { MeaningRule } from "./rule.ts";
import { temporalOf } from "./temporal.ts";
import { typesOf } from "./type.ts";

/** Debezium chooses the unit according to the column's precision (its documentation, "Temporal types", adaptive). */
export const timeUnit: MeaningRule = {
  id: "meaning/time-unit",
  problem: "the unit of a time changed: the same number counts milliseconds, microseconds or nanoseconds",
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
          ? `the reader counts "${change.name}" in ${before.unit}, but the events count it in ${after.unit}`
          : `"${change.name}" counts ${before.unit} now and would count ${after.unit}`,
      remedy:
        "take the unit from the event's schema (`connect.name` or `logicalType`), or change the consumer's unit at the same time",
    };
  },
};
