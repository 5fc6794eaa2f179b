import { resolverOf, type Resolver } from "./avsc.ts";
import type { RuntimeFound, RuntimeRule } from "./rule.ts";

/** avsc remembers a union branch that failed, and takes it when the same two records meet again. */
export const cachedResolver: RuntimeRule = {
  id: "runtime/cached-resolver",
  problem: "two records that failed to match meet again: avsc reuses the failed match and throws at the data",
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
    effectStated: true,
    describe: (at) =>
      `${at} can be a record that does not match the reader's record of that name, or a record with a different name that does: avsc throws "_read is not a function"`,
    remedy: "remove the record that does not match from the reader's unions, or put the one that matches before it",
  };
}
