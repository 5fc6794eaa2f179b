import { runtimeOf } from "../runtime/known.ts";
import type { MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";

/** avsc decodes a long into a number and throws beyond 2^53; what sums or divides such numbers loses digits. */
export const longBeyondJavascript: MeaningRule = {
  id: "meaning/long-beyond-javascript",
  problem: "an int became a long: JavaScript's numbers are exact only up to 2^53, and avsc throws beyond",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const types = typesOf(change);
    if (types?.before.kind !== "int" || types.after.kind !== "long") return undefined;
    if (runtimeOf(change.consumer.runtime) !== "avsc") return undefined;
    return {
      certainty: "on-some-data",
      message: `"${change.name}" is an int and would be a long, which JavaScript's numbers hold only up to 2^53`,
      remedy: "decode longs as BigInt (avsc: `types.LongType.__with` through a type hook)",
    };
  },
};
