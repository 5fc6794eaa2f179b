import { isNamed } from "../../avro/schema.ts";
import type { RuntimeRule } from "./rule.ts";

/** If a record's own namespace has no type with the name, Java also looks in the null namespace. */
export const nullNamespace: RuntimeRule = {
  id: "runtime/null-namespace",
  problem: "a record with a namespace refers to a type without one, which only Java finds",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "ruby-avro", "avro-rs"],
  effect: "throws",
  inSchema: (runtime, places) =>
    places.flatMap(({ schema, path, namespace, again }) => {
      if (!again || namespace === undefined || !isNamed(schema) || schema.namespace !== undefined) return [];
      return [
        {
          path,
          certainty: "always",
          whole: true,
          describe: (at) =>
            `${at} refers to ${schema.name}, which has no namespace, from inside the namespace ${namespace}: ${runtime} looks for ${namespace}.${schema.name}`,
          remedy: `give ${schema.name} a namespace and refer to it by its full name`,
        },
      ];
    }),
};
