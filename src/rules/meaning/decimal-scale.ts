import { decimalOf } from "./decimal.ts";
import { becomes, type MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";

/** An Avro decimal contains only the unscaled integer; the scale is only in the schema (specification, "Decimal"). */
export const decimalScale: MeaningRule = {
  id: "meaning/decimal-scale",
  problem: "a decimal's scale changed: the bytes contain no decimal point, so values are off by powers of ten",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    const [before, after] = [types && decimalOf(types.before), types && decimalOf(types.after)];
    if (before === undefined || after === undefined || before.scale === after.scale) return undefined;
    const factor = 10 ** Math.abs(before.scale - after.scale);
    return {
      certainty: "always",
      effectStated: true,
      message: `${becomes(change, `a decimal of scale ${before.scale}`, `one of scale ${after.scale}`)}: with the ${change.isReader === true ? "reader's" : "old"} scale, values are wrong by a factor of ${factor}`,
      remedy: `read the scale from the event's schema, or change the consumer's scale to ${after.scale} at the same time`,
    };
  },
};
