import type { MeaningRule } from "./rule.ts";
import { typesOf } from "./type.ts";

/** An enum's default replaces every symbol that a reader does not know (specification, "Enums"). */
export const enumDefault: MeaningRule = {
  id: "meaning/enum-default",
  problem: "a reader that does not know a new enum label reads the enum's default instead",
  effect: "reads-null-or-default",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const types = typesOf(change);
    if (types?.before.kind !== "enum" || types.after.kind !== "enum") return undefined;
    const { before, after } = types;
    const hidden = after.symbols.filter((symbol) => !before.symbols.includes(symbol));
    if (before.default === undefined || hidden.length === 0) return undefined;
    return {
      certainty: "on-some-data",
      effectStated: true,
      message: `"${change.name}" may be ${hidden.join(", ")}, which ${change.isReader === true ? "the reader does not know and reads" : "a reader with the old labels would read"} as the enum's default, ${before.default}`,
      remedy: `add ${hidden.join(", ")} to the reader's enum "${before.fullName}"`,
    };
  },
};
