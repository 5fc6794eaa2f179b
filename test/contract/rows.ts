import type { Contract } from "../../src/contract/contract.ts";
import type { Json } from "../../src/json.ts";

/** Types by column; a type with a default is written `{ type, default }`. */
export type Columns = Readonly<Record<string, Json>>;

/** A Debezium envelope around a row with these columns. */
export function envelopeOf(columns: Columns): Json {
  const fields = Object.entries(columns).map(([name, type]) =>
    typeof type === "object" && type !== null && "default" in type
      ? { name, type: type["type"] ?? null, default: type["default"] ?? null }
      : { name, type },
  );
  return {
    type: "record",
    name: "Envelope",
    namespace: "inventory.public.customers",
    fields: [
      { name: "before", type: ["null", { type: "record", name: "Value", fields }], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "op", type: "string" },
    ],
  };
}

/** The contract of a consumer that decodes with the writer's schema and accepts unknown fields. */
export function writerContract(more: Partial<Contract> = {}): Contract {
  const topic = "inventory.public.customers";
  const own = { version: 1, environment: "default", consumer: "billing", topic } as const;
  return { ...own, decodesWith: "writer", unknownFields: "accept", ...more };
}
