import { isPrimitive, type AvroSchema } from "../../avro/schema.ts";
import { resolverOf, type Resolver } from "./avsc.ts";
import { fitsOutside, fitsValue } from "./fit.ts";
import type { Runtime, RuntimeFound, RuntimeRule } from "./rule.ts";
import { chosen, nameOf } from "./walk.ts";

/** By the specification, the first matching branch is taken. Java takes the exact type, wherever it is. */
export const firstFit: RuntimeRule = {
  id: "runtime/first-fit",
  problem:
    "the library takes a union's first matching branch, whereas Java takes the exact type: binary data can be destroyed",
  severity: "error",
  runtimes: ["avsc", "fastavro", "ruby-avro", "python-avro", "avro-rs"],
  find: ({ runtime, reader, writer, meetings }) => {
    if (runtime === "avsc") return reader === undefined ? [] : inAvsc(resolverOf(reader, writer));
    return meetings.flatMap(({ union, reader: right, writer: written, path, certainty }) => {
      if (union?.kind !== "union") return [];
      const taken = takenBy(runtime, union.branches, written);
      if (taken === undefined || taken === right || isHarmless(runtime, taken, right)) return [];
      return [other(runtime, path, certainty, written, taken, right)];
    });
  },
};

function takenBy(runtime: Runtime, branches: readonly AvroSchema[], written: AvroSchema): AvroSchema | undefined {
  return branches.find((branch) =>
    runtime === "avro-rs" ? fitsValue(branch, written) : fitsOutside(runtime, branch, written),
  );
}

/**
 * True if the choice does not matter: Python's and Ruby's libraries read a plain value with the writer's type,
 * whichever branch they take.
 */
function isHarmless(runtime: Runtime, taken: AvroSchema, right: AvroSchema): boolean {
  if (runtime !== "python-avro" && runtime !== "ruby-avro") return false;
  return [taken, right].every(
    (branch) => isPrimitive(branch.kind) && !("props" in branch && "logicalType" in branch.props),
  );
}

/** Wrong choices by avsc, which looks inside a branch before it takes it. */
function inAvsc(root: Resolver | undefined): readonly RuntimeFound[] {
  const met = new Set<Resolver>();
  const visit = (resolver: Resolver, path: readonly string[]): readonly RuntimeFound[] => {
    if (met.has(resolver)) return [];
    met.add(resolver);
    const { choice, parts } = resolver;
    const right = choice === undefined ? undefined : chosen(choice.union.branches, choice.writer);
    const own =
      choice === undefined || right === undefined || right === choice.branch
        ? []
        : [other("avsc", path, "on-some-data", choice.writer, choice.branch, right)];
    return [...own, ...parts.flatMap(({ step, resolver: inner }) => visit(inner, [...path, ...step]))];
  };
  return root === undefined ? [] : visit(root, []);
}

function other(
  runtime: Runtime,
  path: readonly string[],
  certainty: RuntimeFound["certainty"],
  written: AvroSchema,
  taken: AvroSchema,
  right: AvroSchema,
): RuntimeFound {
  return {
    path,
    certainty,
    // The other libraries take a branch without looking inside, and may then throw.
    ...(runtime === "avsc" ? { effect: "reads-wrong-value" } : {}),
    describe: (at) =>
      `${at}: ${runtime} reads a value written as ${nameOf(written)} as ${nameOf(taken)}, the first matching branch of the reader's union; Java reads it as ${nameOf(right)}`,
    remedy: `put ${nameOf(right)} before ${nameOf(taken)} in the reader's union`,
  };
}
