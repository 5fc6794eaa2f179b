import { isNamed, type AvroSchema } from "../../avro/schema.ts";
import type { RuntimeRule } from "./rule.ts";

/** Since 1.12, Java accepts a second definition of a type if it is identical. */
export const definedTwice: RuntimeRule = {
  id: "runtime/defined-twice",
  problem: "a type has two identical definitions: only Java accepts such a schema",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "ruby-avro", "avro-rs"],
  effect: "throws",
  inSchema: (runtime, places) => {
    const names = new Map<string, AvroSchema>();
    return places.flatMap(({ schema, path }) => {
      if (!isNamed(schema)) return [];
      const known = names.get(schema.fullName) ?? schema;
      names.set(schema.fullName, known);
      if (known === schema) return [];
      return [
        {
          path,
          certainty: "always",
          whole: true,
          effectStated: true,
          describe: (at) => `${at} defines ${schema.fullName} a second time: ${runtime} rejects the schema`,
          remedy: `write only the type's name there, "${schema.fullName}"`,
        },
      ];
    });
  },
};
