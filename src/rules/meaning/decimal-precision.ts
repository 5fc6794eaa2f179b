import { decimalOf } from "./decimal.ts";
import { becomes, type MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";

/** The precision does not limit the bytes. A value that does not fit fails, or is truncated, where it is stored. */
export const decimalPrecision: MeaningRule = {
  id: "meaning/decimal-precision",
  problem: "a decimal has more digits than its reader has room for: values can arrive that do not fit",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    const [before, after] = [types && decimalOf(types.before), types && decimalOf(types.after)];
    if (before?.precision === undefined || after?.precision === undefined) return undefined;
    if (before.scale !== after.scale || before.precision === after.precision) return undefined;
    const wider = after.precision > before.precision;
    // A reader with room to spare can read every value.
    if (change.isReader === true && !wider) return undefined;
    const text = becomes(change, `a decimal of ${before.precision} digits`, `one of ${after.precision}`);
    return {
      certainty: "on-some-data",
      ...(wider ? {} : { severity: "warning" }),
      message: wider
        ? `${text}: values can arrive that do not fit into ${before.precision} digits`
        : `${text}: older events may hold values that do not fit`,
      remedy: wider
        ? `make room for ${after.precision} digits wherever the consumer stores "${change.name}"`
        : `keep room for ${before.precision} digits as long as older events may be read`,
    };
  },
};
