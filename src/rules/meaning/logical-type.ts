import type { MeaningRule } from "./rule.ts";
import { temporalOf } from "./temporal.ts";
import { logicalName, typesOf } from "./type.ts";

/** Avro's rules ignore all properties of a type, including those that say what its bytes mean. */
export const logicalType: MeaningRule = {
  id: "meaning/logical-type",
  problem: "a type's connect.name or logicalType changed: the same bytes now mean a different kind of value",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const types = typesOf(change);
    if (types === undefined || types.before.kind !== types.after.kind) return undefined;
    const [before, after] = [logicalName(types.before), logicalName(types.after)];
    if (before === after || isFoundElsewhere(types)) return undefined;
    const { kind } = types.after;
    return {
      certainty: "on-some-data",
      message: `"${change.name}" is ${before ?? `a plain ${kind}`} now and would become ${after ?? `a plain ${kind}`}; to Avro, both are ${kind}`,
      remedy: `change the consumer to read "${change.name}" as ${after ?? `a plain ${kind}`}`,
    };
  },
};

/**
 * True if other rules find this change. They do if both types count time, except for a change from an instant to a
 * local time.
 */
function isFoundElsewhere({ before, after }: NonNullable<ReturnType<typeof typesOf>>): boolean {
  const [was, is] = [temporalOf(before), temporalOf(after)];
  if (was === undefined || is === undefined) return false;
  if (was.isLocal === undefined || is.isLocal === undefined || was.isLocal === is.isLocal) return true;
  return was.unit !== is.unit;
}
