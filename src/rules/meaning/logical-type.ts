import type { MeaningRule } from "./rule.ts";
import { temporalOf } from "./temporal.ts";
import { logicalName, typesOf } from "./type.ts";

/** Avro's rules ignore every property of a type, so also the one that says what the bytes are. */
export const logicalType: MeaningRule = {
  id: "meaning/logical-type",
  problem: "a type's connect.name or logicalType changed: the same bytes are another kind of value",
  severity: "error",
  ofReader: false,
  find: (change) => {
    const types = typesOf(change);
    if (types === undefined || types.before.kind !== types.after.kind) return undefined;
    const [before, after] = [logicalName(types.before), logicalName(types.after)];
    if (before === after || isToldElsewhere(types)) return undefined;
    const { kind } = types.after;
    return {
      certainty: "on-some-data",
      message: `"${change.name}" is ${before ?? `a plain ${kind}`} and would be ${after ?? `a plain ${kind}`}, both ${kind} in Avro`,
      remedy: `make the consumer take "${change.name}" as ${after ?? `a plain ${kind}`}`,
    };
  },
};

/** Where both count time, other rules tell; but none of them tells an instant from a time on the clock. */
function isToldElsewhere({ before, after }: NonNullable<ReturnType<typeof typesOf>>): boolean {
  const [was, is] = [temporalOf(before), temporalOf(after)];
  if (was === undefined || is === undefined) return false;
  if (was.isLocal === undefined || is.isLocal === undefined || was.isLocal === is.isLocal) return true;
  return was.unit !== is.unit;
}
