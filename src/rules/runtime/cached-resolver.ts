import { resolverOf, type Resolver } from "./avsc.ts";
import type { RuntimeFound, RuntimeRule } from "./rule.ts";

/** A union's branch that failed once is remembered, and taken when the same two records meet again. */
export const cachedResolver: RuntimeRule = {
  id: "runtime/cached-resolver",
  problem: "two records that could not be matched meet again: avsc hands out the broken match and throws at the data",
  severity: "error",
  runtimes: ["avsc"],
  effect: "throws",
  find: ({ reader, writer }) => {
    const root = reader === undefined ? undefined : resolverOf(reader, writer);
    const met = new Set<Resolver>();
    const visit = (resolver: Resolver, path: readonly string[]): readonly RuntimeFound[] => {
      if (met.has(resolver)) return [];
      met.add(resolver);
      if (!resolver.reads) return [broken(path)];
      return resolver.parts.flatMap(({ step, resolver: inner }) => visit(inner, [...path, ...step]));
    };
    return root === undefined ? [] : visit(root, []);
  },
};

function broken(path: readonly string[]): RuntimeFound {
  return {
    path,
    certainty: "on-some-data",
    describe: (at) =>
      `${at} can be a record that does not fit the reader's of its name, and one of another name that does: avsc throws "_read is not a function"`,
    remedy: "take the record that does not fit out of the reader's unions, or put the one that fits before it",
  };
}
