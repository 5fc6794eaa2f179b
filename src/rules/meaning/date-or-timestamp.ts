import { becomes, type MeaningRule } from "./rule.ts";
import { temporalOf } from "./temporal.ts";
import { typesOf } from "./type.ts";

/** Avro promotes an int of days to a long of milliseconds without an error. */
export const dateOrTimestamp: MeaningRule = {
  id: "meaning/date-or-timestamp",
  problem: "a date became a timestamp, a time or a duration, or the reverse: the number has a different meaning",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    const [before, after] = [types && temporalOf(types.before), types && temporalOf(types.after)];
    if (before === undefined || after === undefined || before.of === after.of) return undefined;
    return {
      certainty: "always",
      message: becomes(change, `a ${before.of} in ${before.unit}`, `a ${after.of} in ${after.unit}`),
      remedy: `change the consumer to read a ${after.of} in ${after.unit}`,
    };
  },
};
