import { decimalOf } from "./decimal.ts";
import { becomes, type MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";

/**
 * Avro reads text as bytes and bytes as text (specification, "Schema Resolution"), which destroys bytes that are not
 * UTF-8.
 */
export const stringOrBytes: MeaningRule = {
  id: "meaning/string-or-bytes",
  problem: "text became bytes, or bytes became text: Avro reads one as the other, and binary data is destroyed",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    if (types === undefined || decimalOf(types.before) !== undefined || decimalOf(types.after) !== undefined) {
      return undefined;
    }
    const [before, after] = [types.before.kind, types.after.kind];
    if (!(before === "string" && after === "bytes") && !(before === "bytes" && after === "string")) return undefined;
    return {
      certainty: "always",
      effectStated: true,
      message: `${becomes(change, before, after)}: Avro decodes one as the other without an error`,
      remedy: `change the consumer to read ${after}; text in hex or base64 has to be decoded first`,
    };
  },
};
