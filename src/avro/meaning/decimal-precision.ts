import { decimalOf } from "./decimal.ts";
import type { MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";

/** Precision bounds nothing in the bytes: what does not fit is found, or cut, by whoever stores the value. */
export const decimalPrecision: MeaningRule = {
  id: "meaning/decimal-precision",
  problem: "a decimal has more digits than its reader takes: values come that do not fit",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    const [before, after] = [types && decimalOf(types.before), types && decimalOf(types.after)];
    if (before?.precision === undefined || after?.precision === undefined) return undefined;
    if (before.scale !== after.scale || before.precision === after.precision) return undefined;
    const wider = after.precision > before.precision;
    const text = `"${change.name}" is a decimal of ${before.precision} digits and would be of ${after.precision}`;
    return {
      certainty: "on-some-data",
      ...(wider ? {} : { severity: "warning" }),
      message: wider
        ? `${text}: values come that do not fit the reader's ${before.precision}`
        : `${text}: older events hold values that do not fit`,
      remedy: wider
        ? `make room for ${after.precision} digits where the consumer keeps "${change.name}"`
        : `keep room for ${before.precision} digits as long as older events may be read`,
    };
  },
};
