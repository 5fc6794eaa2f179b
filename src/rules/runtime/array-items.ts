import type { AvroSchema } from "../../avro/schema.ts";
import type { RuntimeRule } from "./rule.ts";

/**
 * Since 1.12.2 Java's decoder refuses an array that claims more items than the bytes left can hold (AVRO-4241), and
 * reckons with the least size of the reader's items, not of those that were written.
 */
export const arrayItems: RuntimeRule = {
  id: "runtime/array-items",
  problem: "an array's items take more bytes as the reader has them: Java's Avro 1.12.2 throws at long arrays",
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
          describe: (at) =>
            `${at} takes ${written} or more bytes in the events, ${wanted} or more by the reader's schema: Java's Avro 1.12.2 throws when fewer than ${wanted} an item are left of the event`,
          remedy: "read the items as they are written; with another version of Avro give this rule another severity",
        },
      ];
    }),
};

/** As GenericDatumReader.minBytesPerElement has it: 0 for a record within itself. Each record is counted once. */
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
