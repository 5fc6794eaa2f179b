import { isNamed, type AvroSchema } from "../../avro/schema.ts";
import type { RuntimeRule } from "./rule.ts";

/** Java takes a second, identical definition since 1.12. */
export const definedTwice: RuntimeRule = {
  id: "runtime/defined-twice",
  problem: "a type is defined twice, identically: only Java takes such a schema",
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
          describe: (at) => `${at} defines ${schema.fullName} again: ${runtime} refuses the schema`,
          remedy: `write "${schema.fullName}" there, the type's name alone`,
        },
      ];
    });
  },
};
