import type { AvroSchema } from "../../avro/schema.ts";
import type { RuntimeRule } from "./rule.ts";

/**
 * Since 1.12.2, Java's decoder rejects an array that claims more items than the remaining bytes can hold (AVRO-4241).
 * It computes this with the smallest size of the reader's items, not of the items that were written.
 */
export const arrayItems: RuntimeRule = {
  id: "runtime/array-items",
  problem:
    "an array's items take more bytes by the reader's schema than in the events: Avro for Java 1.12.2 throws at long arrays",
  severity: "error",
  runtimes: ["java"],
  effect: "throws",
  concerns: (places) => places.some(({ schema }) => schema.kind === "array" && leastBytes(schema.items) > 0),
  find: ({ meetings }) =>
    meetings.flatMap(({ reader, writer, path }) => {
      if (reader.kind !== "array" || writer.kind !== "array") return [];
      const [wanted, written] = [leastBytes(reader.items), leastBytes(writer.items)];
      if (wanted <= written) return [];
      return [
        {
          path: [...path, "[]"],
          certainty: "on-some-data",
          effectStated: true,
          describe: (at) =>
            `each item ${at} takes ${written} or more bytes in the events and ${wanted} or more by the reader's schema: Avro for Java 1.12.2 throws if fewer than ${wanted} bytes per item are left in the event`,
          remedy:
            "read the items with the type they are written with; if you use a different version of Avro, override this rule's severity",
        },
      ];
    }),
};

/**
 * The smallest size of a type, as in GenericDatumReader.minBytesPerElement; a record that contains itself counts as 0
 * at the inner place. Each record's size is computed once.
 */
function leastBytes(schema: AvroSchema, known = new Map<AvroSchema, number>()): number {
  switch (schema.kind) {
    case "null":
      return 0;
    case "float":
      return 4;
    case "double":
      return 8;
    case "fixed":
      return schema.size;
    case "record": {
      const counted = known.get(schema);
      if (counted !== undefined) return counted;
      known.set(schema, 0);
      const sum = schema.fields.reduce((bytes, { type }) => bytes + leastBytes(type, known), 0);
      known.set(schema, sum);
      return sum;
    }
    default:
      return 1;
  }
}
