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
    if (change.consumer.longs === "bigint") {
      return {
        certainty: "always",
        message: `"${change.name}" is an int now and would become a long: the consumer would get a bigint instead of a number`,
        remedy: `make the consumer accept a bigint in "${change.name}": JSON.stringify refuses one, and so does arithmetic with numbers`,
      };
    }
    return {
      certainty: "on-some-data",
      message: `"${change.name}" is an int now and would become a long, but JavaScript's numbers are exact only up to 2^53`,
      remedy:
        "decode longs as bigint, with the typeHook `bigintLongs` of fieldgate/consumer, and write `longs: bigint` in the contract",
    };
  },
};
