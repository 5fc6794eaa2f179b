import { isNamed, type AvroSchema, type AvroUnion } from "../../avro/schema.ts";
import { resolverOf } from "./avsc.ts";
import { fitsOutside, hasNameFor } from "./fit.ts";
import type { Runtime, RuntimeRule } from "./rule.ts";

/**
 * Java compares names without namespaces, and the reader's aliases; its decoder does not compare the names of records
 * at all. For a record that only matches like this, avsc rejects every event.
 */
export const typeName: RuntimeRule = {
  id: "runtime/type-name",
  problem:
    "a record, enum or fixed has a different name in the reader's schema: Java compares only the last part, and for records not even that",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "ruby-avro"],
  effect: "throws",
  find: ({ runtime, meetings }) =>
    meetings.flatMap(({ reader, writer, path, certainty, union }) => {
      if (!isNamed(reader) || !isNamed(writer) || hasNameFor(runtime, reader, writer)) return [];
      // It is read as a different branch, which runtime/first-fit reports.
      if (union?.kind === "union" && takesOther(runtime, union, writer)) return [];
      return [
        {
          path,
          certainty: runtime === "avsc" ? "always" : certainty,
          ...(runtime === "avsc" ? { whole: true } : {}),
          describe: (at) =>
            `${at} is ${writer.kind} ${writer.fullName} in the events and ${reader.fullName} in the reader's schema, which ${runtime} treats as a different type`,
          remedy:
            runtime === "python-avro"
              ? `name it ${writer.fullName} in the reader's schema, since ${runtime} ignores aliases`
              : `add the alias "${writer.fullName}" in the reader's schema, or use that name there`,
        },
      ];
    }),
};

function takesOther(runtime: Runtime, union: AvroUnion, writer: AvroSchema): boolean {
  if (runtime === "avsc") return resolverOf(union, writer) !== undefined;
  return union.branches.some((branch) => fitsOutside(runtime, branch, writer));
}
