import { isNamed } from "../../avro/schema.ts";
import type { RuntimeRule } from "./rule.ts";

/** Java looks in the null namespace too when a record's own has no type of the name. */
export const nullNamespace: RuntimeRule = {
  id: "runtime/null-namespace",
  problem: "a record with a namespace refers to a type without one: only Java finds it",
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
            `${at} means ${schema.name}, which has no namespace, from inside ${namespace}: ${runtime} looks for ${namespace}.${schema.name}`,
          remedy: `give ${schema.name} a namespace and refer to it by its full name`,
        },
      ];
    }),
};
