import { decimalOf } from "./decimal.ts";
import { becomes, type MeaningRule } from "./rule.ts";
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
    // A reader with room to spare reads all that comes.
    if (change.isReader === true && !wider) return undefined;
    const text = becomes(change, `a decimal of ${before.precision} digits`, `of ${after.precision}`);
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
