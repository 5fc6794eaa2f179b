import { isPromotion } from "../../avro/reading/compatibility.ts";
import { isNamed, type AvroSchema } from "../../avro/schema.ts";
import { becomes, type MeaningRule } from "./rule.ts";
import { branchesOf } from "./type.ts";
import { runtimeOf } from "../runtime/rule.ts";

/** By the specification, and in avsc, the first matching branch is taken; Java prefers the exact type. */
export const unionOrder: MeaningRule = {
  id: "meaning/union-order",
  problem: "the order of a union changed: readers that take the first matching branch read a different type",
  severity: "error",
  ofReader: true,
  find: (change) => {
    const { before, after, consumer } = change;
    // For a known runtime, runtime/first-fit gives the exact answer.
    if (before === undefined || after === undefined || runtimeOf(consumer.runtime) !== undefined) return undefined;
    const [was, is] = [before, after].map(({ type }) => branchesOf(type).filter(({ kind }) => kind !== "null"));
    if (was === undefined || is === undefined || !isReordered(was, is)) return undefined;
    const taken = is.find((branch) => firstFit(was, branch) !== branch.kind || firstFit(is, branch) !== branch.kind);
    if (taken === undefined) return undefined;
    return {
      certainty: "on-some-data",
      effectStated: true,
      message: `${becomes(change, `a union of ${kinds(was)}`, `one of ${kinds(is)}`)}: a value of type ${taken.kind} may be read as the other type`,
      remedy: "keep the order of the union's branches",
    };
  },
};

function isReordered(before: readonly AvroSchema[], after: readonly AvroSchema[]): boolean {
  return (
    kinds(before) !== kinds(after) && [...before].map(kindOf).sort().join() === [...after].map(kindOf).sort().join()
  );
}

function firstFit(union: readonly AvroSchema[], written: AvroSchema): string | undefined {
  if (isNamed(written)) return written.kind;
  return union.find((branch) => isPromotion(branch, written))?.kind;
}

function kindOf(type: AvroSchema): string {
  return isNamed(type) ? type.fullName : type.kind;
}

function kinds(branches: readonly AvroSchema[]): string {
  return branches.map(kindOf).join(", ");
}
