import type { AvroSchema } from "../../avro/schema.ts";
import { decimalOf } from "./decimal.ts";
import { becomes, type MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";

/**
 * Debezium's `decimal.handling.mode` (precise, double or string) determines which of these types a numeric column gets.
 */
export const decimalIntoFloat: MeaningRule = {
  id: "meaning/decimal-into-float",
  problem: "a decimal became a float or text, or the reverse: digits are lost, or text is read as a number's bytes",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    if (types === undefined || !(isLoose(types.before, types.after) || isLoose(types.after, types.before))) {
      return undefined;
    }
    const [before, after] = [nameOf(types.before), nameOf(types.after)];
    return {
      certainty: "always",
      message: becomes(change, `a ${before}`, `a ${after}`),
      remedy: "keep `decimal.handling.mode` as it was, or change the consumer to read the new type",
    };
  },
};

function isLoose(decimal: AvroSchema, other: AvroSchema): boolean {
  return decimalOf(decimal) !== undefined && ["float", "double", "string"].includes(other.kind);
}

function nameOf(type: AvroSchema): string {
  return decimalOf(type) === undefined ? type.kind : "decimal";
}
