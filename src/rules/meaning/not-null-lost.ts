import type { MeaningRule } from "./rule.ts";
import { isNullable } from "./type.ts";
import { ownField } from "./field.ts";

/** A consumer that decodes with the writer's schema gets null without an error. */
export const notNullLost: MeaningRule = {
  id: "meaning/not-null-lost",
  problem: "a field that always had a value may become null",
  effect: "reads-null-or-default",
  severity: "error",
  ofReader: false,
  find: ({ name, before, after, consumer }) => {
    if (before === undefined || after === undefined) return undefined;
    const own = ownField(consumer.row, name);
    if (isNullable(before.type) || !isNullable(after.type) || (own !== undefined && isNullable(own.type))) {
      return undefined;
    }
    return {
      certainty: "on-some-data",
      effectStated: true,
      message: `"${name}" always has a value now and could then be null`,
      remedy: `make the consumer accept null for "${name}"`,
    };
  },
};
