import type { AvroSchema } from "../../avro/schema.ts";
import type { RuntimeRule } from "./rule.ts";
import { nameOf } from "./walk.ts";

/**
 * With avsc's default, `wrapUnions: "auto"`, a value is returned as `{ int: 3 }` if JavaScript cannot distinguish the
 * union's branches.
 */
export const wrappedUnion: RuntimeRule = {
  id: "runtime/wrapped-union",
  problem: "a union of several kinds of numbers, bytes, text or objects: avsc wraps its values, e.g. in { int: 3 }",
  severity: "error",
  runtimes: ["avsc"],
  find: ({ reader, parsed }) =>
    (parsed.at(0) ?? []).flatMap(({ schema, path }) => {
      if (schema.kind !== "union" || !isWrapped(schema.branches)) return [];
      const branches = schema.branches.map(nameOf).join(", ");
      return [
        {
          path,
          certainty: "always",
          // A consumer with its own schema already sees this in every event.
          ...(reader === undefined ? {} : { severity: "warning" }),
          describe: (at) =>
            `${at} is a union of ${branches}: avsc wraps each value in an object with the branch's name`,
          remedy: "unwrap the value, or decode with `wrapUnions: false` if the branches allow it",
        },
      ];
    }),
};

const BUCKETS: Readonly<Record<string, string>> = {
  int: "number",
  long: "number",
  float: "number",
  double: "number",
  fixed: "bytes",
  enum: "string",
  record: "map",
};

export function isWrapped(branches: readonly AvroSchema[]): boolean {
  const buckets = branches.map(({ kind }) => BUCKETS[kind] ?? kind);
  return new Set(buckets).size < buckets.length;
}
