import { ownField } from "./own-field.ts";
import type { MeaningRule } from "./rule.ts";
import { isNullable } from "./type.ts";

/** For who decodes with the writer's schema, null comes without an error. */
export const notNullLost: MeaningRule = {
  id: "meaning/not-null-lost",
  problem: "a field that always had a value may be null",
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
      message: `"${name}" always has a value now and may be null`,
      remedy: `make the consumer take null for "${name}"`,
    };
  },
};
