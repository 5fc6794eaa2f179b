import type { MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";
import { runtimeOf } from "../runtime/rule.ts";

/** avsc decodes a long to a number and throws beyond 2^53; arithmetic with such large numbers loses digits. */
export const longBeyondJavascript: MeaningRule = {
  id: "meaning/long-beyond-javascript",
  problem: "an int became a long: JavaScript's numbers are exact only up to 2^53, and avsc throws beyond that",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const types = typesOf(change);
    if (types?.before.kind !== "int" || types.after.kind !== "long") return undefined;
    if (runtimeOf(change.consumer.runtime) !== "avsc") return undefined;
    return {
      certainty: "on-some-data",
      message: `"${change.name}" is an int now and would become a long, but JavaScript's numbers are exact only up to 2^53`,
      remedy: "decode longs as BigInt (in avsc: `types.LongType.__with`, given through a type hook)",
    };
  },
};
