import { isNamed, type AvroSchema, type AvroUnion } from "../../avro/schema.ts";
import { resolverOf } from "./avsc.ts";
import { fitsOutside, hasNameFor } from "./fit.ts";
import type { Runtime, RuntimeRule } from "./rule.ts";

/** Java compares names without their namespace, and the reader's aliases; avsc refuses all events for one such type. */
export const typeName: RuntimeRule = {
  id: "runtime/type-name",
  problem: "a record, enum or fixed has another full name than the reader's: Java compares less of it",
  severity: "error",
  runtimes: ["avsc", "python-avro", "ruby-avro"],
  effect: "throws",
  find: ({ runtime, meetings }) =>
    meetings.flatMap(({ reader, writer, path, certainty, union }) => {
      if (!isNamed(reader) || !isNamed(writer) || hasNameFor(runtime, reader, writer)) return [];
      // It reads it as another branch: runtime/first-fit tells.
      if (union?.kind === "union" && takesOther(runtime, union, writer)) return [];
      return [
        {
          path,
          certainty: runtime === "avsc" ? "always" : certainty,
          ...(runtime === "avsc" ? { whole: true } : {}),
          describe: (at) =>
            `${at} is ${writer.kind} ${writer.fullName} in the events and ${reader.fullName} in the reader's schema, which ${runtime} takes for another type`,
          remedy:
            runtime === "python-avro"
              ? `name it ${writer.fullName} in the reader's schema: ${runtime} does not look at aliases`
              : `add the alias "${writer.fullName}" in the reader's schema, or name it so`,
        },
      ];
    }),
};

function takesOther(runtime: Runtime, union: AvroUnion, writer: AvroSchema): boolean {
  if (runtime === "avsc") return resolverOf(union, writer) !== undefined;
  return union.branches.some((branch) => fitsOutside(runtime, branch, writer));
}
